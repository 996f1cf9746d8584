//! Writes every dataset in every format into a folder, for readers that others made.
//!
//! `cargo run -p forgeos-exporting --example files -- FOLDER`. The rows are what breaks readers: text that a spreadsheet
//! would run, nulls in every column, empty lists and none, numbers at the ends of their range, JSON of any shape.

use std::{error::Error, fs, path::PathBuf};

use chrono::{DateTime, Utc};
use forgeos_exporting::{Audience, Cell, Compression, Dataset, Export, Format, Kind, Output, Selection};
use uuid::Uuid;

const TEXTS: [&str; 8] =
    ["plain", "=1+1", " @cmd", "a,b;\"c\"", "two\nlines", "æøå 漢字 😀", "-5", "\u{ff1d}SUM(A1)"];

const JSON: [&str; 4] = [
    r#"{"cvi": 0.875, "cqi": 12, "defects_detected": 3, "severity": "=Low", "profile": "standard", "pages": 2,
        "capture": {"sharpness": 0.5}, "defects": [{"class": "rust"}], "error": {"code": "x", "message": "y\n\"z\""},
        "images": ["a.jpg", "b \"c\".jpg"], "labels": [], "accuracy": 0.5, "confusion_matrix": [[1, 0], [0, 1]],
        "generated_at": "2026-03-02T10:00:00.123456Z", "includes_images": true, "size_bytes": 9007199254740991,
        "phase": "exporting", "done": 1, "rows": 3, "unknown": {"deep": [1, null, {"a": "b"}]}}"#,
    r#"{"cvi": 1e-7, "cqi": -0.0, "coverage_percent": 99.99999999999999, "images": ["only"], "labels": ["å", "b"]}"#,
    "{}",
    r#"{"cvi": null, "severity": "", "labels": ["x"], "warnings": ["w"], "training_session_id": null}"#,
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("files"), PathBuf::from);
    let created_at: DateTime<Utc> = "2026-03-02T10:00:00Z".parse()?;
    for dataset in Dataset::ALL {
        let selection = Selection::new(dataset, Audience::Service, None)?;
        let outputs = [
            Output::new(Format::Csv),
            Output { format: Format::Csv, compression: Compression::Gzip },
            Output { format: Format::Csv, compression: Compression::Zstd },
            Output::new(Format::Jsonl),
            Output::new(Format::Xlsx),
            Output::new(Format::Parquet),
        ];
        let mut export = Export::new(&selection, &outputs, created_at)?;
        for row in 0..64_usize {
            let cells = selection.source_columns().iter().enumerate().map(|(place, source)| {
                if row % 8 == 7 && source.name != "id" { Cell::Null } else { cell(source.kind, row + place) }
            });
            export.row(&cells.collect::<Vec<_>>())?;
        }
        let place = folder.join("exports").join(dataset.as_str());
        fs::create_dir_all(&place)?;
        for (output, bytes) in outputs.iter().zip(export.finish()?) {
            let extension = output.format.extension(output.compression);
            fs::write(place.join(format!("{}.{extension}", dataset.as_str())), bytes)?;
        }
    }
    Ok(())
}

fn cell(kind: Kind, number: usize) -> Cell<'static> {
    match kind {
        Kind::Uuid => Cell::Uuid(Uuid::from_u128(u128::MAX / (number as u128 + 1))),
        Kind::Timestamp => Cell::Timestamp(1_772_445_600_123_456 + number as i64 * 86_400_000_001),
        Kind::Text => Cell::Text(TEXTS[number % TEXTS.len()]),
        Kind::Integer => Cell::Integer(number as i64 - 20),
        Kind::Real => Cell::Real(number as f64 / 8.0),
        Kind::Boolean => Cell::Boolean(number.is_multiple_of(2)),
        Kind::Json | Kind::TextList => Cell::Json(JSON[number % JSON.len()]),
    }
}
