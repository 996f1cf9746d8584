//! Reports to set.
#![allow(dead_code)]

use chrono::{DateTime, Duration, Utc};
use forgeos_reporting::model::{
    Analysis, Capture, Defect, Language, LeftOut, Metrics, Picture, Report, Template,
};
use forgeos_reporting::pdf::{Setter, SetterOptions};

pub(crate) fn setter() -> Setter {
    Setter::new(SetterOptions::default()).unwrap()
}

pub(crate) fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_269_900, 0).unwrap()
}

pub(crate) fn of_one(template: Template, analysis: Analysis) -> Report {
    Report { combined: false, left_out: Vec::new(), ..report(template, vec![analysis]) }
}

pub(crate) fn report(template: Template, analyses: Vec<Analysis>) -> Report {
    let left_out =
        LeftOut { analysis_id: "5c1f4e0a".to_owned(), code: "not_found".to_owned(), ..LeftOut::default() };
    Report {
        template,
        language: Language::En,
        job_id: "0193f1a2-7c40-7e3b-9a51-2f6f0c8d1e77".to_owned(),
        generated_at: moment(),
        include_recommendations: true,
        include_images: true,
        combined: true,
        analyses,
        left_out: vec![left_out],
    }
}

/// One with everything.
pub(crate) fn analysis(number: u32) -> Analysis {
    let defect = |x: u32, class: &str| Defect {
        class: class.to_owned(),
        x,
        y: 40,
        width: 60,
        height: 30,
        area_percent: 0.4,
        delta_e: 14.5,
    };
    let capture = Capture {
        glare_percent: Some(1.0),
        clipped_percent: Some(0.2),
        sharpness: Some(0.8),
        lighting_evenness: Some(0.7),
    };
    Analysis {
        id: format!("0193f1a2-7c40-7e3b-9a51-{number:012}"),
        job_id: Some("0193f1a0-1111-7e3b-9a51-2f6f0c8d1e77".to_owned()),
        created_at: Some(moment() - Duration::days(number.into())),
        filename: Some(format!("panel-{number}.jpg")),
        metrics: Metrics {
            cvi: Some(0.81),
            cqi: Some(0.6 + f64::from(number % 40) / 100.0),
            coverage_percent: Some(97.25),
            edge_coverage_ratio: Some(0.93),
            defects_detected: Some(2),
            severity: Some(["low", "medium", "high"][(number % 3) as usize].to_owned()),
            confidence: Some(0.9),
            processing_time_ms: Some(400),
            profile: Some("standard".to_owned()),
            sensitivity: Some("medium".to_owned()),
            width: Some(800),
            height: Some(600),
            roi_percent: Some(71.5),
            defects: Some(vec![defect(20, "rust"), defect(500, "crack")]),
            capture: Some(capture),
            model_version: Some("20261121-1".to_owned()),
            label: Some("worn".to_owned()),
            probability: Some(0.7),
            measured: None,
        },
        photograph: Some(picture()),
        overlay: Some(picture()),
        overlay_needs_key: true,
        lightness: Some((0..64).collect()),
    }
}

/// One from before the worker came: a few figures and nothing else.
pub(crate) fn seed_row() -> Analysis {
    let metrics = Metrics { cqi: Some(0.5), severity: Some("low".to_owned()), ..Metrics::default() };
    Analysis { metrics, filename: None, photograph: None, overlay: None, lightness: None, ..analysis(9) }
}

fn picture() -> Picture {
    // Drawn once: hundreds of pages show it.
    static BYTES: std::sync::LazyLock<std::sync::Arc<[u8]>> =
        std::sync::LazyLock::new(|| forgeos_samples::variant(1).bytes.into());
    Picture { bytes: BYTES.clone(), extension: "jpg", url: None }
}
