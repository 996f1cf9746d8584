//! Small reports that every template must be able to set: tried at start with an operator's own templates.

use crate::model::{Analysis, Capture, Defect, Language, LeftOut, Measured, Metrics, Report, Template};
use chrono::{DateTime, Utc};

/// One and several analyses, full and empty ones, with every template.
pub(super) fn reports() -> Vec<Report> {
    [Template::Summary, Template::Standard, Template::Detailed]
        .into_iter()
        .flat_map(|template| [report(template, vec![full()]), report(template, vec![full(), empty()])])
        .collect()
}

fn report(template: Template, analyses: Vec<Analysis>) -> Report {
    let left_out =
        LeftOut { analysis_id: "left-out".to_owned(), code: "not_found".to_owned(), ..LeftOut::default() };
    Report {
        template,
        language: Language::En,
        job_id: "trial".to_owned(),
        generated_at: DateTime::<Utc>::UNIX_EPOCH,
        include_recommendations: true,
        include_images: true,
        combined: analyses.len() > 1,
        analyses,
        left_out: vec![left_out],
    }
}

fn empty() -> Analysis {
    Analysis {
        id: "empty".to_owned(),
        job_id: None,
        created_at: Some(DateTime::<Utc>::UNIX_EPOCH),
        filename: None,
        metrics: Metrics::default(),
        photograph: None,
        overlay: None,
        overlay_needs_key: false,
        lightness: None,
    }
}

fn full() -> Analysis {
    let defect = Defect {
        class: "rust".to_owned(),
        x: 10,
        y: 10,
        width: 20,
        height: 20,
        area_percent: 1.0,
        delta_e: 20.0,
    };
    let metrics = Metrics {
        cvi: Some(0.5),
        cqi: Some(0.5),
        coverage_percent: Some(90.0),
        edge_coverage_ratio: Some(0.9),
        defects_detected: Some(1),
        severity: Some("medium".to_owned()),
        confidence: Some(0.9),
        processing_time_ms: Some(10),
        profile: Some("standard".to_owned()),
        sensitivity: Some("medium".to_owned()),
        width: Some(100),
        height: Some(100),
        roi_percent: Some(80.0),
        defects: Some(vec![defect]),
        capture: Some(Capture { sharpness: Some(0.9), ..Capture::default() }),
        model_version: Some("trial".to_owned()),
        label: Some("trial".to_owned()),
        probability: Some(0.9),
        measured: Some(Measured { severity: Some("medium".to_owned()), confidence: Some(0.9) }),
    };
    Analysis { id: "full".to_owned(), metrics, lightness: Some(vec![1; 64]), ..empty() }
}
