//! PDF reports, end to end: data in, pages out.

use chrono::{DateTime, Utc};
use forgeos_reporting::model::{Analysis, Language, Metrics, Report, Template};
use forgeos_reporting::pdf::{Setter, SetterOptions};

fn analysis(number: usize) -> Analysis {
    Analysis {
        id: format!("0192f3a4-0000-7000-8000-{number:012}"),
        job_id: None,
        created_at: DateTime::<Utc>::from_timestamp(1_790_000_000, 0).unwrap(),
        filename: Some(format!("panel-{number}.jpg")),
        metrics: Metrics { cqi: Some(0.8), ..Metrics::default() },
        photograph: None,
        overlay: None,
        lightness: None,
    }
}

fn report(template: Template, count: usize) -> Report {
    Report {
        template,
        language: Language::En,
        job_id: "0192f3a4-1111-7000-8000-000000000000".to_owned(),
        generated_at: DateTime::<Utc>::from_timestamp(1_790_000_100, 0).unwrap(),
        include_recommendations: true,
        combined: count > 1,
        analyses: (0..count).map(analysis).collect(),
        left_out: Vec::new(),
    }
}

#[test]
fn a_report_of_one_analysis_has_a_page() {
    let setter = Setter::new(SetterOptions::default()).unwrap();
    let pdf = setter.pdf(&report(Template::Standard, 1)).unwrap();
    assert!(pdf.bytes.starts_with(b"%PDF-"));
    assert_eq!(pdf.pages, 1);
}
