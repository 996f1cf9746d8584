//! How much memory setting a report takes, at most: for whoever sets several side by side.
//!
//! typst holds the whole document, and every step of its layout, until the file is written; nothing of it can be given
//! back earlier. What it takes grows with the boxes on the pages, so with analyses and the defects that are shown of
//! them. Measured with the built-in templates (`benches/reports`), plus a quarter.

use crate::model::{Report, Template};

/// The templates' own, and tables of typst that do not shrink again.
const BASE: u64 = 48 << 20;
/// Times that the files of the pictures are held: in the report, in the document, in its parts when it is written, and
/// in the file, which may have grown to twice its size.
const PICTURE_COPIES: u64 = 5;
/// Defects of one analysis that are drawn or listed.
const SHOWN_DEFECTS: usize = 200;

/// Bytes that [`super::Setter::pdf`] takes for `report`, the report's own pictures among them, at most. A template of
/// the operator's own may take more.
#[must_use]
pub fn memory_bound(report: &Report) -> u64 {
    let (per_analysis, per_defect): (u64, u64) = match report.template {
        Template::Summary => (160 << 10, 0),
        Template::Standard => (3 << 20, 8 << 10),
        Template::Detailed => (4 << 20, 20 << 10),
    };
    let defects: usize = report
        .analyses
        .iter()
        .filter_map(|one| Some(one.metrics.defects.as_ref()?.len().min(SHOWN_DEFECTS)))
        .sum();
    let pictures: usize = report
        .analyses
        .iter()
        .flat_map(|one| [&one.photograph, &one.overlay])
        .flatten()
        .map(|picture| picture.bytes.len())
        .sum();
    BASE + per_analysis * report.analyses.len() as u64
        + per_defect * defects as u64
        + PICTURE_COPIES * pictures as u64
}
