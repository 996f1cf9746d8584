//! The first sheet: what the report is about, key figures, and charts of them. The tables that the charts are drawn
//! from stand beside them.

use forgeos_tables::Cell;
use rust_xlsxwriter::{
    Chart, ChartDataLabel, ChartFormat, ChartLegendPosition, ChartPoint, ChartSolidFill, ChartType, Color,
    Format, Workbook, Worksheet, XlsxError,
};

use crate::model::{Metrics, Report};

use super::{
    look::{ACCENT, Look, SEVERITY_COLOURS},
    sheet::{print_on_paper, put},
    words::Words,
};

/// Columns that charts begin at: right of the tables.
const CHARTS: u16 = 7;

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet().set_name(words.summary)?;
    sheet.set_column_width(0, 30)?;
    for column in 1..6 {
        sheet.set_column_width(column, 13)?;
    }
    sheet.set_screen_gridlines(false);
    print_on_paper(sheet, words);

    put(sheet, (0, 0), Cell::Text(words.title), &look.title)?;
    let facts = [
        (words.generated_at, Cell::Time(report.generated_at), &look.time),
        (words.job, Cell::Text(&report.job_id), &look.text),
        (words.analyses, (report.analyses.len() as u64).into(), &look.integer),
        (words.left_out, (report.left_out.len() as u64).into(), &look.integer),
        (words.defects, defects(report).into(), &look.integer),
    ];
    for (row, (name, value, format)) in (2..).zip(facts) {
        put(sheet, (row, 0), Cell::Text(name), &look.text)?;
        put(sheet, (row, 1), value, &format.clone().set_align(rust_xlsxwriter::FormatAlign::Left))?;
    }
    let next = key_figures(sheet, 8, report, words, look)?;
    let next = by_severity(sheet, next + 1, report, words, look)?;
    let next = cqi_spread(sheet, next + 1, report, words, look)?;
    by_class(sheet, next + 1, report, words, look)
}

/// Defects that were counted; where no number was kept, those that are listed.
fn defects(report: &Report) -> u64 {
    let of = |metrics: &Metrics| {
        metrics
            .defects_detected
            .unwrap_or_else(|| metrics.defects.as_ref().map_or(0, |list| list.len() as u64))
    };
    report.analyses.iter().map(|analysis| of(&analysis.metrics)).fold(0, u64::saturating_add)
}

