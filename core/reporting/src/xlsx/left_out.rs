//! The sheet of what was asked for and is not in the report.

use forgeos_tables::Cell;
use rust_xlsxwriter::{Workbook, XlsxError};

use crate::{
    language::Words,
    model::{Language, Report},
};

use super::{
    look::Look,
    sheet::{Column, begin_table, end_table, put},
};

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let columns = [
        Column { heading: "column.analysis_id", width: 40, format: &look.text },
        Column { heading: "column.filename", width: 36, format: &look.text },
        Column { heading: "column.code", width: 24, format: &look.text },
        Column { heading: "column.reason", width: 90, format: &look.text },
    ];
    let sheet = workbook.add_worksheet().set_name(words.get("sheet.left_out"))?;
    begin_table(sheet, &columns, words, look)?;
    for (row, left_out) in (1..).zip(&report.left_out) {
        // The message is in English; a code that is known has words of its own in every language.
        let reason = match report.language {
            Language::En => left_out.message.as_str(),
            Language::No => words.find(&left_out.reason_key()).unwrap_or(&left_out.message),
        };
        let filename = left_out.filename.as_deref().unwrap_or_default();
        let cells = [left_out.analysis_id.as_str(), filename, &left_out.code, reason];
        for ((at, column), text) in (0..).zip(&columns).zip(cells) {
            put(sheet, (row, at), Cell::Text(text), column.format)?;
        }
    }
    end_table(sheet, &columns, report.left_out.len() as u32)
}
