//! What templates see: the report as JSON, in the report's language, with every text made safe to set. Figures come
//! twice: as numbers to draw with and as text to show. Nothing is measured or judged here.

mod analysis;
mod batch;
#[cfg(test)]
mod documented;
mod figures;
mod matter;

use super::text::Settable;
use crate::language::{date, date_time, words};
use crate::model::{Language, Picture, Report, Template};
use crate::rules::Rules;
use serde_json::{Map, Value, json};

/// What of a report one document holds.
pub(super) enum Extent<'a> {
    /// All of it.
    Whole,
    /// All but the sections of its analyses: for each of them as many pages, with nothing but heading, header and footer.
    Frame {
        /// Pages of every section.
        pages: &'a [usize],
    },
    /// The sections of some analyses and nothing else, neither header nor footer.
    Sections {
        /// The place of the first in the whole report, from 0.
        first: usize,
    },
}

/// What a view is made with, the same for all reports.
pub(super) struct House<'a> {
    /// Makes text fit for the fonts.
    pub(super) settable: Settable<'a>,
    /// What is recommended, and when.
    pub(super) rules: &'a Rules,
    /// Whether the operator's folder holds a `logo.svg`.
    pub(super) logo: bool,
}

/// The report as its template sees it.
pub(super) fn view(report: &Report, house: &House<'_>, extent: &Extent<'_>) -> Value {
    let settable = &house.settable;
    let language = report.language;
    let words = words(language);
    let flat: Map<String, Value> = words.entries().map(|(key, word)| (key.to_owned(), json!(word))).collect();
    let combined = report.combined || report.analyses.len() != 1;
    let title = if combined { "report.title_combined" } else { "report.title" };
    let (first, whole) = match extent {
        Extent::Sections { first } => (*first, false),
        Extent::Whole | Extent::Frame { .. } => (0, true),
    };
    json!({
        "template": report.template,
        "extent": match extent {
            Extent::Whole => "whole",
            Extent::Frame { .. } => "frame",
            Extent::Sections { .. } => "sections",
        },
        "lang": match language { Language::En => "en", Language::No => "nb" },
        "decimal_mark": match language { Language::En => ".", Language::No => "," },
        "words": flat,
        "title": words.get(title),
        "kind": words.get(match report.template {
            Template::Summary => "report.template_summary",
            Template::Standard => "report.template_standard",
            Template::Detailed => "report.template_detailed",
        }),
        "logo": house.logo.then_some("/logo.svg"),
        "job_id": settable.text(&report.job_id),
        "generated": date_time(language, report.generated_at),
        "generated_date": date(language, report.generated_at),
        "combined": combined,
        "include_recommendations": report.include_recommendations,
        "analyses": report
            .analyses
            .iter()
            .enumerate()
            .map(|(index, analysis)| match extent {
                Extent::Frame { pages } => analysis::line(report, index, analysis, house, pages[index]),
                Extent::Whole | Extent::Sections { .. } => {
                    analysis::view(report, index, analysis, house, first)
                }
            })
            .collect::<Vec<_>>(),
        "batch": if combined && whole { batch::view(report) } else { Value::Null },
        "left_out": matter::left_out(report, settable),
        "matter": if whole { matter::view(report, house.rules) } else { Value::Null },
    })
}

/// A picture that has a file: one without is only linked to, in tables.
pub(super) fn shown(picture: &Option<Picture>) -> Option<&Picture> {
    picture.as_ref().filter(|picture| !picture.bytes.is_empty())
}
