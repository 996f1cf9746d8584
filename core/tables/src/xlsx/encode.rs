//! Cells as SpreadsheetML: ECMA-376 part 1, 18.3.1.4 (cell) and 22.9.2.19 (`ST_Xstring`, the escape `_xHHHH_`).

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::{Cell, csv::CsvRow};

/// Characters of a cell at most, counted as Excel does: in units of UTF-16.
pub const MOST_UTF16_UNITS: usize = 32_767;

/// Style of cells without one.
pub(super) const PLAIN: u8 = 0;
/// Style of the header.
pub(super) const HEADER: u8 = 1;
/// Style of moments.
const TIME: u8 = 2;

/// Whole numbers beyond this are not exact in a spreadsheet, whose numbers are all [`f64`].
const MOST_EXACT: u64 = 1 << 53;

/// `A` for 0, `Z` for 25, `AA` for 26.
pub(super) fn letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// Appends row `number` (from 1).
pub(super) fn append_row(out: &mut Vec<u8>, number: u32, letters: &[String], cells: &[Cell<'_>], style: u8) {
    let mut digits = itoa::Buffer::new();
    let number = digits.format(number).as_bytes();
    out.extend_from_slice(b"<row r=\"");
    out.extend_from_slice(number);
    out.extend_from_slice(b"\">");
    for (letters, cell) in letters.iter().zip(cells) {
        let place = (letters.as_bytes(), number);
        match *cell {
            Cell::Empty | Cell::Text("") => {}
            Cell::Text(text) => append_text(out, place, style, text),
            Cell::Integer(value) if value.unsigned_abs() > MOST_EXACT => {
                append_text(out, place, style, itoa::Buffer::new().format(value));
            }
            Cell::Integer(value) => append_number(out, place, style, itoa::Buffer::new().format(value)),
            Cell::Float(value) if value.is_finite() => {
                append_number(out, place, style, zmij::Buffer::new().format_finite(value));
            }
            Cell::Float(_) => {}
            Cell::Boolean(value) => {
                append_start(out, place, style);
                out.extend_from_slice(if value {
                    b" t=\"b\"><v>1</v></c>"
                } else {
                    b" t=\"b\"><v>0</v></c>"
                });
            }
            Cell::Time(time) => match serial(time) {
                Some(days) => append_number(out, place, TIME, zmij::Buffer::new().format_finite(days)),
                None => append_text(out, place, style, &written_out(time)),
            },
        }
    }
    out.extend_from_slice(b"</row>");
}

/// A moment as days since 1899-12-30, as spreadsheets count; nothing before 1900-03-01 (where they disagree: Excel
/// believes in a 29th of February 1900) and after 9999-12-31.
#[must_use]
pub fn serial(time: DateTime<Utc>) -> Option<f64> {
    const MICROS_OF_DAY: f64 = 86_400_000_000.0;
    const EPOCH: f64 = 25_569.0;
    let days = time.timestamp_micros() as f64 / MICROS_OF_DAY + EPOCH;
    (61.0..2_958_466.0).contains(&days).then_some(days)
}

/// The text as a cell of a spreadsheet can hold it: new lines as a line feed alone, characters that XML forbids as
/// U+FFFD, what is too long cut and ended with `…`. Literal `_xHHHH_` is left alone here and escaped when written.
#[must_use]
pub fn clean_text(text: &str) -> Cow<'_, str> {
    let text = cut(text);
    if !text.chars().any(|char| char == '\r' || is_forbidden(char)) {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            char if is_forbidden(char) => clean.push(char::REPLACEMENT_CHARACTER),
            char => clean.push(char),
        }
    }
    Cow::Owned(clean)
}

/// XML 1.0, production 2: what no document may hold, not even as a reference.
fn is_forbidden(char: char) -> bool {
    matches!(char, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether the text is too long for a cell.
pub(super) fn is_cut(text: &str) -> bool {
    text.len() > MOST_UTF16_UNITS && text.encode_utf16().count() > MOST_UTF16_UNITS
}

fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST_UTF16_UNITS {
        return Cow::Borrowed(text);
    }
    let mut units = 0;
    let mut end = 0;
    for (at, char) in text.char_indices() {
        units += char.len_utf16();
        if units > MOST_UTF16_UNITS {
            return Cow::Owned(format!("{}…", &text[..end]));
        }
        // One unit stays free for the mark.
        if units < MOST_UTF16_UNITS {
            end = at + char.len_utf8();
        }
    }
    Cow::Borrowed(text)
}

/// As CSV writes it.
fn written_out(time: DateTime<Utc>) -> String {
    let mut text = Vec::new();
    CsvRow::begin(&mut text).time(time);
    String::from_utf8(text).unwrap_or_default()
}

fn append_start(out: &mut Vec<u8>, (letters, number): (&[u8], &[u8]), style: u8) {
    out.extend_from_slice(b"<c r=\"");
    out.extend_from_slice(letters);
    out.extend_from_slice(number);
    if style == PLAIN {
        out.push(b'"');
    } else {
        out.extend_from_slice(b"\" s=\"");
        out.push(b'0' + style);
        out.push(b'"');
    }
}

fn append_number(out: &mut Vec<u8>, place: (&[u8], &[u8]), style: u8, digits: &str) {
    append_start(out, place, style);
    out.extend_from_slice(b"><v>");
    out.extend_from_slice(digits.as_bytes());
    out.extend_from_slice(b"</v></c>");
}

fn append_text(out: &mut Vec<u8>, place: (&[u8], &[u8]), style: u8, text: &str) {
    append_start(out, place, style);
    let is_edge_blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    if is_edge_blank(text.as_bytes().first()) || is_edge_blank(text.as_bytes().last()) {
        out.extend_from_slice(b" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
    } else {
        out.extend_from_slice(b" t=\"inlineStr\"><is><t>");
    }
    append_escaped(out, text);
    out.extend_from_slice(b"</t></is></c>");
}

/// Bytes that may need something done about them. 0xEF begins U+FFFE and U+FFFF among many that are harmless.
const NEEDS_CARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = !(byte == b'\t' as usize || byte == b'\n' as usize);
        byte += 1;
    }
    table[b'&' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[b'_' as usize] = true;
    table[0xef] = true;
    table
};

/// Appends text from anywhere as the content of an element.
pub(super) fn append_escaped(out: &mut Vec<u8>, text: &str) {
    if text.len() <= MOST_UTF16_UNITS && !text.bytes().any(|byte| NEEDS_CARE[usize::from(byte)]) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let text = clean_text(text);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            // `_x0041_` would be read as `A`.
            b'_' if is_escape(&bytes[at..]) => out.extend_from_slice(b"_x005F_"),
            byte => out.push(*byte),
        }
    }
}

fn is_escape(bytes: &[u8]) -> bool {
    bytes.len() >= 7 && bytes[1] == b'x' && bytes[6] == b'_' && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}
