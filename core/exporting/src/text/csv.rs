//! CSV, by the rules of [`forgeos_tables::csv`]. JSON and lists stand in their cells as JSON text.

use forgeos_tables::csv::{CsvRow, header};

use crate::{
    Compression, EncodeError,
    flatten::{Record, Value},
    packing::Sink,
    selection::Column,
};

/// A CSV file being written.
pub(crate) struct CsvFile {
    columns: Vec<Column>,
    pub(crate) sink: Sink,
}

impl CsvFile {
    pub(crate) fn new(columns: &[Column], compression: Compression) -> Result<Self, EncodeError> {
        let mut sink = Sink::new(compression)?;
        header(sink.plain(), columns.iter().map(|column| column.name));
        Ok(Self { columns: columns.to_vec(), sink })
    }

    pub(crate) fn row(&mut self, record: &Record<'_>) -> Result<(), EncodeError> {
        let mut row = CsvRow::begin(self.sink.plain());
        for column in &self.columns {
            match record.value(column) {
                Value::Null => row.empty(),
                Value::Uuid(id) => row.uuid(id.as_bytes()),
                Value::Timestamp(micros) => row.time_micros(micros),
                Value::Integer(number) => row.integer(number),
                Value::Real(number) => row.float(number),
                Value::Number(digits) => number(&mut row, digits),
                Value::Boolean(value) => row.boolean(value),
                Value::Text(text) | Value::Json(text) | Value::TextList(text) => row.text(text),
            }
        }
        row.end();
        self.sink.pack()
    }
}

/// The digits as they are; a negative number is read and written anew, because a word must not begin with a sign.
fn number(row: &mut CsvRow<'_>, digits: &str) {
    match digits.as_bytes() {
        [b'0'..=b'9', rest @ ..] if !rest.contains(&b'+') => row.word(digits),
        _ => match digits.parse() {
            Ok(number) => row.float(number),
            Err(_) => row.empty(),
        },
    }
}
