//! What templates see: the report as JSON, with text made safe to set.

use super::fonts::Fonts;
use super::text::settable;
use crate::model::{Analysis, Report};
use serde_json::{Value, json};

/// The report as its template sees it.
pub(super) fn view(report: &Report, fonts: &Fonts) -> Value {
    json!({
        "template": report.template,
        "language": report.language,
        "job_id": settable(&report.job_id, fonts),
        "generated_at": report.generated_at.to_rfc3339(),
        "combined": report.combined,
        "analyses": report.analyses.iter().enumerate().map(|(i, a)| analysis(i, a, fonts)).collect::<Vec<_>>(),
    })
}

fn analysis(index: usize, analysis: &Analysis, fonts: &Fonts) -> Value {
    json!({
        "id": settable(&analysis.id, fonts),
        "filename": analysis.filename.as_deref().map(|name| settable(name, fonts)),
        "metrics": analysis.metrics,
        "photograph": analysis.photograph.as_ref().map(|p| picture_name(index, "photograph", p.extension)),
        "overlay": analysis.overlay.as_ref().map(|p| picture_name(index, "overlay", p.extension)),
    })
}

/// The pictures of `report` under the names that the JSON gives them.
pub(super) fn pictures(report: &Report) -> impl Iterator<Item = (String, &[u8])> {
    report.analyses.iter().enumerate().flat_map(|(index, analysis)| {
        [(&analysis.photograph, "photograph"), (&analysis.overlay, "overlay")].into_iter().filter_map(
            move |(picture, role)| {
                let picture = picture.as_ref()?;
                Some((picture_name(index, role, picture.extension), picture.bytes.as_slice()))
            },
        )
    })
}

fn picture_name(index: usize, role: &str, extension: &str) -> String {
    format!("pictures/{index}-{role}.{extension}")
}
