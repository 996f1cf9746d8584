use forgeos_exporting::{Cell, Dataset, Format};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rows::{HOSTILE, METRICS, all_columns, analysis, columns, file, nulls};

fn read(bytes: &[u8]) -> Vec<Value> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"));
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn a_row_is_one_line_with_its_json_whole() {
    let bytes = file(&all_columns(Dataset::Analyses), Format::Jsonl, &[analysis(1, "panel.jpg", METRICS)]);
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000001", "created_at": "2026-01-03T10:00:00.123456Z",
        "filename": "panel.jpg", "output_filename": null, "metrics": serde_json::from_str::<Value>(METRICS).unwrap(),
        "status": "completed", "user_id": "00000000-0000-0000-0000-000000000007", "job_id": null,
    });
    assert_eq!(read(&bytes), [expected]);
    let start = r#"{"id":"00000000-0000-0000-0000-000000000001","created_at":"2026-01-03T10:00:00.123456Z","filename":"#;
    assert!(bytes.starts_with(start.as_bytes()));
}

#[test]
fn numbers_keep_all_their_digits() {
    let selection = columns(Dataset::Analyses, &["metrics"]);
    let metrics =
        r#"{"cvi": 0.12345678901234567890123456789, "big": 123456789012345678901234567890, "cqi": 0.50}"#;
    let bytes = file(&selection, Format::Jsonl, &[vec![Cell::Json(metrics)]]);
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{{\"metrics\":{metrics}}}\n"));
}

#[test]
fn a_flat_column_is_a_key_of_its_own() {
    let selection =
        columns(Dataset::Analyses, &["metrics_label", "metrics_cqi", "metrics_other", "metrics_width"]);
    let metrics = r#"{"cqi": 0.50, "label": "a\"b\n", "new": 1}"#;
    let bytes = file(&selection, Format::Jsonl, &[vec![Cell::Json(metrics)]]);
    let expected =
        r#"{"metrics_label":"a\"b\n","metrics_cqi":0.50,"metrics_other":{"new": 1},"metrics_width":null}"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{expected}\n"));
}

#[test]
fn json_over_several_lines_becomes_one() {
    let selection = columns(Dataset::Jobs, &["params"]);
    let bytes = file(&selection, Format::Jsonl, &[vec![Cell::Json("{\n\t\"a\":\r\n [1]}")]]);
    assert_eq!(read(&bytes), [json!({"params": {"a": [1]}})]);
}

#[test]
fn hostile_text_is_kept() {
    let rows: Vec<_> = HOSTILE.iter().map(|text| analysis(1, text, "{}")).collect();
    let bytes = file(&all_columns(Dataset::Analyses), Format::Jsonl, &rows);
    let read: Vec<_> = read(&bytes).iter().map(|row| row["filename"].as_str().unwrap().to_owned()).collect();
    assert_eq!(read, HOSTILE);
}

#[test]
fn no_rows_make_an_empty_file_and_nulls_are_null() {
    let selection = all_columns(Dataset::Jobs);
    assert!(file(&selection, Format::Jsonl, &[]).is_empty());
    let rows = read(&file(&selection, Format::Jsonl, &[nulls(&selection)]));
    assert!(rows[0].as_object().unwrap().values().all(Value::is_null));
    let selection = columns(Dataset::Jobs, &["locked_until"]);
    let rows = [vec![Cell::Timestamp(i64::MAX)], vec![Cell::postgres_timestamp(i64::MIN)]];
    assert_eq!(
        read(&file(&selection, Format::Jsonl, &rows)),
        [json!({"locked_until": null}), json!({"locked_until": null})]
    );
}

proptest! {
    #[test]
    fn any_text_reads_back(text: String) {
        let bytes = file(&all_columns(Dataset::Analyses), Format::Jsonl, &[analysis(1, &text, "null")]);
        let rows = read(&bytes);
        prop_assert_eq!(rows[0]["filename"].as_str().unwrap(), text);
    }
}
