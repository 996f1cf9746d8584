//! What is large, and what is refused.

use forgeos_exporting::{Cell, Compression, Dataset, EncodeError, Export, Format, Output};

use crate::rows::{METRICS, all_columns, analysis, columns, created_at, file};

const MIB: usize = 1 << 20;

#[test]
fn huge_texts_and_deep_json_pass() {
    let huge = "x".repeat(5 * MIB);
    let deep = format!("{{\"defects\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let rows = [analysis(1, &huge, "{}"), analysis(2, "b", &deep)];
    for format in Format::ALL {
        let bytes = file(&all_columns(Dataset::Analyses), format, &rows);
        assert!(!bytes.is_empty());
        if matches!(format, Format::Csv | Format::Jsonl) {
            assert!(bytes.len() > 5 * MIB + 200_000);
        }
    }
}

#[test]
fn the_same_rows_make_the_same_bytes() {
    let rows: Vec<_> = (0..100).map(|id| analysis(id, "panel.jpg", METRICS)).collect();
    for format in Format::ALL {
        let selection = all_columns(Dataset::Analyses);
        assert_eq!(file(&selection, format, &rows), file(&selection, format, &rows), "{format:?}");
    }
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let selection = columns(Dataset::Analyses, &["id", "metrics_cvi"]);
    let write = |cells: &[Cell<'_>]| {
        Export::new(&selection, &[Output::new(Format::Csv)], created_at()).unwrap().row(cells)
    };
    assert!(matches!(write(&[Cell::Null]), Err(EncodeError::Width { expected: 2, given: 1 })));
    let text = [Cell::Text("1"), Cell::Null];
    assert!(matches!(write(&text), Err(EncodeError::WrongKind { column: "id", .. })));
    let broken = [Cell::Null, Cell::Json("{")];
    assert!(matches!(write(&broken), Err(EncodeError::MalformedJson { column: "metrics" })));
}

#[test]
fn only_text_is_packed() {
    let selection = all_columns(Dataset::Reports);
    for format in [Format::Xlsx, Format::Parquet] {
        let output = Output { format, compression: Compression::Gzip };
        let refused = Export::new(&selection, &[output], created_at());
        assert!(matches!(refused, Err(EncodeError::NotPackable { .. })));
    }
}
