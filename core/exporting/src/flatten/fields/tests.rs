#![allow(clippy::unwrap_used)]
use serde_json::{Value as Json, json};

use crate::{
    Audience, Cell, Dataset, EncodeError, Format, Selection,
    flatten::{Flattener, Value},
};

/// The flat columns that are not null, with their values as text.
fn flat(dataset: Dataset, column: &str, text: &str) -> Vec<(&'static str, String)> {
    try_flat(dataset, column, text).unwrap()
}

fn try_flat(dataset: Dataset, column: &str, text: &str) -> Result<Vec<(&'static str, String)>, EncodeError> {
    let selection = Selection::new(dataset, Audience::Service, Some(&[column.to_owned()])).unwrap();
    let columns = selection.columns(Format::Csv);
    let mut flattener = Flattener::new(&selection, columns);
    // A row before it must leave nothing behind.
    let full =
        json!({"cvi": 0.5, "label": "a\nb", "width": 3, "unknown": 1, "capture": {"sharpness": 1, "x": 1}});
    flattener.flatten(&[Cell::Json(&full.to_string())])?;
    let cells = [Cell::Json(text)];
    let record = flattener.flatten(&cells)?;
    let cells = columns.iter().filter_map(|column| {
        let text = match record.value(column) {
            Value::Null => return None,
            Value::Uuid(id) => id.to_string(),
            Value::Integer(number) | Value::Timestamp(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Boolean(value) => value.to_string(),
            Value::Text(text) => format!("'{text}'"),
            Value::Number(text) | Value::Json(text) | Value::TextList(text) => text.to_owned(),
        };
        Some((column.name, text))
    });
    Ok(cells.collect())
}

fn metrics(value: &Json) -> Vec<(&'static str, String)> {
    flat(Dataset::Analyses, "metrics", &value.to_string())
}

fn pairs(expected: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    expected.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
}

#[test]
fn keys_become_typed_columns_in_any_order() {
    let text = r#"{"severity": "low", "cvi": 0.8700, "width":4000 , "capture": {"sharpness": 1, "glare_percent": 0.5},
        "defects": [{"x": 1}], "label": "a\u00e6\n"}"#;
    let expected = [
        ("metrics_cvi", "0.8700"),
        ("metrics_severity", "'low'"),
        ("metrics_width", "4000"),
        ("metrics_label", "'aæ\n'"),
        ("metrics_capture_glare_percent", "0.5"),
        ("metrics_capture_sharpness", "1"),
        ("metrics_defects", r#"[{"x": 1}]"#),
    ];
    assert_eq!(flat(Dataset::Analyses, "metrics", text), pairs(&expected));
}

#[test]
fn what_is_not_known_or_of_a_wrong_type_is_left_over() {
    let text = r#"{"cvi": "high", "cqi": 0.5, "odd": [1, {"a": "}"}], "width": 1.5, "capture": {"iso": 100}, "error": 3}"#;
    let other =
        r#"{"cvi": "high", "odd": [1, {"a": "}"}], "width": 1.5, "capture": {"iso": 100}, "error": 3}"#;
    assert_eq!(
        flat(Dataset::Analyses, "metrics", text),
        pairs(&[("metrics_cqi", "0.5"), ("metrics_other", other)])
    );
    assert!(serde_json::from_str::<Json>(other).is_ok());
}

#[test]
fn json_that_is_no_object_is_left_over_whole() {
    for text in ["[1, 2]", "3", "\"a\"", "true"] {
        assert_eq!(flat(Dataset::Analyses, "metrics", text), pairs(&[("metrics_other", text)]));
    }
    assert_eq!(flat(Dataset::Analyses, "metrics", "null"), []);
    assert_eq!(flat(Dataset::Analyses, "metrics", "{}"), []);
}

#[test]
fn json_null_is_null_in_every_column() {
    assert_eq!(
        metrics(&json!({"cvi": null, "severity": null, "defects": null, "capture": null, "width": null})),
        []
    );
}

#[test]
fn whole_numbers_may_have_zeros_behind_the_point() {
    for (number, expected) in [
        ("3", Some("3")),
        ("3.0", Some("3")),
        ("-2.00", Some("-2")),
        ("9223372036854775807", Some("9223372036854775807")),
        ("9223372036854775808", None),
        ("3.1", None),
        ("true", None),
    ] {
        let cells = flat(Dataset::Analyses, "metrics", &format!("{{\"width\": {number}}}"));
        match expected {
            Some(expected) => assert_eq!(cells, pairs(&[("metrics_width", expected)])),
            None => assert_eq!(cells, pairs(&[("metrics_other", &format!("{{\"width\": {number}}}"))])),
        }
    }
}

#[test]
fn a_number_beyond_all_floats_is_left_over() {
    let huge = format!("1{}", "0".repeat(400));
    for number in [huge.as_str(), "1e999"] {
        let text = format!("{{\"cvi\": {number}}}");
        assert_eq!(flat(Dataset::Analyses, "metrics", &text), pairs(&[("metrics_other", &text)]));
    }
}

#[test]
fn times_ids_and_lists_are_read() {
    let reports = r#"{"generated_at": "2026-01-03T10:00:00.5+01:00", "includes_images": true, "pages": 2}"#;
    assert_eq!(
        flat(Dataset::Reports, "metadata", reports),
        pairs(&[
            ("metadata_pages", "2"),
            ("metadata_generated_at", "1767430800500000"),
            ("metadata_includes_images", "true"),
        ])
    );
    let bad = r#"{"generated_at": "yesterday"}"#;
    assert_eq!(flat(Dataset::Reports, "metadata", bad), pairs(&[("metadata_other", bad)]));

    let results = r#"{"rows": 1, "training_session_id": "00000000-0000-0000-0000-00000000000a"}"#;
    assert_eq!(
        flat(Dataset::Jobs, "results", results),
        pairs(&[
            ("results", results),
            ("results_rows", "1"),
            ("results_training_session_id", "00000000-0000-0000-0000-00000000000a"),
        ])
    );

    let data = r#"{"images": ["a", "b\"c"], "labels": ["x", null]}"#;
    assert_eq!(
        flat(Dataset::TrainingSessions, "data", data),
        pairs(&[("data_images", r#"["a", "b\"c"]"#), ("data_other", r#"{"labels": ["x", null]}"#)])
    );
}

#[test]
fn what_is_no_json_is_an_error_that_names_the_column() {
    for text in ["", "{", "{\"a\"}", "{\"a\": 1} 2", "{1: 2}", "{\"a\": 1 \"b\": 2}", "nothing"] {
        let error = try_flat(Dataset::Analyses, "metrics", text).unwrap_err();
        assert!(matches!(error, EncodeError::MalformedJson { column: "metrics" }), "{text}: {error}");
    }
}

#[test]
fn of_a_repeated_key_the_last_counts() {
    for (text, expected) in [
        (r#"{"cvi": 1, "cvi": 2}"#, ("metrics_cvi", "2")),
        (r#"{"cvi": 1, "cvi": "x"}"#, ("metrics_other", r#"{"cvi": "x"}"#)),
    ] {
        assert_eq!(flat(Dataset::Analyses, "metrics", text), pairs(&[expected]));
    }
}
