use forgeos_exporting::{Cell, Compression, Dataset, Format};
use proptest::prelude::*;

use crate::rows::{HOSTILE, METRICS, all_columns, analysis, columns, file, nulls, packed, unpacked};

/// Header and rows, as the `csv` crate reads them.
fn read(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    (header, rows)
}

fn cell(bytes: &[u8], row: usize, column: &str) -> String {
    let (header, rows) = read(bytes);
    rows[row][header.iter().position(|name| name == column).unwrap()].clone()
}

#[test]
fn a_row_reads_back_with_its_metrics_in_columns() {
    let bytes = file(&all_columns(Dataset::Analyses), Format::Csv, &[analysis(1, "panel.jpg", METRICS)]);
    for (column, expected) in [
        ("id", "00000000-0000-0000-0000-000000000001"),
        ("created_at", "2026-01-03T10:00:00.123456Z"),
        ("filename", "panel.jpg"),
        ("output_filename", ""),
        ("metrics_cvi", "0.87"),
        ("metrics_cqi", "0.9120"),
        ("metrics_defects_detected", "1"),
        ("metrics_severity", "low"),
        ("metrics_capture_sharpness", "0.8"),
        ("metrics_capture_clipped_percent", ""),
        ("metrics_other", r#"{"added_later": {"a": [1, null]}}"#),
        ("user_id", "00000000-0000-0000-0000-000000000007"),
    ] {
        assert_eq!(cell(&bytes, 0, column), expected, "{column}");
    }
    let defects: serde_json::Value = serde_json::from_str(&cell(&bytes, 0, "metrics_defects")).unwrap();
    assert_eq!(defects[0]["delta_e"], 7.5);
}

#[test]
fn hostile_text_is_guarded_and_otherwise_kept() {
    let rows: Vec<_> = HOSTILE.iter().map(|text| analysis(1, text, "{}")).collect();
    let bytes = file(&all_columns(Dataset::Analyses), Format::Csv, &rows);
    let (_, read) = read(&bytes);
    for (text, row) in HOSTILE.iter().zip(read) {
        assert_eq!(row[2], forgeos_tables::guard(text), "{text:?}");
    }
}

#[test]
fn text_out_of_json_is_guarded_too_and_numbers_never() {
    let selection = columns(Dataset::Analyses, &["metrics"]);
    let bytes =
        file(&selection, Format::Csv, &[vec![Cell::Json(r#"{"label": "=1+1", "cvi": -0.5, "width": -3}"#)]]);
    assert_eq!(cell(&bytes, 0, "metrics_label"), "'=1+1");
    assert_eq!(cell(&bytes, 0, "metrics_cvi"), "-0.5");
    assert_eq!(cell(&bytes, 0, "metrics_width"), "-3");
}

#[test]
fn no_rows_make_a_header() {
    let bytes = file(&columns(Dataset::Jobs, &["id", "progress"]), Format::Csv, &[]);
    let header = "id,progress_phase,progress_done,progress_total,progress_percent,progress_other\r\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), header);
}

#[test]
fn nulls_and_times_that_cannot_be_said_are_empty() {
    let selection = all_columns(Dataset::Jobs);
    let bytes = file(&selection, Format::Csv, &[nulls(&selection)]);
    assert!(read(&bytes).1[0].iter().all(String::is_empty));

    let selection = columns(Dataset::Analyses, &["id", "created_at"]);
    for micros in [i64::MIN, i64::MAX, 253_402_300_800_000_000] {
        let bytes = file(&selection, Format::Csv, &[vec![Cell::Null, Cell::Timestamp(micros)]]);
        assert_eq!(cell(&bytes, 0, "created_at"), "");
    }
}

#[test]
fn packed_files_hold_the_same_bytes() {
    let selection = all_columns(Dataset::Analyses);
    let rows: Vec<_> = (0..3_000).map(|id| analysis(id, "panel.jpg", METRICS)).collect();
    for format in [Format::Csv, Format::Jsonl] {
        let plain = file(&selection, format, &rows);
        for compression in [Compression::Gzip, Compression::Zstd] {
            let packed = packed(&selection, format, compression, &rows);
            assert!(packed.len() * 5 < plain.len());
            assert_eq!(unpacked(compression, &packed), plain);
        }
    }
}

proptest! {
    #[test]
    fn any_text_reads_back(text: String, label: String) {
        let metrics = serde_json::json!({"label": label}).to_string();
        let bytes = file(&all_columns(Dataset::Analyses), Format::Csv, &[analysis(1, &text, &metrics)]);
        // The one character that CSV readers stop at.
        let kept = |text: &str| forgeos_tables::guard(text).replace('\0', "\u{fffd}");
        prop_assert_eq!(cell(&bytes, 0, "filename"), kept(&text));
        prop_assert_eq!(cell(&bytes, 0, "metrics_label"), kept(&label));
    }
}
