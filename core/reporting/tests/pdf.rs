//! PDF reports, end to end: data in, pages out.
#![allow(clippy::unwrap_used)]

#[path = "pdf_support/mod.rs"]
mod support;

use chrono::Duration;
use forgeos_reporting::model::{Defect, Language, Report, Template};
use forgeos_reporting::pdf::Setter;
use support::{analysis, moment, of_one, report, seed_row, setter};

const TEMPLATES: [Template; 3] = [Template::Summary, Template::Standard, Template::Detailed];
const LANGUAGES: [Language; 2] = [Language::En, Language::No];

fn pages(setter: &Setter, report: &Report) -> usize {
    setter.pdf(report).unwrap().pages
}

#[test]
fn every_template_is_set_in_every_language() {
    let setter = setter();
    for template in TEMPLATES {
        for language in LANGUAGES {
            for analyses in
                [vec![analysis(1)], vec![seed_row()], vec![analysis(1), seed_row(), analysis(2)], Vec::new()]
            {
                let combined = analyses.len() != 1;
                let pdf = setter.pdf(&Report { language, combined, ..report(template, analyses) }).unwrap();
                assert!(pdf.bytes.starts_with(b"%PDF-") && pdf.pages > 0, "{template:?} {language:?}");
            }
        }
    }
}

#[test]
fn a_summary_of_one_analysis_is_one_page_whatever_is_in_it() {
    let setter = setter();
    let mut heavy = analysis(1);
    heavy.filename = Some("name ".repeat(4000));
    heavy.metrics.defects = Some((0..200).map(|n| Defect { x: n, ..defect() }).collect());
    heavy.metrics.severity = Some("high".to_owned());
    for one in [analysis(1), seed_row(), heavy] {
        for language in LANGUAGES {
            assert_eq!(pages(&setter, &Report { language, ..of_one(Template::Summary, one.clone()) }), 1);
        }
    }
}

#[test]
fn more_is_said_the_more_is_asked_for() {
    let setter = setter();
    let [summary, standard, detailed] = TEMPLATES.map(|t| pages(&setter, &of_one(t, analysis(1))));
    assert!(summary < standard && standard < detailed, "{summary} {standard} {detailed}");
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let one = of_one(Template::Standard, analysis(1));
    let first = setter().pdf(&one).unwrap().bytes;
    let other = setter();
    // Something else in between: nothing of it may be left behind.
    other.pdf(&of_one(Template::Detailed, seed_row())).unwrap();
    assert!(first == other.pdf(&one).unwrap().bytes);
    let later = Report { generated_at: moment() + Duration::hours(1), ..one };
    assert!(first != other.pdf(&later).unwrap().bytes);
}

#[test]
fn the_file_says_what_it_is() {
    let says = |language| {
        let pdf = setter().pdf(&Report { language, ..of_one(Template::Standard, analysis(1)) }).unwrap();
        String::from_utf8_lossy(&pdf.bytes).into_owned()
    };
    let (english, norwegian) = (says(Language::En), says(Language::No));
    assert!(english.contains("Coating inspection report") && english.contains("<rdf:li>en</rdf:li>"));
    assert!(norwegian.contains("<rdf:li>nb</rdf:li>"));
    for text in [english, norwegian] {
        assert!(text.contains("<pdfuaid:part>1</pdfuaid:part>"), "not marked as accessible");
        assert!(text.contains("/Outlines") && text.contains("/StructTreeRoot"));
    }
}

#[test]
fn text_of_others_is_text_and_breaks_nothing() {
    let setter = setter();
    let plain = pages(&setter, &of_one(Template::Detailed, analysis(1)));
    for hostile in [
        "#panic(\"no\")",
        "#eval(\"1/0\") $ \\ ` * _ @preview <label> [ ]) }",
        "<script>alert(1)</script>&amp;",
        "שלום \u{202E}evil\u{202C} مرحبا",
        "🎨👩‍🔧🏳️‍🌈 \u{1F9FF}",
        "漢字 \u{E000} \u{FFFF} \u{10FFFF} \u{FEFF} \u{301}\u{301}\u{301}",
        "a\0b\u{7}c\u{1B}[31m\r\n\td\u{85}",
        &"x".repeat(10_000),
        &"word ".repeat(2_000),
        &"\u{301}".repeat(10_000),
        "",
        " \u{200B} ",
        "../../../..",
    ] {
        let mut one = analysis(1);
        one.id = hostile.to_owned();
        one.filename = Some(hostile.to_owned());
        one.metrics.label = Some(hostile.to_owned());
        one.metrics.model_version = Some(hostile.to_owned());
        one.metrics.severity = Some(hostile.to_owned());
        one.metrics.profile = Some(hostile.to_owned());
        one.metrics.defects = Some(vec![Defect { class: hostile.to_owned(), ..defect() }]);
        let mut report = of_one(Template::Detailed, one.clone());
        report.job_id = hostile.to_owned();
        setter.pdf(&report).unwrap();
        let standard = pages(&setter, &of_one(Template::Standard, one));
        assert!(
            standard <= plain + 1,
            "{standard} pages for {:?}",
            hostile.chars().take(20).collect::<String>()
        );
    }
}

#[test]
fn figures_that_are_none_are_set() {
    let setter = setter();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
        let mut one = analysis(1);
        one.metrics.cqi = Some(bad);
        one.metrics.coverage_percent = Some(bad);
        one.metrics.confidence = Some(bad);
        one.metrics.defects =
            Some(vec![Defect { x: u32::MAX, width: u32::MAX, area_percent: bad, delta_e: bad, ..defect() }]);
        one.metrics.width = Some(0);
        one.lightness = Some(Vec::new());
        setter.pdf(&of_one(Template::Detailed, one.clone())).unwrap();
        setter.pdf(&report(Template::Standard, vec![one, analysis(2)])).unwrap();
    }
}

#[test]
fn pictures_that_are_none_are_left_out() {
    let mut one = analysis(1);
    one.photograph.as_mut().unwrap().bytes = [].into();
    one.overlay = None;
    assert!(pages(&setter(), &of_one(Template::Standard, one)) >= 2);
}

#[test]
fn many_analyses_make_one_document() {
    let report = report(Template::Standard, (0..60).map(analysis).collect());
    let pdf = setter().pdf(&report).unwrap();
    assert!((60..200).contains(&pdf.pages), "{} pages", pdf.pages);
}

fn defect() -> Defect {
    analysis(1).metrics.defects.unwrap().remove(0)
}
