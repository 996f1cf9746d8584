//! The first sheet: what the report is about, key figures, and charts of them. The tables that the charts are drawn
//! from stand beside them.

use forgeos_tables::Cell;
use rust_xlsxwriter::{
    Chart, ChartDataLabel, ChartFormat, ChartLegendPosition, ChartPoint, ChartSolidFill, ChartType, Color,
    Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use crate::{
    language::{Words, decimal},
    model::Report,
    statistics::{Statistics, statistics},
};

use super::{
    look::{ACCENT, Look, SEVERITY_COLOURS},
    sheet::{print_on_paper, put},
    title,
};

/// The column that charts begin at: right of the tables.
const CHARTS: u16 = 7;
/// Analyses whose severity is missing.
const NO_COLOUR: u32 = 0xB0_B7_BD;

pub(super) fn write(
    workbook: &mut Workbook,
    report: &Report,
    words: &Words,
    look: &Look,
) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet().set_name(words.get("sheet.summary"))?;
    sheet.set_column_width(0, 34)?;
    sheet.set_column_width(1, 19)?;
    for column in 2..6 {
        sheet.set_column_width(column, 14)?;
    }
    sheet.set_screen_gridlines(false);
    print_on_paper(sheet, words);

    let mut page = Page { sheet, words, look, row: 0 };
    let figures = statistics(&report.analyses);
    page.facts(report, &figures)?;
    page.key_figures(&figures)?;
    page.by_verdict(&figures)?;
    page.by_severity(&figures)?;
    page.cqi_spread(&figures)?;
    page.by_class(&figures)
}

/// The sheet, filled from the top.
struct Page<'a> {
    sheet: &'a mut Worksheet,
    words: &'a Words,
    look: &'a Look,
    row: u32,
}

