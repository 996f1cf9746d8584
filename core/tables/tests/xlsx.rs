//! XLSX as another library reads it back.
#![allow(clippy::unwrap_used)]

use std::io::{self, Cursor, Read, Write};

use calamine::{Data, Reader, Xlsx};
use chrono::{DateTime, Utc};
use forgeos_tables::{
    Cell, Column, Kind,
    xlsx::{MOST_UTF16_UNITS, Properties, SheetWriter, Written, XlsxError, clean_text, serial},
};

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn column(name: &str) -> Column {
    Column::new(name, Kind::Text)
}

fn written(columns: Vec<Column>, rows: &[Vec<Cell<'_>>]) -> Vec<u8> {
    let mut writer = SheetWriter::new(Vec::new(), Properties::new("Data", noon()), columns).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    writer.finish().unwrap().0
}

fn open(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The only text of a table, as it is read back.
fn read_back(text: &str) -> String {
    let mut book = open(written(vec![column("text")], &[vec![Cell::Text(text)]]));
    let range = book.worksheet_range("Data").unwrap();
    match range.get((1, 0)) {
        Some(Data::String(text)) => text.clone(),
        None | Some(Data::Empty) => String::new(),
        other => panic!("not a text: {other:?}"),
    }
}

#[test]
fn cells_keep_their_types() {
    let row = vec![
        Cell::Text("æøå <b>&amp;"),
        Cell::Integer(-42),
        Cell::Float(0.1),
        Cell::Boolean(true),
        Cell::Time("2026-11-21T18:00:00Z".parse().unwrap()),
        Cell::Empty,
        Cell::Integer(i64::MAX),
        Cell::Float(f64::NAN),
        Cell::Float(f64::NEG_INFINITY),
        Cell::Time("1850-01-01T00:00:00Z".parse().unwrap()),
        Cell::Boolean(false),
    ];
    let columns = (0..row.len()).map(|at| column(&format!("c{at}"))).collect();
    let mut book = open(written(columns, &[row]));
    let range = book.worksheet_range("Data").unwrap();
    let cell = |at| range.get((1, at)).cloned().unwrap_or(Data::Empty);
    assert_eq!(cell(0), Data::String("æøå <b>&amp;".to_owned()));
    assert_eq!(cell(1), Data::Float(-42.0));
    assert_eq!(cell(2), Data::Float(0.1));
    assert_eq!(cell(3), Data::Bool(true));
    let Data::DateTime(time) = cell(4) else { panic!("not a moment: {:?}", cell(4)) };
    assert_eq!(time.as_f64(), 46_347.75);
    assert_eq!(cell(5), Data::Empty);
    assert_eq!(cell(6), Data::String("9223372036854775807".to_owned()));
    assert_eq!(cell(7), Data::Empty);
    assert_eq!(cell(8), Data::Empty);
    assert_eq!(cell(9), Data::String("1850-01-01T00:00:00.000000Z".to_owned()));
    assert_eq!(cell(10), Data::Bool(false));
}

#[test]
fn text_is_never_a_formula_or_a_link() {
    for text in [
        "=1+1",
        "=cmd|' /C calc'!A0",
        "+1",
        "@SUM(A1)",
        "https://example.com",
        "mailto:x@example.com",
        "-1",
        "{=1}",
    ] {
        let bytes = written(vec![column("text")], &[vec![Cell::Text(text)]]);
        let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
        assert!(!sheet.contains("<f") && !sheet.contains("hyperlink"), "{sheet}");
        assert_eq!(read_back(text), text);
    }
}

#[test]
fn hostile_text_survives_as_text() {
    for text in [
        "</t></is></c>",
        "]]>",
        "שלום \u{202e}abc",
        "😀👩‍👩‍👧",
        " edges ",
        "a\tb\nc",
        "\"'",
        "%s%n",
        "_x",
        "_x00_",
    ] {
        assert_eq!(read_back(text), text);
    }
    let long = "å".repeat(10_000);
    assert_eq!(read_back(&long), long);
}

#[test]
fn characters_that_xml_forbids_are_replaced() {
    assert_eq!(read_back("a\0b\u{1b}c\u{ffff}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
    assert_eq!(read_back("one\r\ntwo\rthree"), "one\ntwo\nthree");
}

#[test]
fn text_that_looks_like_an_escape_is_escaped() {
    let bytes = written(vec![column("text")], &[vec![Cell::Text("_x0041_ __x0041_x _x00411")]]);
    assert!(
        part(&bytes, "xl/worksheets/sheet1.xml").contains("<t>_x005F_x0041_ __x005F_x0041_x _x00411</t>")
    );
}

#[test]
fn text_beyond_the_limit_is_cut_and_marked() {
    for (text, kept) in [("a".repeat(40_000), 32_766), ("😀".repeat(20_000), 32_766)] {
        let shown = read_back(&text);
        assert_eq!(shown.encode_utf16().count(), kept + 1);
        assert!(text.starts_with(shown.strip_suffix('…').unwrap()));
    }
    let whole = "a".repeat(MOST_UTF16_UNITS);
    assert_eq!(read_back(&whole), whole);
    assert_eq!(clean_text(&whole), whole);
}

#[test]
fn cut_texts_are_counted() {
    let mut writer =
        SheetWriter::new(Vec::new(), Properties::new("Data", noon()), vec![column("a"), column("b")])
            .unwrap();
    // As many units of UTF-16 as a cell holds, in more bytes.
    let (whole, long) = ("å".repeat(MOST_UTF16_UNITS), "å".repeat(MOST_UTF16_UNITS + 1));
    for row in [[Cell::Text(&whole), Cell::Text("x")], [Cell::Text(&long), Cell::Text(&long)]] {
        writer.row(&row).unwrap();
    }
    assert_eq!(writer.cells_cut(), 2);
    assert_eq!(writer.finish().unwrap().1.cells_cut, 2);
}

#[test]
fn moments_outside_the_calendar_of_spreadsheets_have_no_number() {
    let of = |text: &str| serial(text.parse().unwrap());
    assert_eq!(of("1900-02-28T23:59:59Z"), None);
    assert_eq!(of("1900-03-01T00:00:00Z"), Some(61.0));
    assert_eq!(of("9999-12-31T00:00:00Z"), Some(2_958_465.0));
    assert_eq!(of("+10000-01-01T00:00:00Z"), None);
}

#[test]
fn a_long_table_goes_on_in_further_sheets() {
    let mut properties = Properties::new("Data", noon());
    properties.rows_per_sheet = 4;
    let mut writer = SheetWriter::new(Vec::new(), properties, vec![Column::new("n", Kind::Integer)]).unwrap();
    for number in 0..7 {
        writer.row(&[Cell::Integer(number)]).unwrap();
    }
    let (bytes, counts) = writer.finish().unwrap();
    assert_eq!(counts, Written { rows: 7, sheets: 3, cells_cut: 0 });
    assert!(part(&bytes, "xl/workbook.xml").contains("'Data 3'!$A$1:$A$2"));
    let mut book = open(bytes);
    assert_eq!(book.sheet_names(), ["Data", "Data 2", "Data 3"]);
    let mut read = Vec::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).unwrap();
        assert_eq!(range.get((0, 0)), Some(&Data::String("n".to_owned())));
        read.extend(range.rows().skip(1).map(|row| row[0].clone()));
    }
    assert_eq!(read, (0..7).map(|number| Data::Float(f64::from(number))).collect::<Vec<_>>());
}

#[test]
fn a_table_without_rows_has_its_header() {
    let mut book = open(written(vec![column("a"), column("b")], &[]));
    let range = book.worksheet_range("Data").unwrap();
    assert_eq!(range.rows().count(), 1);
    assert_eq!(range.get((0, 1)), Some(&Data::String("b".to_owned())));
}

#[test]
fn the_header_stays_in_sight_and_filters() {
    let sheet = part(
        &written(vec![column("a"), column("b")], &[vec![Cell::Empty, Cell::Integer(1)]]),
        "xl/worksheets/sheet1.xml",
    );
    assert!(sheet.contains(r#"state="frozen""#) && sheet.contains(r#"<autoFilter ref="A1:B2"/>"#), "{sheet}");
    assert!(sheet.contains(r#"<c r="A1" s="1" t="inlineStr">"#), "{sheet}");
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows = vec![vec![Cell::Text("a"), Cell::Time(noon())]];
    let columns = || vec![column("text"), Column::new("time", Kind::Time)];
    assert_eq!(written(columns(), &rows), written(columns(), &rows));
}

#[test]
fn names_that_excel_refuses_are_mended() {
    let properties = Properties::new("'a/b[c]:*?\\ of a name that is far too long", noon());
    let writer = SheetWriter::new(Vec::new(), properties, vec![column("a")]).unwrap();
    let book = open(writer.finish().unwrap().0);
    assert_eq!(book.sheet_names(), ["_a_b_c_____ of a name th"]);
}

#[test]
fn a_row_of_another_width_is_refused() {
    let mut writer =
        SheetWriter::new(Vec::new(), Properties::new("Data", noon()), vec![column("a")]).unwrap();
    assert!(matches!(writer.row(&[]), Err(XlsxError::RowWidth { expected: 1, found: 0 })));
    assert!(matches!(
        SheetWriter::new(Vec::new(), Properties::new("Data", noon()), Vec::new()),
        Err(XlsxError::Columns(0))
    ));
    let far =
        SheetWriter::new(Vec::new(), Properties::new("Data", noon()), vec![column("a"); 16_384]).unwrap();
    assert!(part(&far.finish().unwrap().0, "xl/worksheets/sheet1.xml").contains(r#"<c r="XFD1""#));
}

/// Takes so many bytes and then none.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::other("full"));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_destination_is_an_error() {
    let mut writer =
        SheetWriter::new(Full(2_000), Properties::new("Data", noon()), vec![column("a")]).unwrap();
    let mut seed = 1_u64;
    let failed = (0..100_000).find_map(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writer.row(&[Cell::Text(&seed.to_string())]).err()
    });
    assert!(matches!(failed, Some(XlsxError::Write(_))));
}

#[test]
fn a_table_that_is_given_up_is_not_ended() {
    let mut out = Vec::new();
    let mut writer = SheetWriter::new(&mut out, Properties::new("Data", noon()), vec![column("a")]).unwrap();
    writer.row(&[Cell::Text("x")]).unwrap();
    drop(writer);
    assert!(zip::ZipArchive::new(Cursor::new(out)).is_err());
}

#[test]
fn what_is_finished_can_be_sent_on_while_rows_come() {
    let columns = || vec![Column::new("n", Kind::Integer), column("text")];
    let rows: Vec<i64> = (0..50_000).collect();
    let mut writer = SheetWriter::new(Vec::new(), Properties::new("Data", noon()), columns()).unwrap();
    let (mut sent, mut most_held) = (Vec::new(), 0);
    for row in &rows {
        writer.row(&[Cell::Integer(*row), Cell::Text("the same words in every row")]).unwrap();
        let before = sent.len();
        writer.take(&mut sent);
        most_held = most_held.max(sent.len() - before);
    }
    assert!(!sent.is_empty() && most_held < 256 << 10, "{most_held}");
    sent.extend(writer.finish().unwrap().0);
    let texts: Vec<_> =
        rows.iter().map(|row| vec![Cell::Integer(*row), Cell::Text("the same words in every row")]).collect();
    assert_eq!(sent, written(columns(), &texts));
}
