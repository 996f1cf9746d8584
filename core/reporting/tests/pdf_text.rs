//! What is written on the pages, read out of the finished files: every template in both languages.
#![allow(clippy::unwrap_used)]

#[path = "pdf_support/mod.rs"]
mod support;

use forgeos_reporting::model::{Language, Measured, Metrics, Report, Template};
use support::{analysis, report, seed_row, setter};

/// The words of each page, one line of the page a line.
fn words(report: &Report) -> String {
    let pdf = setter().pdf(report).unwrap();
    let file = lopdf::Document::load_mem(&pdf.bytes).unwrap();
    let mut words = String::new();
    for page in file.get_pages().keys() {
        words.push_str(&format!("--- page {page}\n"));
        for line in
            file.extract_text(&[*page]).unwrap().lines().map(str::trim).filter(|line| !line.is_empty())
        {
            words.push_str(line);
            words.push('\n');
        }
    }
    words
}

fn of(template: Template, language: Language, combined: bool) -> Report {
    let analyses = if combined { vec![analysis(1), seed_row(), analysis(2)] } else { vec![analysis(1)] };
    Report { language, combined, ..report(template, analyses) }
}

#[test]
fn each_template_says_what_it_said_before_in_english() {
    insta::assert_snapshot!("summary_en", words(&of(Template::Summary, Language::En, false)));
    insta::assert_snapshot!("standard_en", words(&of(Template::Standard, Language::En, false)));
    insta::assert_snapshot!("detailed_en", words(&of(Template::Detailed, Language::En, false)));
    insta::assert_snapshot!("combined_en", words(&of(Template::Standard, Language::En, true)));
}

#[test]
fn each_template_says_what_it_said_before_in_norwegian() {
    insta::assert_snapshot!("summary_no", words(&of(Template::Summary, Language::No, false)));
    insta::assert_snapshot!("standard_no", words(&of(Template::Standard, Language::No, false)));
    insta::assert_snapshot!("detailed_no", words(&of(Template::Detailed, Language::No, false)));
    insta::assert_snapshot!("combined_no", words(&of(Template::Standard, Language::No, true)));
}

/// The words on the pages as one line, words that were cut at the end of a line put together.
fn running(report: &Report) -> String {
    words(report).replace("\n-\n", "").replace('\n', " ")
}

fn of_metrics(template: Template, changed: impl Fn(&mut Metrics)) -> Report {
    let mut one = analysis(1);
    changed(&mut one.metrics);
    Report { analyses: vec![one.clone(), one], ..of(template, Language::En, true) }
}

#[test]
fn defects_that_were_counted_and_not_listed_are_not_told_as_none() {
    let from_before = of_metrics(Template::Standard, |metrics| metrics.defects = None);
    let said = running(&from_before);
    assert!(
        said.contains("The list of defects was not recorded.") && !said.contains("No defects found"),
        "{said}"
    );
    let empty = of_metrics(Template::Standard, |metrics| metrics.defects = Some(Vec::new()));
    assert!(!running(&empty).contains("No defects found"));
    let none = of_metrics(Template::Standard, |metrics| {
        metrics.defects = Some(Vec::new());
        metrics.defects_detected = Some(0);
    });
    assert!(running(&none).contains("No defects found"));
    let unknown = of_metrics(Template::Summary, |metrics| {
        metrics.defects = None;
        metrics.defects_detected = None;
    });
    let said = running(&unknown);
    assert!(said.contains("Defects not measured") && !said.contains("No defects found"), "{said}");
}

#[test]
fn listed_defects_of_another_class_and_those_not_listed_are_told_of() {
    let report = of_metrics(Template::Summary, |metrics| {
        metrics.defects_detected = Some(9);
        if let Some(defects) = &mut metrics.defects {
            defects[0].class = "scratch".to_owned();
        }
    });
    let said = running(&report);
    assert!(said.contains("Other") && said.contains("Of the 4 listed defects; 18 were counted."), "{said}");
}

#[test]
fn ids_and_names_of_files_are_written_as_they_are() {
    let name = "NORDKAI-bru-0417_akse-12_vest_fotoserie-2026-11-21_kamera-B.jpeg";
    for template in [Template::Summary, Template::Standard] {
        let mut report = of_metrics(template, |_| ());
        report.analyses[0].filename = Some(name.to_owned());
        let whole: String = words(&report).split_whitespace().collect();
        assert!(whole.contains(name), "{whole}");
        assert!(words(&report).contains(&report.job_id));
    }
}

#[test]
fn figures_of_the_reference_profile_are_told_as_such() {
    let mut report = of_metrics(Template::Standard, |_| ());
    report.analyses[0].metrics.profile = Some("reference".to_owned());
    assert!(running(&report).contains("1 of 2 analyses are of the reference profile"));
    for template in [Template::Summary, Template::Standard] {
        let alone = Report {
            combined: false,
            analyses: vec![report.analyses[0].clone()],
            ..of(template, Language::En, false)
        };
        let said = running(&alone);
        assert!(said.contains("earlier indices over the whole picture"), "{said}");
        assert!(!said.contains("judged area that carries"), "{said}");
    }
}