impl Page<'_> {
    fn facts(&mut self, report: &Report, figures: &Statistics) -> Result<(), XlsxError> {
        put(self.sheet, (0, 0), Cell::Text(title(report, self.words)), &self.look.title)?;
        let generated = format!("{} (UTC)", self.words.get("report.generated_label"));
        let facts = [
            (generated.as_str(), Cell::Time(report.generated_at), &self.look.time),
            (self.words.get("label.job_id"), Cell::Text(&report.job_id), &self.look.text),
            (self.words.get("heading.analyses"), figures.analyses.into(), &self.look.integer),
            (self.words.get("heading.left_out"), (report.left_out.len() as u64).into(), &self.look.integer),
            (self.words.get("heading.defects"), figures.defects_detected.into(), &self.look.integer),
        ];
        self.row = 2;
        for (name, value, format) in facts {
            self.name(name)?;
            put(
                self.sheet,
                (self.row, 1),
                value,
                &format.clone().set_align(FormatAlign::Left).set_indent(0),
            )?;
            self.row += 1;
        }
        Ok(())
    }

    fn key_figures(&mut self, figures: &Statistics) -> Result<(), XlsxError> {
        let columns = ["", "column.count", "label.mean", "label.median", "label.lowest", "label.highest"];
        self.begin("heading.key_figures", &columns)?;
        let rows = [
            ("figure.cqi.name", figures.cqi, &self.look.index),
            ("figure.cvi.name", figures.cvi, &self.look.index),
            ("column.coverage_percent", figures.coverage_percent, &self.look.percent),
            ("figure.confidence.name", figures.confidence, &self.look.index),
        ];
        for (name, spread, format) in rows {
            self.name(self.words.get(name))?;
            self.number(1, spread.map_or(0, |spread| spread.count))?;
            if let Some(spread) = spread {
                for (column, value) in (2..).zip([spread.mean, spread.median, spread.lowest, spread.highest])
                {
                    put(self.sheet, (self.row, column), value.into(), format)?;
                }
            }
            self.row += 1;
        }
        Ok(())
    }

    fn by_verdict(&mut self, figures: &Statistics) -> Result<(), XlsxError> {
        self.begin("heading.verdict_share", &["column.verdict", "column.count", "column.share"])?;
        let counts = figures.verdicts;
        for (name, count) in [
            ("verdict.pass.name", counts.pass),
            ("verdict.watch.name", counts.watch),
            ("verdict.repair.name", counts.repair),
            ("verdict.uncertain.name", counts.uncertain),
        ] {
            self.share(name, count, figures.analyses)?;
        }
        Ok(())
    }

    fn by_severity(&mut self, figures: &Statistics) -> Result<(), XlsxError> {
        self.begin("heading.severity_share", &["column.severity", "column.count", "column.share"])?;
        let counts = figures.severities;
        let rows = [
            ("severity.low", counts.low),
            ("severity.medium", counts.medium),
            ("severity.high", counts.high),
            ("severity.unknown", counts.unknown),
        ];
        let first = self.row;
        for (name, count) in rows {
            self.share(name, count, figures.analyses)?;
        }
        let colours = SEVERITY_COLOURS.into_iter().chain([NO_COLOUR]);
        let points: Vec<ChartPoint> =
            colours.map(|colour| ChartPoint::new().set_format(&mut filled(colour))).collect();
        let mut chart = Chart::new(ChartType::Doughnut);
        let name = self.words.get("sheet.summary");
        chart
            .add_series()
            .set_categories((name, first, 0, self.row - 1, 0))
            .set_values((name, first, 1, self.row - 1, 1))
            .set_points(&points);
        chart.legend().set_position(ChartLegendPosition::Right);
        self.place(2, chart, "heading.severity_share")
    }

    fn cqi_spread(&mut self, figures: &Statistics) -> Result<(), XlsxError> {
        self.begin("heading.cqi_distribution", &["column.cqi", "column.count"])?;
        let first = self.row;
        let tenth = |number: usize| decimal(self.words.language(), number as f64 / 10.0, 1);
        for (bin, count) in figures.cqi_bins.into_iter().enumerate() {
            self.name(&format!("{}–{}", tenth(bin), tenth(bin + 1)))?;
            self.number(1, count)?;
            self.row += 1;
        }
        let chart = self.columns_chart(first);
        self.place(18, chart, "heading.cqi_distribution")
    }

    fn by_class(&mut self, figures: &Statistics) -> Result<(), XlsxError> {
        let others = figures.defects_of_other_classes;
        if others == 0 && figures.defects_by_class.iter().all(|class| class.count == 0) {
            return Ok(());
        }
        self.begin("heading.defects_by_class", &["column.class", "column.count"])?;
        let first = self.row;
        for class in &figures.defects_by_class {
            self.name(self.words.get(&format!("defect.{}.name", class.class)))?;
            self.number(1, class.count)?;
            self.row += 1;
        }
        if others > 0 {
            self.name(self.words.get("defect.other.name"))?;
            self.number(1, others)?;
            self.row += 1;
        }
        let chart = self.columns_chart(first);
        self.place(34, chart, "heading.defects_by_class")
    }

    /// A heading and the header of a table below it, one row off what stands above.
    fn begin(&mut self, heading: &str, columns: &[&str]) -> Result<(), XlsxError> {
        self.row += 1;
        put(self.sheet, (self.row, 0), Cell::Text(self.words.get(heading)), &self.look.heading)?;
        self.row += 1;
        let over_numbers = self.look.header.clone().set_align(FormatAlign::Right);
        for (column, key) in (0..).zip(columns) {
            let format: &Format = if column == 0 { &self.look.header } else { &over_numbers };
            if key.is_empty() {
                self.sheet.write_blank(self.row, column, format)?;
            } else {
                put(self.sheet, (self.row, column), Cell::Text(self.words.get(key)), format)?;
            }
        }
        self.row += 1;
        Ok(())
    }

    /// A row of a name, a count and its share of `all`.
    fn share(&mut self, name: &str, count: u64, all: u64) -> Result<(), XlsxError> {
        self.name(self.words.get(name))?;
        self.number(1, count)?;
        let share = count as f64 / all.max(1) as f64;
        put(self.sheet, (self.row, 2), share.into(), &self.look.share)?;
        self.row += 1;
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), XlsxError> {
        put(self.sheet, (self.row, 0), Cell::Text(name), &Format::new())
    }

    fn number(&mut self, column: u16, number: u64) -> Result<(), XlsxError> {
        put(self.sheet, (self.row, column), number.into(), &self.look.integer)
    }

    /// Of the rows from `first` on.
    fn columns_chart(&self, first: u32) -> Chart {
        let (name, last) = (self.words.get("sheet.summary"), self.row - 1);
        let mut chart = Chart::new(ChartType::Column);
        chart
            .add_series()
            .set_categories((name, first, 0, last, 0))
            .set_values((name, first, 1, last, 1))
            .set_format(&mut filled(ACCENT))
            .set_data_label(ChartDataLabel::new().show_value())
            .set_gap(40);
        chart.legend().set_hidden();
        chart.y_axis().set_num_format("0").set_min(0).set_major_gridlines(false);
        chart
    }

    fn place(&mut self, row: u32, mut chart: Chart, title: &str) -> Result<(), XlsxError> {
        let title = self.words.get(title);
        chart.title().set_name(title).set_font(rust_xlsxwriter::ChartFont::new().set_size(13));
        chart.set_alt_text(title).set_width(520).set_height(300);
        self.sheet.insert_chart(row, CHARTS, &chart)?;
        Ok(())
    }
}

fn filled(colour: u32) -> ChartFormat {
    let mut format = ChartFormat::new();
    format.set_solid_fill(ChartSolidFill::new().set_color(Color::RGB(colour)));
    format
}
