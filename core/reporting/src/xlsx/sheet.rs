//! Cells into a sheet of the workbook, and what all tables in it share: a header that stays, a filter, pages that fit.

use forgeos_tables::{
    Cell,
    xlsx::{clean_text, serial},
};
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use crate::language::Words;

use super::{link, look::Look};

/// A sheet's column: key of its heading, width in characters, format of its cells.
pub(super) struct Column<'a> {
    pub(super) heading: &'static str,
    pub(super) width: u8,
    pub(super) format: &'a Format,
}

/// Links of a sheet that Excel opens.
const MOST_LINKS: usize = 65_530;
/// Characters of an address that Excel opens.
const MOST_URL_CHARACTERS: usize = 2_000;

/// Writes a cell; text stays text, what is no number stays empty.
pub(super) fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: Cell<'_>,
    format: &Format,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty | Cell::Text("") => {}
        Cell::Text(text) => {
            sheet.write_string_with_format(row, column, clean_text(text), format)?;
        }
        Cell::Integer(number) => {
            sheet.write_number_with_format(row, column, number as f64, format)?;
        }
        Cell::Float(number) if number.is_finite() => {
            sheet.write_number_with_format(row, column, number, format)?;
        }
        Cell::Float(_) => {}
        Cell::Boolean(value) => {
            sheet.write_boolean_with_format(row, column, value, format)?;
        }
        Cell::Time(time) => {
            if let Some(days) = serial(time) {
                sheet.write_number_with_format(row, column, days, format)?;
            } else {
                sheet.write_string_with_format(row, column, time.to_rfc3339(), format)?;
            }
        }
    }
    Ok(())
}

/// Writes an address: as a link where a browser can follow it, else as text.
pub(super) fn put_link(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    url: &str,
    shown: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let opens = ["https://", "http://", "file://"].iter().any(|scheme| url.starts_with(scheme));
    // Two links a row at most.
    let has_room = (row as usize) < MOST_LINKS / 2;
    let is_short = url.chars().count() <= MOST_URL_CHARACTERS && !url.chars().any(char::is_control);
    if opens
        && has_room
        && is_short
        && let Some(link) = link::of(url)
    {
        sheet.write_url_with_text(row, column, link, shown)?;
        return Ok(());
    }
    put(sheet, (row, column), Cell::Text(url), format)
}

/// Writes the header of a table that fills the sheet, and sets the sheet up for reading and printing.
pub(super) fn begin_table(
    sheet: &mut Worksheet,
    columns: &[Column<'_>],
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    for (at, column) in (0..).zip(columns) {
        sheet.set_column_width(at, column.width)?;
        put(sheet, (0, at), Cell::Text(words.get(column.heading)), &look.header)?;
    }
    // Two lines: nobody measures wrapped text for us.
    sheet.set_row_height(0, 30)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    print_on_paper(sheet, words);
    Ok(())
}

/// Ends a table of so many rows without the header: a filter over all of it.
pub(super) fn end_table(sheet: &mut Worksheet, columns: &[Column<'_>], rows: u32) -> Result<(), XlsxError> {
    sheet.autofilter(0, 0, rows.max(1), (columns.len() - 1) as u16)?;
    Ok(())
}

/// A4, across, as wide as the page, numbered.
pub(super) fn print_on_paper(sheet: &mut Worksheet, words: &Words) {
    let page = words.fill("footer.page", &[("page", "&P"), ("pages", "&N")]);
    sheet.set_paper_size(9).set_landscape().set_print_fit_to_pages(1, 0).set_footer(format!("&L&A&R{page}"));
}
