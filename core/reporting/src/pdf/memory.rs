//! How much memory setting a report takes, at most: for whoever sets several side by side.
//!
//! typst holds the whole document, and every step of its layout, until the file is written; nothing of it can be given
//! back earlier. What it takes grows with the boxes on the pages, so with analyses and the defects that are shown of
//! them; of a report that is set in parts, with those of one part. Measured with the built-in templates
//! (`benches/reports`), plus a quarter.

use super::parts::PART;
use crate::model::{Analysis, Report, Template};

/// The templates' own, and tables of typst that do not shrink again.
const BASE: u64 = 48 << 20;
/// Times that the files of the pictures are held: in the report, in the document, in its parts when it is written, and
/// in the file, which may have grown to twice its size.
const PICTURE_COPIES: u64 = 5;
/// The same of those that are in no part just now: in the report and in the file.
const FINISHED_COPIES: u64 = 2;
/// What an analysis takes in the frame of a report in parts, and in the file besides its pictures.
const FRAMED: u64 = 500 << 10;
/// Defects of one analysis that are drawn or listed.
const SHOWN_DEFECTS: usize = 200;

/// Bytes that [`super::Setter::pdf`] takes for `report`, the report's own pictures among them, at most.
pub(super) fn bound(report: &Report, in_parts: bool) -> u64 {
    if !in_parts {
        return BASE + held(&report.analyses, report.template) + PICTURE_COPIES * pictures(&report.analyses);
    }
    let part = |analyses: &[Analysis]| {
        held(analyses, report.template) + (PICTURE_COPIES - FINISHED_COPIES) * pictures(analyses)
    };
    let largest = report.analyses.chunks(PART).map(part).max().unwrap_or(0);
    BASE + largest + FRAMED * report.analyses.len() as u64 + FINISHED_COPIES * pictures(&report.analyses)
}

/// What typst holds of so many analyses.
fn held(analyses: &[Analysis], template: Template) -> u64 {
    let (per_analysis, per_defect): (u64, u64) = match template {
        Template::Summary => (160 << 10, 0),
        Template::Standard => (3 << 20, 8 << 10),
        Template::Detailed => (4 << 20, 20 << 10),
    };
    let shown = |one: &Analysis| Some(one.metrics.defects.as_ref()?.len().min(SHOWN_DEFECTS) as u64);
    per_analysis * analyses.len() as u64 + per_defect * analyses.iter().filter_map(shown).sum::<u64>()
}

/// Bytes of the files of all pictures.
fn pictures(analyses: &[Analysis]) -> u64 {
    let all = analyses.iter().flat_map(|one| [&one.photograph, &one.overlay]).flatten();
    all.map(|picture| picture.bytes.len() as u64).sum()
}
