//! The sheet of analyses: one row each, in the order of the report.

use forgeos_tables::Cell;
use rust_xlsxwriter::{
    Color, ConditionalFormat3ColorScale, ConditionalFormatCell, ConditionalFormatCellRule,
    ConditionalFormatType, Format, Workbook, Worksheet, XlsxError,
};

use crate::{
    language::Words,
    model::{Analysis, Metrics, Picture, Report},
    rules::{Verdict, verdict},
};

use super::{
    look::{Look, PALE_COLOURS},
    sheet::{Column, begin_table, end_table, put, put_link},
};

const CQI: u16 = 4;
const COVERAGE: u16 = 5;
const SEVERITY: u16 = 8;
/// The last column that fits a page; those behind it are for the screen.
const LAST_PRINTED: u16 = 11;
const PHOTOGRAPH: u16 = 24;
const OVERLAY: u16 = 25;

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let columns = columns(look);
    let sheet = workbook.add_worksheet().set_name(words.get("sheet.analyses"))?;
    begin_table(sheet, &columns, words, look)?;
    for (row, analysis) in (1..).zip(&report.analyses) {
        for ((at, column), cell) in (0..).zip(&columns).zip(cells(row, analysis, words)) {
            put(sheet, (row, at), cell, column.format)?;
        }
        for (at, picture) in [(PHOTOGRAPH, &analysis.photograph), (OVERLAY, &analysis.overlay)] {
            if let Some(url) = picture.as_ref().and_then(|Picture { url, .. }| url.as_deref()) {
                put_link(sheet, (row, at), url, words.get("sheet.open_picture"), &look.text)?;
            }
        }
    }
    let rows = report.analyses.len() as u32;
    end_table(sheet, &columns, rows)?;
    sheet.set_print_area(0, 0, rows.max(1), LAST_PRINTED)?;
    colour(sheet, rows.max(1), words)
}

fn verdict_key(metrics: &Metrics) -> &'static str {
    match verdict(metrics) {
        Verdict::Pass => "verdict.pass.name",
        Verdict::Watch => "verdict.watch.name",
        Verdict::Repair => "verdict.repair.name",
        Verdict::Uncertain => "verdict.uncertain.name",
    }
}

fn columns(look: &Look) -> Vec<Column<'_>> {
    let column = |heading, width, format| Column { heading, width, format };
    vec![
        column("column.number", 7, &look.integer),
        column("column.filename", 36, &look.text),
        column("column.created_at", 18, &look.time),
        column("column.cvi", 9, &look.index),
        column("column.cqi", 9, &look.index),
        column("column.coverage_percent", 13, &look.percent),
        column("column.edge_coverage_ratio", 13, &look.index),
        column("column.defects_detected", 10, &look.integer),
        column("column.severity", 18, &look.text),
        column("column.verdict", 18, &look.text),
        column("column.confidence", 14, &look.index),
        column("column.roi_percent", 13, &look.percent),
        column("column.glare_percent", 14, &look.percent),
        column("column.clipped_percent", 18, &look.percent),
        column("column.sharpness", 12, &look.index),
        column("column.lighting_evenness", 13, &look.index),
        column("column.profile", 12, &look.text),
        column("column.sensitivity", 13, &look.text),
        column("column.picture_width", 16, &look.integer),
        column("column.picture_height", 16, &look.integer),
        column("column.model_version", 22, &look.text),
        column("column.model_label", 16, &look.text),
        column("column.model_probability", 15, &look.index),
        column("column.processing_time_ms", 17, &look.integer),
        column("column.photograph", 14, &look.text),
        column("column.overlay", 14, &look.text),
        column("column.analysis_id", 40, &look.text),
        column("column.job_id", 40, &look.text),
    ]
}

fn cells<'a>(number: u32, analysis: &'a Analysis, words: &'a Words) -> [Cell<'a>; 28] {
    let metrics = &analysis.metrics;
    let capture = metrics.capture.as_ref();
    [
        number.into(),
        analysis.filename.as_deref().into(),
        analysis.created_at.into(),
        metrics.cvi.into(),
        metrics.cqi.into(),
        metrics.coverage_percent.into(),
        metrics.edge_coverage_ratio.into(),
        metrics.defects_detected.into(),
        metrics.severity.as_deref().map(|word| words.of("severity", word)).into(),
        words.get(verdict_key(metrics)).into(),
        metrics.confidence.into(),
        metrics.roi_percent.into(),
        capture.and_then(|capture| capture.glare_percent).into(),
        capture.and_then(|capture| capture.clipped_percent).into(),
        capture.and_then(|capture| capture.sharpness).into(),
        capture.and_then(|capture| capture.lighting_evenness).into(),
        metrics.profile.as_deref().map(|word| words.of("profile", word)).into(),
        metrics.sensitivity.as_deref().map(|word| words.of("sensitivity", word)).into(),
        metrics.width.into(),
        metrics.height.into(),
        metrics.model_version.as_deref().into(),
        metrics.label.as_deref().into(),
        metrics.probability.into(),
        metrics.processing_time_ms.into(),
        Cell::Empty,
        Cell::Empty,
        Cell::Text(&analysis.id),
        analysis.job_id.as_deref().into(),
    ]
}

/// Colours that follow the cells when somebody sorts or corrects them.
fn colour(sheet: &mut Worksheet, last: u32, words: &Words) -> Result<(), XlsxError> {
    for (word, colour) in ["low", "medium", "high"].into_iter().zip(PALE_COLOURS) {
        let word = words.of("severity", word);
        let format = Format::new().set_background_color(Color::RGB(colour));
        let rule = ConditionalFormatCell::new()
            .set_rule(ConditionalFormatCellRule::EqualTo(word))
            .set_format(format);
        sheet.add_conditional_format(1, SEVERITY, last, SEVERITY, &rule)?;
    }
    // Between these the colour tells at a glance what the numbers of a batch are like; they are no limits of a standard.
    for (at, low, middle, high) in [(CQI, 0.5, 0.75, 1.0), (COVERAGE, 80.0, 95.0, 100.0)] {
        let scale = ConditionalFormat3ColorScale::new()
            .set_minimum(ConditionalFormatType::Number, low)
            .set_midpoint(ConditionalFormatType::Number, middle)
            .set_maximum(ConditionalFormatType::Number, high)
            .set_minimum_color(Color::RGB(PALE_COLOURS[2]))
            .set_midpoint_color(Color::RGB(PALE_COLOURS[1]))
            .set_maximum_color(Color::RGB(PALE_COLOURS[0]));
        sheet.add_conditional_format(1, at, last, at, &scale)?;
    }
    Ok(())
}
