//! From a row of `analyses` to what the report's templates see. A row may have been written by others than the worker:
//! what is missing, of a wrong type or outside what it can be counts as not measured, and nothing in it makes a report fail.

use std::collections::BTreeMap;

use forgeos_core::UserId;
use forgeos_core::db::report_sources::SourceAnalysis;
use forgeos_reporting::model::{Analysis, Capture, Defect, LeftOut, Metrics};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};
use uuid::Uuid;

use super::failure::ReportFailure;

/// Most defects of one analysis that are taken from a row: more than the worker writes.
const MAX_DEFECTS: usize = 500;

/// How deep metrics are looked into for what can be read: a number of a defect of the list of defects.
const MAX_DEPTH: u8 = 3;

/// The analysis without its pictures, or why it cannot be reported on.
pub(super) fn analysis(
    source: Option<&SourceAnalysis>,
    owner: Option<UserId>,
) -> Result<Analysis, ReportFailure> {
    let source = source.ok_or_else(ReportFailure::not_found)?;
    let metrics = source.metrics.as_deref().and_then(|text| readable(text, MAX_DEPTH));
    if source.status != "completed" {
        return Err(ReportFailure::of_status(&source.status, metrics.as_ref()));
    }
    Ok(Analysis {
        id: source.id.to_string(),
        job_id: source.job_id.map(|id| id.to_string()),
        created_at: source.created_at,
        filename: source.filename.as_deref().map(|name| own_name(name, owner).to_owned()),
        metrics: metrics_of(metrics).without_the_impossible(),
        photograph: None,
        overlay: None,
        overlay_needs_key: false,
        lightness: None,
    })
}

/// JSON without what cannot be read of it: PostgreSQL keeps numbers that are beyond every `double precision`.
fn readable(text: &str, depth: u8) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let below = depth.checked_sub(1)?;
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        let fields = fields.into_iter().filter_map(|(key, raw)| Some((key, readable(raw.get(), below)?)));
        return Some(Value::Object(fields.collect()));
    }
    let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(Value::Array(list.into_iter().filter_map(|raw| readable(raw.get(), below)).collect()))
}

/// What the report tells of an analysis that is not in it.
pub(super) fn left_out(
    source: Option<&SourceAnalysis>,
    owner: Option<UserId>,
    id: Uuid,
    failure: &ReportFailure,
) -> LeftOut {
    LeftOut {
        analysis_id: id.to_string(),
        filename: source
            .and_then(|source| source.filename.as_deref())
            .map(|name| own_name(name, owner).to_owned()),
        status: source.map(|source| source.status.clone()),
        code: failure.code.as_str().to_owned(),
        message: failure.message.clone(),
    }
}

/// A file name without the folder that says whose it is.
fn own_name(name: &str, owner: Option<UserId>) -> &str {
    owner
        .and_then(|user| name.strip_prefix(&user.to_string())?.strip_prefix('/'))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name)
}

fn metrics_of(value: Option<Value>) -> Metrics {
    let Some(Value::Object(mut object)) = value else { return Metrics::default() };
    let defects = object.remove("defects");
    let capture = object.remove("capture");
    Metrics {
        defects: defects.and_then(defects_of),
        capture: capture.and_then(|capture| match capture {
            Value::Object(object) => Some(what_fits::<Capture>(object)),
            _ => None,
        }),
        ..what_fits(object)
    }
}

fn defects_of(value: Value) -> Option<Vec<Defect>> {
    let Value::Array(list) = value else { return None };
    let readable = list.into_iter().filter_map(|defect| serde_json::from_value::<Defect>(defect).ok());
    Some(readable.take(MAX_DEFECTS).collect())
}

