//! JSON Lines: one object a line, every line with the same keys in the same order, null where there is nothing. JSON
//! columns stand in it as the database has them, numbers with all their digits.

use forgeos_tables::csv::CsvRow;

use crate::{
    Compression, EncodeError,
    flatten::{Record, Value},
    packing::Sink,
    selection::Column,
};

/// A JSON Lines file being written.
pub(crate) struct JsonlFile {
    columns: Vec<Column>,
    /// `{"id":`, `,"created_at":`, …
    keys: Vec<String>,
    pub(crate) sink: Sink,
}

impl JsonlFile {
    pub(crate) fn new(columns: &[Column], compression: Compression) -> Result<Self, EncodeError> {
        let begin = |place| if place == 0 { '{' } else { ',' };
        // Names are the program's own: letters, digits and `_`.
        let keys =
            columns.iter().enumerate().map(|(place, column)| format!("{}\"{}\":", begin(place), column.name));
        Ok(Self { columns: columns.to_vec(), keys: keys.collect(), sink: Sink::new(compression)? })
    }

    pub(crate) fn row(&mut self, record: &Record<'_>) -> Result<(), EncodeError> {
        let out = self.sink.plain();
        for (column, key) in self.columns.iter().zip(&self.keys) {
            out.extend_from_slice(key.as_bytes());
            append(out, record.value(column));
        }
        out.extend_from_slice(b"}\n");
        self.sink.pack()
    }
}

fn append(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Uuid(id) => {
            out.push(b'"');
            CsvRow::begin(out).uuid(id.as_bytes());
            out.push(b'"');
        }
        Value::Timestamp(micros) => {
            out.push(b'"');
            CsvRow::begin(out).time_micros(micros);
            out.push(b'"');
        }
        Value::Text(text) => append_string(out, text),
        Value::Integer(number) => CsvRow::begin(out).integer(number),
        Value::Real(number) => CsvRow::begin(out).float(number),
        Value::Number(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Json(text) | Value::TextList(text) => append_json(out, text),
    }
}

/// A string with its quotes.
fn append_string(out: &mut Vec<u8>, text: &str) {
    // Looked at whole before it is copied: both are done many bytes at a time.
    let needs_care =
        text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    out.push(b'"');
    if needs_care {
        append_escaped(out, text);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

/// RFC 8259, section 7.
fn append_escaped(out: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..b' ' => {
                let last = DIGITS[usize::from(byte & 15)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), last]);
            }
            _ => out.push(byte),
        }
    }
}

/// JSON as it is, on one line: `jsonb` is printed on one, `json` may hold new lines between its values.
fn append_json(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    if text.bytes().fold(false, |found, byte| found | (byte < b' ')) {
        for byte in &mut out[start..] {
            if *byte < b' ' {
                *byte = b' ';
            }
        }
    }
}
