//! Rows to export, and files made of them.

use std::io::Read;

use chrono::{DateTime, Utc};
use forgeos_exporting::{Audience, Cell, Compression, Dataset, Export, Format, Output, Selection};
use uuid::Uuid;

/// 2026-01-03T10:00:00.123456Z.
pub(crate) const CREATED_MICROS: i64 = 1_767_434_400_123_456;

pub(crate) const METRICS: &str = r#"{"cqi": 0.9120, "cvi": 0.87, "label": "ok", "width": 4000, "height": 3000, "capture": {"sharpness": 0.8, "glare_percent": 1.25}, "defects": [{"x": 1, "y": 2, "class": "rust", "width": 3, "height": 4, "delta_e": 7.5, "area_percent": 0.01}], "profile": "standard", "severity": "low", "confidence": 0.75, "roi_percent": 61.5, "sensitivity": "medium", "coverage_percent": 99.87, "defects_detected": 1, "processing_time_ms": 341, "edge_coverage_ratio": 0.98, "added_later": {"a": [1, null]}}"#;

/// Texts that have broken exports before.
pub(crate) const HOSTILE: &[&str] = &[
    "",
    "=1+1",
    " \t=cmd|' /C calc'!A0",
    "-5",
    "＝1",
    "a,b;c\td",
    "say \"hi\"",
    "line\r\nbreak\nand\rmore",
    "back\\slash \\. \\N",
    "null",
    "<b>&amp;</b>",
    "_x0041_",
    "\u{1}\u{b}\u{7f}\u{85}\u{2028}\u{feff}\u{fffe}",
    "\u{202e}rtl 😀 e\u{301} 漢字 \u{10ffff}",
];

/// A row of `analyses`, all columns.
pub(crate) fn analysis<'a>(id: u128, filename: &'a str, metrics: &'a str) -> Vec<Cell<'a>> {
    vec![
        Cell::Uuid(Uuid::from_u128(id)),
        Cell::Timestamp(CREATED_MICROS),
        Cell::Text(filename),
        Cell::Null,
        Cell::Json(metrics),
        Cell::Text("completed"),
        Cell::Uuid(Uuid::from_u128(7)),
        Cell::Null,
    ]
}

pub(crate) fn all_columns(dataset: Dataset) -> Selection {
    Selection::new(dataset, Audience::Service, None).unwrap()
}

pub(crate) fn columns(dataset: Dataset, names: &[&str]) -> Selection {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    Selection::new(dataset, Audience::Service, Some(&names)).unwrap()
}

pub(crate) fn created_at() -> DateTime<Utc> {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

/// One file of these rows. Bytes are taken out after every third row.
pub(crate) fn file(selection: &Selection, format: Format, rows: &[Vec<Cell<'_>>]) -> Vec<u8> {
    packed(selection, format, Compression::None, rows)
}

pub(crate) fn packed(
    selection: &Selection,
    format: Format,
    compression: Compression,
    rows: &[Vec<Cell<'_>>],
) -> Vec<u8> {
    let mut export = Export::new(selection, &[Output { format, compression }], created_at()).unwrap();
    let (mut bytes, mut part) = (Vec::new(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        export.row(row).unwrap();
        if number % 3 == 0 {
            export.take(0, &mut part);
            bytes.extend_from_slice(&part);
        }
    }
    assert_eq!(export.rows(), rows.len() as u64);
    bytes.append(&mut export.finish().unwrap().remove(0));
    bytes
}

/// The file without its compression.
pub(crate) fn unpacked(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match compression {
        Compression::None => plain.extend_from_slice(bytes),
        Compression::Gzip => {
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        }
        Compression::Zstd => {
            zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut plain).unwrap();
        }
    }
    plain
}

/// A row with null in every column.
pub(crate) fn nulls(selection: &Selection) -> Vec<Cell<'static>> {
    vec![Cell::Null; selection.source_columns().len()]
}