/// Reads what can be read, key by key: one wrong value costs itself only.
fn what_fits<T: DeserializeOwned + Serialize + Default>(object: Map<String, Value>) -> T {
    let fits = |key: &str, value: &Value| {
        serde_json::from_value::<T>(Value::Object(Map::from_iter([(key.to_owned(), value.clone())]))).is_ok()
    };
    let readable: Map<String, Value> = object
        .into_iter()
        .filter_map(|(key, value)| {
            if fits(&key, &value) {
                return Some((key, value));
            }
            // A count that was written as `12.0`.
            let whole =
                value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..9e15).contains(number))?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole and in range
            let whole = Value::from(whole as u64);
            fits(&key, &whole).then_some((key, whole))
        })
        .collect();
    serde_json::from_value(Value::Object(readable)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::Utc;
    use forgeos_core::ErrorCode;
    use serde_json::json;

    use super::*;

    fn source(status: &str, metrics: &Value) -> SourceAnalysis {
        SourceAnalysis {
            id: Uuid::from_u128(1),
            job_id: None,
            created_at: Some(Utc::now()),
            status: status.to_owned(),
            filename: Some(format!("{}/bridge.jpg", Uuid::from_u128(9))),
            output_filename: None,
            metrics: Some(metrics.to_string()),
        }
    }

    #[test]
    fn a_wrong_value_counts_as_not_measured_and_costs_itself_only() {
        let metrics = metrics_of(Some(json!({
            "cvi": "high", "cqi": 0.5, "defects_detected": 12.0, "severity": 7, "confidence": null, "width": -3,
            "coverage_percent": 99, "unknown": [1],
            "defects": [{"class": "rust"}, 3, {"class": "rust", "x": 1, "y": 2, "width": 3, "height": 4,
                         "area_percent": 0.5, "delta_e": 9.0}],
            "capture": {"sharpness": 0.5, "glare_percent": "much"},
        })));
        assert_eq!((metrics.cvi, metrics.cqi, metrics.coverage_percent), (None, Some(0.5), Some(99.0)));
        assert_eq!((metrics.defects_detected, metrics.severity, metrics.width), (Some(12), None, None));
        assert_eq!(metrics.defects.map(|list| list.len()), Some(1));
        let capture = metrics.capture.unwrap();
        assert_eq!((capture.sharpness, capture.glare_percent), (Some(0.5), None));
        for odd in [json!(null), json!([]), json!("x"), json!({"defects": 3, "capture": []})] {
            assert_eq!(metrics_of(Some(odd)), Metrics::default());
        }
    }

    #[test]
    fn a_figure_that_cannot_be_counts_as_not_measured() {
        let metrics = json!({
            "cvi": 71.3, "cqi": 1, "coverage_percent": -5, "edge_coverage_ratio": 1e308, "confidence": 7,
            "roi_percent": 100, "capture": {"glare_percent": 101, "sharpness": 0},
        });
        let metrics = analysis(Some(&source("completed", &metrics)), None).unwrap().metrics;
        assert_eq!((metrics.cvi, metrics.edge_coverage_ratio, metrics.confidence), (None, None, None));
        assert_eq!((metrics.coverage_percent, metrics.roi_percent), (None, Some(100.0)));
        assert_eq!(metrics.cqi, Some(1.0));
        assert_eq!(metrics.capture, Some(Capture { sharpness: Some(0.0), ..Capture::default() }));
    }

    #[test]
    fn a_number_beyond_every_range_costs_itself_only() {
        let defect = |area: &str| {
            format!(
                "{{\"class\": \"rust\", \"x\": 1, \"y\": 2, \"width\": 3, \"height\": 4, \
                  \"area_percent\": {area}, \"delta_e\": 9}}"
            )
        };
        // As PostgreSQL prints 1e400.
        let huge = format!("1{}", "0".repeat(400));
        let text = format!(
            "{{\"cqi\": 0.5, \"coverage_percent\": {huge}, \"defects\": [{}, {}], \
              \"capture\": {{\"sharpness\": {huge}, \"glare_percent\": 2}}}}",
            defect("0.5"),
            defect(&huge)
        );
        let source = SourceAnalysis { metrics: Some(text), ..source("completed", &json!({})) };
        let metrics = analysis(Some(&source), None).unwrap().metrics;
        assert_eq!((metrics.cqi, metrics.coverage_percent), (Some(0.5), None));
        assert_eq!(metrics.defects.map(|list| list.len()), Some(1));
        let capture = metrics.capture.unwrap();
        assert_eq!((capture.sharpness, capture.glare_percent), (None, Some(2.0)));
    }

    #[test]
    fn metrics_that_no_parser_takes_are_none() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
        let source = SourceAnalysis { metrics: Some(deep), ..source("completed", &json!({})) };
        assert_eq!(analysis(Some(&source), None).unwrap().metrics, Metrics::default());
    }

    #[test]
    fn only_what_is_there_and_completed_is_reported_on() {
        assert_eq!(analysis(None, None).unwrap_err().code, ErrorCode::NotFound);
        let open = analysis(Some(&source("processing", &json!({}))), None).unwrap_err();
        assert_eq!(open.code, ErrorCode::DependencyFailed);
        let me = UserId(Uuid::from_u128(9));
        let mine = analysis(Some(&source("completed", &json!({"cqi": 1}))), Some(me)).unwrap();
        assert_eq!((mine.filename.as_deref(), mine.metrics.cqi), (Some("bridge.jpg"), Some(1.0)));
    }
}
