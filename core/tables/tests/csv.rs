//! CSV as it is read back by a program that knows only RFC 4180.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, Utc};
use forgeos_tables::{
    Cell,
    csv::{self, CsvRow},
    guard,
};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Vec<Vec<String>> {
    ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes)
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn written(cells: &[Cell<'_>]) -> String {
    let mut out = Vec::new();
    csv::row(&mut out, cells.iter().copied());
    String::from_utf8(out).unwrap()
}

#[test]
fn cells_are_written_as_rfc_4180_wants() {
    let time: DateTime<Utc> = "2026-11-21T05:12:28.5Z".parse().unwrap();
    let cells = [
        Cell::Text("plain"),
        Cell::Text("a,b"),
        Cell::Text("say \"yes\""),
        Cell::Text("two\r\nlines"),
        Cell::Text(""),
        Cell::Empty,
        Cell::Integer(-5),
        Cell::Float(0.1),
        Cell::Boolean(true),
        Cell::Time(time),
    ];
    assert_eq!(
        written(&cells),
        "plain,\"a,b\",\"say \"\"yes\"\"\",\"two\r\nlines\",\"\",,-5,0.1,true,2026-11-21T05:12:28.500000Z\r\n"
    );
}

#[test]
fn a_table_begins_with_its_header_and_without_a_mark() {
    let mut out = Vec::new();
    csv::header(&mut out, ["id", "name"]);
    assert_eq!(out, b"id,name\r\n");
}

#[test]
fn a_row_of_one_empty_cell_is_still_a_row() {
    assert_eq!(written(&[Cell::Empty]), "\"\"\r\n");
    assert_eq!(read(written(&[Cell::Empty]).as_bytes()).len(), 1);
}

#[test]
fn numbers_are_never_guarded_and_text_always_is() {
    assert_eq!(written(&[Cell::Integer(-1), Cell::Float(-1.5)]), "-1,-1.5\r\n");
    assert_eq!(
        written(&[Cell::Text("-1"), Cell::Text("=HYPERLINK(\"x\")")]),
        "\"'-1\",\"'=HYPERLINK(\"\"x\"\")\"\r\n"
    );
}

#[test]
fn ends_of_data_and_of_strings_do_not_end_the_table() {
    assert_eq!(written(&[Cell::Text("\\.")]), "\"\\.\"\r\n");
    assert_eq!(written(&[Cell::Text("a\0b")]), "\"a\u{fffd}b\"\r\n");
}

#[test]
fn numbers_that_are_none_are_spelt_as_postgresql_does() {
    let cells = [Cell::Float(f64::NAN), Cell::Float(f64::INFINITY), Cell::Float(f64::NEG_INFINITY)];
    assert_eq!(written(&cells), "NaN,Infinity,-Infinity\r\n");
}

#[test]
fn a_uuid_is_written_from_its_bytes() {
    let mut out = Vec::new();
    let mut row = CsvRow::begin(&mut out);
    row.uuid(&[
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
    ]);
    row.word("done");
    row.end();
    assert_eq!(out, b"01234567-89ab-cdef-0123-456789abcdef,done\r\n");
}

#[test]
fn years_of_more_than_four_digits_are_signed() {
    let of = |text: &str| written(&[Cell::Time(text.parse().unwrap())]);
    assert_eq!(of("+12026-01-02T03:04:05Z"), "+012026-01-02T03:04:05.000000Z\r\n");
    assert_eq!(of("-0001-12-31T00:00:00Z"), "-000001-12-31T00:00:00.000000Z\r\n");
}

/// Text in which everything that could go wrong is common.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ \t\r\n,;\"'=+@a\\-]{0,6}",
        Just("＝".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\0".to_owned()),
        Just("=cmd|' /C calc'!A0".to_owned()),
        Just("_x0041_".to_owned()),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_read_back_is_the_guarded_text(texts in proptest::collection::vec(hostile_text(), 1..6)) {
        let cells: Vec<Cell<'_>> = texts.iter().map(|text| Cell::Text(text)).collect();
        let expected: Vec<String> = texts.iter().map(|text| guard(text).replace('\0', "\u{fffd}")).collect();
        // Readers drop a mark at the very beginning; there the header stands.
        let rows = read(format!("header\r\n{}", written(&cells)).as_bytes());
        prop_assert_eq!(&rows[1..], [expected]);
    }

    #[test]
    fn a_number_reads_back_as_itself(bits in any::<u64>(), whole in any::<i64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let rows = read(written(&[Cell::Float(number), Cell::Integer(whole)]).as_bytes());
        prop_assert_eq!(rows[0][0].parse::<f64>().unwrap().to_bits(), bits);
        prop_assert_eq!(rows[0][1].parse::<i64>().unwrap(), whole);
    }

    #[test]
    fn a_moment_is_written_as_chrono_does(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
        let time = DateTime::from_timestamp_micros(micros).unwrap();
        let expected = time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        prop_assert_eq!(written(&[Cell::Time(time)]), format!("{expected}\r\n"));
    }
}
