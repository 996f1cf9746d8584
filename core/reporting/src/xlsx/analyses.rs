//! The sheet of analyses: one row each, in the order of the report.

use forgeos_tables::Cell;
use rust_xlsxwriter::{
    Color, ConditionalFormat3ColorScale, ConditionalFormatCell, ConditionalFormatCellRule,
    ConditionalFormatType, Format, Workbook, Worksheet, XlsxError,
};

use crate::model::{Analysis, Picture, Report};

use super::{
    look::{Look, PALE_COLOURS},
    sheet::{Column, begin_table, end_table, put, put_link},
    words::Words,
};

const CQI: u16 = 4;
const COVERAGE: u16 = 5;
const SEVERITY: u16 = 8;
const PHOTOGRAPH: u16 = 23;
const OVERLAY: u16 = 24;

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let columns = columns(words, look);
    let sheet = workbook.add_worksheet().set_name(words.analyses)?;
    begin_table(sheet, &columns, words, look)?;
    for (row, analysis) in (1..).zip(&report.analyses) {
        for ((at, column), cell) in (0..).zip(&columns).zip(cells(row, analysis, words)) {
            put(sheet, (row, at), cell, column.format)?;
        }
        for (at, picture) in [(PHOTOGRAPH, &analysis.photograph), (OVERLAY, &analysis.overlay)] {
            if let Some(url) = picture.as_ref().and_then(|Picture { url, .. }| url.as_deref()) {
                put_link(sheet, (row, at), url, words.open, &look.text)?;
            }
        }
    }
    let rows = report.analyses.len() as u32;
    end_table(sheet, &columns, rows)?;
    colour(sheet, rows.max(1), words)
}

fn columns<'a>(words: &'a Words, look: &'a Look) -> Vec<Column<'a>> {
    let column = |heading, width, format| Column { heading, width, format };
    vec![
        column(words.number, 7, &look.integer),
        column(words.picture, 36, &look.text),
        column(words.created_at, 18, &look.time),
        column(words.cvi, 13, &look.index),
        column(words.cqi, 15, &look.index),
        column(words.coverage, 13, &look.percent),
        column(words.edge_coverage, 13, &look.index),
        column(words.defects_detected, 10, &look.integer),
        column(words.severity, 18, &look.text),
        column(words.confidence, 14, &look.index),
        column(words.judged, 13, &look.percent),
        column(words.glare, 14, &look.percent),
        column(words.clipped, 18, &look.percent),
        column(words.sharpness, 12, &look.index),
        column(words.evenness, 13, &look.index),
        column(words.profile, 12, &look.text),
        column(words.sensitivity, 13, &look.text),
        column(words.width, 11, &look.integer),
        column(words.height, 11, &look.integer),
        column(words.model, 22, &look.text),
        column(words.label, 16, &look.text),
        column(words.probability, 15, &look.index),
        column(words.duration, 17, &look.integer),
        column(words.photograph, 14, &look.text),
        column(words.overlay, 17, &look.text),
        column(words.analysis_id, 38, &look.text),
        column(words.batch_id, 38, &look.text),
    ]
}

fn cells<'a>(number: u32, analysis: &'a Analysis, words: &'a Words) -> [Cell<'a>; 27] {
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
        metrics.severity.as_deref().map(|word| words.severity(word)).into(),
        metrics.confidence.into(),
        metrics.roi_percent.into(),
        capture.and_then(|capture| capture.glare_percent).into(),
        capture.and_then(|capture| capture.clipped_percent).into(),
        capture.and_then(|capture| capture.sharpness).into(),
        capture.and_then(|capture| capture.lighting_evenness).into(),
        metrics.profile.as_deref().into(),
        metrics.sensitivity.as_deref().into(),
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
    for (word, colour) in words.severities.into_iter().zip(PALE_COLOURS) {
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
