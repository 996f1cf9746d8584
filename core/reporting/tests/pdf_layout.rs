//! How what is said is spread over pages: a summary is one page, no heading stands alone at the foot of a page, and no
//! page is left nearly empty.
#![allow(clippy::unwrap_used)]

#[path = "pdf_support/mod.rs"]
mod support;

use forgeos_reporting::model::{Analysis, Defect, Language, LeftOut, Report, Template};
use forgeos_reporting::pdf::Setter;
use lopdf::Document;
use support::{analysis, of_one, report, seed_row, setter};

/// Fewer words than that between header and footer are a page nearly empty.
const FEWEST_WORDS: usize = 30;

/// Beginnings of headings in both languages that belong to what follows them.
const HEADINGS: [&str; 20] = [
    "Key figures",
    "Statistics",
    "Contents",
    "Needs attention first",
    "Left out",
    "Analyses",
    "Recommendations",
    "Glossary",
    "Settings",
    "Standards referred to",
    "Nøkkeltall",
    "Statistikk",
    "Innhold",
    "Bør følges opp først",
    "Utelatt",
    "Analyser",
    "Anbefalinger",
    "Ordliste",
    "Innstillinger",
    "Standarder det vises til",
];

/// The lines of each page between header and footer.
fn pages(setter: &Setter, report: &Report) -> Vec<Vec<String>> {
    let pdf = setter.pdf(report).unwrap();
    let file = Document::load_mem(&pdf.bytes).unwrap();
    let footer = match report.language {
        Language::En => "Job ",
        Language::No => "Jobb ",
    };
    (1..=pdf.pages as u32)
        .map(|page| {
            let text = file.extract_text(&[page]).unwrap();
            let lines: Vec<String> =
                text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
            let end = lines.iter().rposition(|line| line.starts_with(footer)).unwrap();
            // The house; and from the second page on the title, a dot and the date.
            lines[if page == 1 { 1 } else { 4 }..end].to_vec()
        })
        .collect()
}

fn without_pictures(number: u32) -> Analysis {
    Analysis { photograph: None, overlay: None, ..analysis(number) }
}

fn several(template: Template, language: Language, count: u32, left_out: usize) -> Report {
    let one =
        LeftOut { analysis_id: "9d2e7b31-52a8-4f60-b0cb-0b7b3a7c2f02".to_owned(), ..LeftOut::default() };
    let one = LeftOut { code: "not_found".to_owned(), ..one };
    Report {
        language,
        include_images: false,
        left_out: vec![one; left_out],
        ..report(template, (0..count).map(without_pictures).collect())
    }
}

/// More defects than a page holds, of every class.
fn heavy() -> Analysis {
    let mut heavy = analysis(2);
    let classes = ["rust", "flake", "blister", "crack", "streak", "bead"];
    let defects = (0..60_u32).map(|n| Defect {
        class: classes[n as usize % 6].to_owned(),
        x: n * 37 % 700,
        y: n * 53 % 500,
        width: 40,
        height: 30,
        area_percent: 1.5 / f64::from(n + 1),
        delta_e: 12.0,
    });
    heavy.metrics.defects = Some(defects.collect());
    heavy.metrics.defects_detected = Some(60);
    heavy
}

#[test]
fn a_summary_of_several_is_one_page() {
    let setter = setter();
    for (count, left_out) in [(2, 0), (3, 2), (8, 3), (30, 0), (300, 3)] {
        let report = several(Template::Summary, Language::No, count, left_out);
        let pages = pages(&setter, &report);
        assert_eq!(pages.len(), 1, "{count} analyses, {left_out} left out");
        let said = pages[0].join(" ");
        assert!(said.contains("Bør følges opp først") && said.contains("panel-"), "{said}");
        assert_eq!(said.matches("Det finnes ingen analyse").count(), left_out, "{said}");
    }
}

#[test]
fn no_page_is_nearly_empty_and_no_heading_is_left_behind() {
    let setter = setter();
    let mut reports = Vec::new();
    for template in [Template::Standard, Template::Detailed] {
        for (language, count) in [(Language::En, 3), (Language::No, 5), (Language::En, 8), (Language::No, 13)]
        {
            reports.push(several(template, language, count, 2));
        }
        for one in [analysis(1), heavy(), without_pictures(1), seed_row()] {
            reports.push(Report { language: Language::No, ..of_one(template, one) });
        }
    }
    for report in reports {
        let pages = pages(&setter, &report);
        for (number, lines) in (1..).zip(&pages) {
            let of = format!(
                "{:?}, {} analyses, page {number} of {}: {lines:?}",
                report.template,
                report.analyses.len(),
                pages.len()
            );
            let words: usize = lines.iter().map(|line| line.split_whitespace().count()).sum();
            assert!(words >= FEWEST_WORDS, "{words} words, {of}");
            let last = lines.last().unwrap();
            assert!(!HEADINGS.contains(&last.as_str()), "{of}");
        }
    }
}

#[test]
fn a_few_analyses_have_their_charts_and_contents_on_one_page_and_more_on_two() {
    for (count, left_out, opening) in [(3, 2, 1), (8, 3, 1), (10, 0, 1), (12, 0, 1), (13, 0, 2), (30, 3, 2)] {
        let pages = pages(&setter(), &several(Template::Standard, Language::No, count, left_out));
        assert_eq!(pages.len(), opening + count as usize, "{count}");
        let has = |page: usize, heading: &str| pages[page].iter().any(|line| line == heading);
        assert!(has(0, "Statistikk") && has(opening - 1, "Innhold"), "{count}");
        assert!(left_out == 0 || has(opening - 1, "Utelatt"), "{count}");
        assert_eq!(has(0, "Bør følges opp først"), count > 12, "{count}");
    }
}

#[test]
fn axes_of_charts_are_named() {
    let page = &pages(&setter(), &several(Template::Summary, Language::No, 13, 0))[0];
    for name in ["Bilder", "CQI", "0,0", "1,0"] {
        assert!(page.iter().any(|line| line == name), "{name}: {page:?}");
    }
}
