//! The sheet of what was asked for and is not in the report.

use forgeos_tables::Cell;
use rust_xlsxwriter::{Workbook, XlsxError};

use crate::model::Report;

use super::{
    look::Look,
    sheet::{Column, begin_table, end_table, put},
    words::Words,
};

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let columns = [
        Column { heading: words.analysis_id, width: 38, format: &look.text },
        Column { heading: words.reason, width: 20, format: &look.text },
        Column { heading: words.explanation, width: 90, format: &look.text },
    ];
    let sheet = workbook.add_worksheet().set_name(words.left_out)?;
    begin_table(sheet, &columns, words, look)?;
    for (row, left_out) in (1..).zip(&report.left_out) {
        let cells = [&left_out.analysis_id, &left_out.code, &left_out.message];
        for ((at, column), text) in (0..).zip(&columns).zip(cells) {
            put(sheet, (row, at), Cell::Text(text), column.format)?;
        }
    }
    end_table(sheet, &columns, report.left_out.len() as u32)
}
