use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use forgeos_exporting::{Cell, Dataset, Export, Format, Output};

use crate::rows::{
    CREATED_MICROS, HOSTILE, METRICS, all_columns, analysis, columns, created_at, file, nulls,
};

fn read(bytes: Vec<u8>, sheet: &str) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    workbook.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
}

fn cell<'a>(rows: &'a [Vec<Data>], column: &str) -> &'a Data {
    let place = rows[0].iter().position(|name| *name == Data::String(column.to_owned())).unwrap();
    &rows[1][place]
}

#[test]
fn a_row_reads_back_with_typed_cells() {
    let bytes = file(&all_columns(Dataset::Analyses), Format::Xlsx, &[analysis(1, "panel.jpg", METRICS)]);
    let rows = read(bytes, "analyses");
    assert_eq!(rows.len(), 2);
    for (column, expected) in [
        ("id", Data::String("00000000-0000-0000-0000-000000000001".to_owned())),
        ("filename", Data::String("panel.jpg".to_owned())),
        ("output_filename", Data::Empty),
        ("metrics_cqi", Data::Float(0.912)),
        ("metrics_width", Data::Float(4000.0)),
        ("user_id", Data::String("00000000-0000-0000-0000-000000000007".to_owned())),
    ] {
        assert_eq!(*cell(&rows, column), expected, "{column}");
    }
    let Data::DateTime(time) = cell(&rows, "created_at") else { panic!("no time") };
    // Days since 1899-12-30.
    let expected = CREATED_MICROS as f64 / 86_400e6 + 25_569.0;
    assert!((time.as_f64() - expected).abs() < 1e-8);
}

#[test]
fn hostile_text_is_text() {
    let texts: Vec<_> = HOSTILE.iter().filter(|text| !text.contains(['\r', '\u{1}'])).collect();
    let rows: Vec<_> = texts.iter().map(|text| analysis(1, text, "{}")).collect();
    let read = read(file(&all_columns(Dataset::Analyses), Format::Xlsx, &rows), "analyses");
    for (text, row) in texts.iter().zip(&read[1..]) {
        let expected = if text.is_empty() { Data::Empty } else { Data::String((**text).to_owned()) };
        assert_eq!(row[2], expected);
    }
}

#[test]
fn every_id_of_a_row_is_there() {
    let selection = all_columns(Dataset::Jobs);
    let mut row = nulls(&selection);
    for (cell, source) in row.iter_mut().zip(selection.source_columns()) {
        match source.name {
            "id" | "user_id" | "locked_by" => *cell = Cell::Uuid(uuid::Uuid::from_u128(5)),
            "results" => {
                *cell = Cell::Json(r#"{"training_session_id": "00000000-0000-0000-0000-000000000005"}"#)
            }
            _ => {}
        }
    }
    let rows = read(file(&selection, Format::Xlsx, &[row]), "jobs");
    for column in ["id", "user_id", "locked_by", "results_training_session_id"] {
        assert_eq!(
            *cell(&rows, column),
            Data::String("00000000-0000-0000-0000-000000000005".to_owned()),
            "{column}"
        );
    }
}

#[test]
fn no_rows_make_a_workbook_with_a_header() {
    let rows = read(file(&columns(Dataset::Reports, &["id", "url"]), Format::Xlsx, &[]), "reports");
    assert_eq!(rows, [[Data::String("id".to_owned()), Data::String("url".to_owned())]]);
}

#[test]
fn more_rows_than_a_sheet_holds_go_on_in_the_next() {
    const HELD: i64 = 1_048_575;
    let selection = columns(Dataset::Jobs, &["priority"]);
    let mut export = Export::new(&selection, &[Output::new(Format::Xlsx)], created_at()).unwrap();
    let (mut bytes, mut part) = (Vec::new(), Vec::new());
    for number in 0..HELD + 2 {
        export.row(&[Cell::Integer(number)]).unwrap();
        if number % 100_000 == 0 {
            export.take(0, &mut part);
            bytes.extend_from_slice(&part);
        }
    }
    bytes.append(&mut export.finish().unwrap().remove(0));
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["jobs", "jobs 2"]);
    let rest = book.worksheet_range("jobs 2").unwrap();
    let rest: Vec<String> = rest.rows().map(|row| row[0].to_string()).collect();
    assert_eq!(rest, ["priority".to_owned(), HELD.to_string(), (HELD + 1).to_string()]);
}
