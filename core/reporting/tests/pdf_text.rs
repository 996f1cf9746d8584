//! What is written on the pages, read out of the finished files: every template in both languages.
#![allow(clippy::unwrap_used)]

#[path = "pdf_support/mod.rs"]
mod support;

use forgeos_reporting::model::{Language, Report, Template};
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
