//! A report as CSV, for scripts: one row an analysis, under the same header in every language and release (columns are
//! only ever added at the end).
//!
//! RFC 4180, UTF-8 without a mark, decimal points, times in UTC; a cell is empty where nothing was measured. Text is
//! made harmless for spreadsheets. Left-out analyses, words for people and statistics do not stand here.

use forgeos_tables::{Cell, csv};

use crate::{
    model::{Analysis, Picture, Report},
    rules::verdict,
};

/// The header.
pub const COLUMNS: [&str; 29] = [
    "analysis_id",
    "job_id",
    "created_at",
    "filename",
    "cvi",
    "cqi",
    "coverage_percent",
    "edge_coverage_ratio",
    "defects_detected",
    "severity",
    "confidence",
    "processing_time_ms",
    "profile",
    "sensitivity",
    "width",
    "height",
    "roi_percent",
    "largest_defect_class",
    "largest_defect_percent",
    "glare_percent",
    "clipped_percent",
    "sharpness",
    "lighting_evenness",
    "model_version",
    "label",
    "probability",
    "photograph_url",
    "overlay_url",
    "verdict",
];

/// The whole file.
#[must_use]
pub fn csv(report: &Report) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 * (report.analyses.len() + 1));
    csv::header(&mut out, COLUMNS);
    for analysis in &report.analyses {
        csv::row(&mut out, cells(analysis));
    }
    out
}

fn cells(analysis: &Analysis) -> [Cell<'_>; COLUMNS.len()] {
    let metrics = &analysis.metrics;
    let capture = metrics.capture.clone().unwrap_or_default();
    // The list is kept largest first.
    let largest = metrics.defects.as_ref().and_then(|defects| defects.first());
    [
        Cell::Text(&analysis.id),
        analysis.job_id.as_deref().into(),
        analysis.created_at.into(),
        analysis.filename.as_deref().into(),
        measured(metrics.cvi),
        measured(metrics.cqi),
        measured(metrics.coverage_percent),
        measured(metrics.edge_coverage_ratio),
        metrics.defects_detected.into(),
        metrics.severity.as_deref().into(),
        measured(metrics.confidence),
        metrics.processing_time_ms.into(),
        metrics.profile.as_deref().into(),
        metrics.sensitivity.as_deref().into(),
        metrics.width.into(),
        metrics.height.into(),
        measured(metrics.roi_percent),
        largest.map(|defect| defect.class.as_str()).into(),
        measured(largest.map(|defect| defect.area_percent)),
        measured(capture.glare_percent),
        measured(capture.clipped_percent),
        measured(capture.sharpness),
        measured(capture.lighting_evenness),
        metrics.model_version.as_deref().into(),
        metrics.label.as_deref().into(),
        measured(metrics.probability),
        url(analysis.photograph.as_ref()),
        url(analysis.overlay.as_ref()),
        verdict(metrics).as_str().into(),
    ]
}

/// A number that is none was not measured.
fn measured(number: Option<f64>) -> Cell<'static> {
    number.filter(|number| number.is_finite()).into()
}

fn url(picture: Option<&Picture>) -> Cell<'_> {
    picture.and_then(|picture| picture.url.as_deref()).into()
}