#[test]
fn the_first_page_says_what_was_left_out_and_where() {
    for template in [Template::Summary, Template::Standard, Template::Detailed] {
        let report = Report { template, ..of(template, Language::En, true) };
        let said = words(&report);
        let first = said.split("--- page 2").next().unwrap();
        let told = first.replace('\n', " ").split_once("1 analysis was left out").unwrap().1.to_owned();
        // On the same page it needs no number.
        let place = match told.strip_prefix(", see page ") {
            Some(page) => {
                said.split(&format!("--- page {}\n", page.split(' ').next().unwrap())).nth(1).unwrap()
            }
            None => first,
        };
        assert!(place.contains("There is no analysis with this ID."), "{said}");
    }
}

#[test]
fn a_photograph_that_was_asked_for_and_is_not_there_is_told_of() {
    for template in [Template::Summary, Template::Standard, Template::Detailed] {
        for include_images in [true, false] {
            let mut report = Report { include_images, ..of(template, Language::En, false) };
            report.analyses[0].photograph = None;
            report.analyses[0].overlay = None;
            let said = running(&report);
            assert_eq!(said.contains("The photograph could not be found"), include_images, "{said}");
        }
    }
}

#[test]
fn one_analysis_of_a_combined_report_needs_no_contents() {
    let mut report = of(Template::Standard, Language::En, true);
    assert!(running(&report).contains(" Contents "));
    report.analyses.truncate(1);
    assert!(!running(&report).contains(" Contents "));
}

#[test]
fn nothing_to_recommend_is_told_apart_from_nothing_known() {
    let none = "No action is recommended";
    let sound = |metrics: &mut Metrics| {
        metrics.severity = Some("low".to_owned());
        metrics.defects_detected = Some(0);
        metrics.defects = Some(Vec::new());
        metrics.edge_coverage_ratio = Some(1.0);
        metrics.coverage_percent = Some(100.0);
        (metrics.label, metrics.measured) = (None, None);
    };
    assert!(running(&of_metrics(Template::Standard, sound)).contains(none));
    let empty = of_metrics(Template::Standard, |metrics| *metrics = Metrics::default());
    let weak = of_metrics(Template::Standard, |metrics| {
        sound(metrics);
        metrics.measured = Some(Measured { severity: Some("high".to_owned()), confidence: Some(0.4) });
    });
    for report in [empty, weak] {
        let said = running(&report);
        assert!(!said.contains(none) && said.contains("too uncertain for recommendations"), "{said}");
    }
}

#[test]
fn a_verdict_of_a_model_says_so_whether_it_is_milder_or_harsher() {
    for (severity, measured) in [("low", "high"), ("high", "low")] {
        let report = of_metrics(Template::Standard, |metrics| {
            metrics.severity = Some(severity.to_owned());
            metrics.measured = Some(Measured { severity: Some(measured.to_owned()), confidence: Some(0.9) });
        });
        let said = running(&report);
        let because = format!("It says “worn”; by the measured figures alone the severity is {measured}.");
        assert!(said.contains("rained model") && said.contains(&because), "{said}");
        assert!(!said.contains("The coating shows"), "{said}");
    }
}

#[test]
fn recommendations_say_how_soon() {
    let said = running(&of(Template::Summary, Language::En, false));
    assert!(said.contains("At next maintenance: Rust is seen on"), "{said}");
}

#[test]
fn what_is_recommended_is_said_once_and_its_page_named_on_the_first() {
    for template in [Template::Standard, Template::Detailed] {
        let said = running(&of(template, Language::En, false));
        assert_eq!(said.matches("Rust is seen on").count(), 1, "{said}");
        let first = said.split("--- page 2").next().unwrap();
        assert!(first.contains("At next maintenance: 5") && first.contains("see page 2"), "{first}");
    }
}

#[test]
fn names_that_no_font_can_draw_are_told_apart() {
    let mut report = of_metrics(Template::Standard, |_| ());
    for (analysis, (name, id)) in report.analyses.iter_mut().zip([("塗装.jpg", "1"), ("検査.jpg", "2")]) {
        analysis.filename = Some(name.to_owned());
        analysis.id = format!("0193f1a2-7c40-7e3b-9a51-22221111000{id}");
    }
    let said = words(&report);
    for end in ["1", "2"] {
        // Contents and heading.
        let shown = format!("□□.jpg (…1111000{end})");
        assert!(said.matches(&shown).count() >= 2, "{shown}: {said}");
    }
    assert!(!running(&of_metrics(Template::Standard, |_| ())).contains("jpg ("));
}

#[test]
fn no_date_is_made_up_where_none_is_recorded() {
    for (template, language, none) in [
        (Template::Standard, Language::En, "No date recorded"),
        (Template::Detailed, Language::No, "Dato ikke lagret"),
    ] {
        let mut report = of(template, language, true);
        report.analyses.iter_mut().for_each(|analysis| analysis.created_at = None);
        let said = running(&report);
        assert_eq!(said.matches(none).count(), report.analyses.len(), "{said}");
        assert!(!said.contains("1970") && !said.contains("9999"), "{said}");
    }
}

#[test]
fn shares_of_coverage_in_a_column_have_the_same_decimals() {
    let mut report = of_metrics(Template::Standard, |metrics| metrics.coverage_percent = Some(98.9));
    report.analyses[1].metrics.coverage_percent = Some(100.0);
    let said = words(&report);
    let contents = said.split("Contents").nth(1).unwrap().split("--- page").next().unwrap();
    assert!(contents.contains("98.90%") && contents.contains("100.00%"), "{contents}");
}
