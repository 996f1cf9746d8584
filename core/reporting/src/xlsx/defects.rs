//! The sheet of defects: one row each, by analysis and then from the largest to the smallest.

use forgeos_tables::Cell;
use rust_xlsxwriter::{Workbook, XlsxError};

use crate::{
    language::{Words, place_of},
    model::{Analysis, Defect, Metrics, Report},
};

use super::{
    look::Look,
    sheet::{Column, begin_table, end_table, put},
};

/// Rows that are kept in memory; more go through a temporary file.
const MOST_IN_MEMORY: usize = 20_000;

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let columns = columns(look);
    let defects = |analysis: &Analysis| analysis.metrics.defects.as_ref().map_or(0, Vec::len);
    let rows: usize = report.analyses.iter().map(defects).sum();
    let sheet = if rows > MOST_IN_MEMORY {
        workbook.add_worksheet_with_constant_memory()?
    } else {
        workbook.add_worksheet()
    };
    sheet.set_name(words.get("sheet.defects"))?;
    begin_table(sheet, &columns, words, look)?;
    let mut row = 0;
    for (number, analysis) in (1..).zip(&report.analyses) {
        for (place, defect) in (1..).zip(analysis.metrics.defects.iter().flatten()) {
            row += 1;
            let cells = cells((number, place), analysis, defect, words);
            for ((at, column), cell) in (0..).zip(&columns).zip(cells) {
                put(sheet, (row, at), cell, column.format)?;
            }
        }
    }
    end_table(sheet, &columns, row)
}

fn columns(look: &Look) -> Vec<Column<'_>> {
    let column = |heading, width, format| Column { heading, width, format };
    vec![
        column("column.number", 7, &look.integer),
        column("column.filename", 36, &look.text),
        column("column.defect_number", 10, &look.integer),
        column("column.class", 16, &look.text),
        column("column.area_percent", 12, &look.index),
        column("column.x", 12, &look.integer),
        column("column.y", 12, &look.integer),
        column("column.width", 12, &look.integer),
        column("column.height", 12, &look.integer),
        column("column.delta_e", 15, &look.decimal),
        column("column.place", 18, &look.text),
        column("column.analysis_id", 40, &look.text),
    ]
}

/// `numbers` are those of the analysis and of the defect, as the PDF has them.
fn cells<'a>(
    numbers: (u32, u32),
    analysis: &'a Analysis,
    defect: &'a Defect,
    words: &'a Words,
) -> [Cell<'a>; 12] {
    let Metrics { width, height, .. } = analysis.metrics;
    let place = place_of(defect, width, height).map(|place| place.name(words.language()));
    [
        numbers.0.into(),
        analysis.filename.as_deref().into(),
        numbers.1.into(),
        Cell::Text(words.find(&format!("defect.{}.name", defect.class)).unwrap_or(&defect.class)),
        defect.area_percent.into(),
        defect.x.into(),
        defect.y.into(),
        defect.width.into(),
        defect.height.into(),
        defect.delta_e.into(),
        place.into(),
        Cell::Text(&analysis.id),
    ]
}
