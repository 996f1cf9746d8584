//! CSV by RFC 4180: comma, CRLF, cells quoted only where they must be, UTF-8 without a byte order mark (scripts read
//! these files and would find the mark in the name of the first column; people who want to open a table in a
//! spreadsheet take the XLSX).
//!
//! Rows are appended to a buffer of the caller, who decides when to send it on; nothing is allocated for a cell. As in
//! PostgreSQL's `COPY`, an empty cell is nothing and `""` is a text without characters. It splits no text into columns
//! and knows no other separator.

use chrono::{DateTime, Utc};

use crate::{Cell, guard::is_dangerous};

mod number;
mod time;

/// Appends the header.
pub fn header<'a>(out: &mut Vec<u8>, names: impl IntoIterator<Item = &'a str>) {
    let mut row = CsvRow::begin(out);
    for name in names {
        row.text(name);
    }
    row.end();
}

/// Appends a row.
pub fn row<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = Cell<'a>>) {
    let mut row = CsvRow::begin(out);
    for cell in cells {
        row.cell(cell);
    }
    row.end();
}

/// A row being appended to a buffer, cell by cell from the left. Finish it with [`CsvRow::end`].
#[derive(Debug)]
pub struct CsvRow<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    cells: usize,
}

impl<'a> CsvRow<'a> {
    /// A row without cells at the end of the buffer.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, cells: 0 }
    }

    /// Any cell.
    pub fn cell(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Empty => self.empty(),
            Cell::Text(text) => self.text(text),
            Cell::Integer(number) => self.integer(number),
            Cell::Float(number) => self.float(number),
            Cell::Boolean(value) => self.boolean(value),
            Cell::Time(time) => self.time(time),
        }
    }

    /// Nothing.
    pub fn empty(&mut self) {
        self.separate();
    }

    /// Text from anywhere, made harmless by [`guard`](crate::guard). A NUL, at which some readers stop, becomes U+FFFD.
    pub fn text(&mut self, text: &str) {
        self.separate();
        let guarded = is_dangerous(text);
        let bytes = text.as_bytes();
        // `\.` alone ends the data for PostgreSQL's COPY.
        if !guarded
            && !bytes.is_empty()
            && text != "\\."
            && !bytes.iter().any(|byte| NEEDS_CARE[usize::from(*byte)])
        {
            self.out.extend_from_slice(bytes);
            return;
        }
        self.out.push(b'"');
        if guarded {
            self.out.push(b'\'');
        }
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | 0)) {
            self.out.extend_from_slice(&rest[..at]);
            self.out.extend_from_slice(if rest[at] == 0 { "\u{fffd}".as_bytes() } else { b"\"\"" });
            rest = &rest[at + 1..];
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
    }

    /// Text that is known to hold letters, digits, `-`, `_`, `.` and `:` only and to begin with none of `-`, `+`, `=`,
    /// `@`: ids, words of the program's own. It is copied as it stands.
    pub fn word(&mut self, word: &str) {
        debug_assert!(
            !word.is_empty()
                && !is_dangerous(word)
                && !word.bytes().any(|byte| NEEDS_CARE[usize::from(byte)])
        );
        self.separate();
        self.out.extend_from_slice(word.as_bytes());
    }

    /// A UUID, from its sixteen bytes.
    pub fn uuid(&mut self, uuid: &[u8; 16]) {
        self.separate();
        number::append_uuid(self.out, uuid);
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) {
        self.separate();
        number::append_integer(self.out, number);
    }

    /// The shortest decimal number that reads back as the same [`f64`], with a point; `NaN`, `Infinity` and
    /// `-Infinity` are spelt as PostgreSQL does.
    pub fn float(&mut self, number: f64) {
        self.separate();
        number::append_float(self.out, number);
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.separate();
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A moment by RFC 3339 in UTC with six digits of the second: `2026-11-21T05:12:28.000000Z`.
    pub fn time(&mut self, time: DateTime<Utc>) {
        self.separate();
        time::append(self.out, time.timestamp_micros());
    }

    /// A moment in microseconds since 1970 in UTC, written as [`CsvRow::time`] does. Years beyond 9999 have more
    /// digits and a sign, as ISO 8601 wants it.
    pub fn time_micros(&mut self, micros: i64) {
        self.separate();
        time::append(self.out, micros);
    }

    /// Ends the row.
    pub fn end(self) {
        // A line without anything would be read as no row at all.
        if self.cells == 1 && self.out.len() == self.start {
            self.out.extend_from_slice(b"\"\"");
        }
        self.out.extend_from_slice(b"\r\n");
    }

    #[inline]
    fn separate(&mut self) {
        if self.cells > 0 {
            self.out.push(b',');
        }
        self.cells += 1;
    }
}

/// Bytes that make quotes necessary, or that are replaced.
const NEEDS_CARE: [bool; 256] = {
    let mut table = [false; 256];
    table[b',' as usize] = true;
    table[b'"' as usize] = true;
    table[b'\r' as usize] = true;
    table[b'\n' as usize] = true;
    table[0] = true;
    table
};