fn key_figures(
    sheet: &mut Worksheet,
    top: u32,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<u32, XlsxError> {
    type Read = fn(&Metrics) -> Option<f64>;
    let figures: [(&str, &Format, Read); 5] = [
        (words.cqi, &look.index, |metrics| metrics.cqi),
        (words.cvi, &look.index, |metrics| metrics.cvi),
        (words.coverage, &look.percent, |metrics| metrics.coverage_percent),
        (words.edge_coverage, &look.index, |metrics| metrics.edge_coverage_ratio),
        (words.confidence, &look.index, |metrics| metrics.confidence),
    ];
    put(sheet, (top, 0), Cell::Text(words.key_figures), &look.heading)?;
    let headings = ["", words.measured, words.mean, words.median, words.lowest, words.highest];
    header(sheet, top + 1, &headings, look)?;
    let mut row = top + 2;
    for (name, format, read) in figures {
        let values: Vec<f64> =
            report.analyses.iter().filter_map(|analysis| read(&analysis.metrics)).collect();
        put(sheet, (row, 0), Cell::Text(name), &look.text)?;
        if let Some(spread) = Spread::of(values) {
            put(sheet, (row, 1), (spread.count as u64).into(), &look.integer)?;
            for (column, value) in (2..).zip([spread.mean, spread.median, spread.lowest, spread.highest]) {
                put(sheet, (row, column), value.into(), format)?;
            }
        } else {
            put(sheet, (row, 1), Cell::Integer(0), &look.integer)?;
        }
        row += 1;
    }
    Ok(row)
}

fn by_severity(
    sheet: &mut Worksheet,
    top: u32,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<u32, XlsxError> {
    let mut counts = [0_u64; 4];
    for analysis in &report.analyses {
        let at = ["low", "medium", "high"]
            .iter()
            .position(|word| analysis.metrics.severity.as_deref() == Some(word));
        counts[at.unwrap_or(3)] += 1;
    }
    put(sheet, (top, 0), Cell::Text(words.by_severity), &look.heading)?;
    header(sheet, top + 1, &[words.severity, words.count, words.share], look)?;
    let names = [words.severities[0], words.severities[1], words.severities[2], words.not_given];
    let first = top + 2;
    for (row, (name, count)) in (first..).zip(names.into_iter().zip(counts)) {
        put(sheet, (row, 0), Cell::Text(name), &look.text)?;
        put(sheet, (row, 1), count.into(), &look.integer)?;
        let share = count as f64 / report.analyses.len().max(1) as f64;
        put(sheet, (row, 2), share.into(), &look.share)?;
    }
    let colours = SEVERITY_COLOURS.into_iter().chain([0xB0_B7_BD]);
    let points: Vec<ChartPoint> =
        colours.map(|colour| ChartPoint::new().set_format(&mut filled(colour))).collect();
    let mut chart = Chart::new(ChartType::Doughnut);
    chart
        .add_series()
        .set_categories((words.summary, first, 0, first + 3, 0))
        .set_values((words.summary, first, 1, first + 3, 1))
        .set_points(&points);
    chart.legend().set_position(ChartLegendPosition::Right);
    place(sheet, 2, chart, words.by_severity)?;
    Ok(first + 4)
}

fn cqi_spread(
    sheet: &mut Worksheet,
    top: u32,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<u32, XlsxError> {
    let mut bins = [0_u64; 10];
    for cqi in
        report.analyses.iter().filter_map(|analysis| analysis.metrics.cqi).filter(|cqi| cqi.is_finite())
    {
        bins[((cqi.clamp(0.0, 1.0) * 10.0) as usize).min(9)] += 1;
    }
    put(sheet, (top, 0), Cell::Text(words.cqi_spread), &look.heading)?;
    header(sheet, top + 1, &[words.cqi, words.count], look)?;
    let first = top + 2;
    for (row, (bin, count)) in (first..).zip((0..).zip(bins)) {
        let (from, to) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
        let name = words.decimal(&format!("{from:.1}–{to:.1}"));
        put(sheet, (row, 0), Cell::Text(&name), &look.text)?;
        put(sheet, (row, 1), count.into(), &look.integer)?;
    }
    let mut chart = columns_chart(words.summary, first, first + 9);
    chart.x_axis().set_name(words.cqi);
    place(sheet, 18, chart, words.cqi_spread)?;
    Ok(first + 10)
}

fn by_class(
    sheet: &mut Worksheet,
    top: u32,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let listed = || report.analyses.iter().flat_map(|analysis| analysis.metrics.defects.iter().flatten());
    if listed().next().is_none() {
        return Ok(());
    }
    put(sheet, (top, 0), Cell::Text(words.by_class), &look.heading)?;
    header(sheet, top + 1, &[words.class, words.count], look)?;
    let first = top + 2;
    for (row, (class, name)) in (first..).zip(words.classes) {
        let count = listed().filter(|defect| defect.class == class).count() as u64;
        put(sheet, (row, 0), Cell::Text(name), &look.text)?;
        put(sheet, (row, 1), count.into(), &look.integer)?;
    }
    let chart = columns_chart(words.summary, first, first + words.classes.len() as u32 - 1);
    place(sheet, 34, chart, words.by_class)
}

fn header(sheet: &mut Worksheet, row: u32, names: &[&str], look: &Look) -> Result<(), XlsxError> {
    for (column, name) in (0..).zip(names) {
        if name.is_empty() {
            sheet.write_blank(row, column, &look.header)?;
        }
        put(sheet, (row, column), Cell::Text(name), &look.header)?;
    }
    Ok(())
}

fn columns_chart(sheet: &str, first: u32, last: u32) -> Chart {
    let mut chart = Chart::new(ChartType::Column);
    chart
        .add_series()
        .set_categories((sheet, first, 0, last, 0))
        .set_values((sheet, first, 1, last, 1))
        .set_format(&mut filled(ACCENT))
        .set_data_label(ChartDataLabel::new().show_value())
        .set_gap(40);
    chart.legend().set_hidden();
    chart.y_axis().set_num_format("0").set_min(0).set_major_gridlines(false);
    chart
}

fn filled(colour: u32) -> ChartFormat {
    let mut format = ChartFormat::new();
    format.set_solid_fill(ChartSolidFill::new().set_color(Color::RGB(colour)));
    format
}

fn place(sheet: &mut Worksheet, row: u32, mut chart: Chart, title: &str) -> Result<(), XlsxError> {
    chart.title().set_name(title);
    chart.set_alt_text(title).set_width(520).set_height(300);
    sheet.insert_chart(row, CHARTS, &chart)?;
    Ok(())
}

/// A figure over the analyses that have it.
struct Spread {
    count: usize,
    mean: f64,
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Spread {
    /// Of the finite values; nothing if there is none.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let count = values.len();
        let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        Some(Self { count, mean: values.iter().sum::<f64>() / count as f64, median, lowest, highest })
    }
}
