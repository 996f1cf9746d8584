//! The strip beside or below the photograph. Sizes are in units of a 1600 px long side and scaled to the picture,
//! so nothing moves when a smaller photograph gets a smaller strip.

use super::canvas::{Area, Canvas};
use super::palette::{CASING, FAINT, INK, RAISED, Rgb, severity_color, severity_name};
use super::summary::{Entry, Figure, Finding, Summary, and_more};
use super::text::{Style, Typeface};
use crate::Severity;

/// Width of the strip to the right of an upright photograph.
pub(crate) const SIDE_WIDTH: f32 = 460.0;

const MARGIN: f32 = 34.0;
const LEGEND_ROW: f32 = 33.0;
const FINDING_ROW: f32 = 34.0;
const BLOCK_HEIGHT: f32 = 222.0;

/// Draws with one scale, relative to an origin.
pub(crate) struct Strip<'a> {
    pub(crate) canvas: &'a mut Canvas,
    pub(crate) typeface: &'a Typeface,
    pub(crate) summary: &'a Summary,
    pub(crate) severity: Severity,
    /// Pixels of a unit.
    pub(crate) scale: f32,
    /// Upper left corner, in pixels.
    pub(crate) origin: (f32, f32),
}

/// Units that the strip below a lying photograph needs.
pub(crate) fn footer_height(summary: &Summary) -> f32 {
    let (rows, more) = footer_rows(summary);
    let rows = rows + usize::from(more.is_some());
    BLOCK_HEIGHT + if rows > 0 { rows as f32 * FINDING_ROW + 22.0 } else { 0.0 }
}

/// Rows of findings in the footer, four in each, and what stands below them.
fn footer_rows(summary: &Summary) -> (usize, Option<String>) {
    let listed = summary.findings.len();
    (listed.div_ceil(4), and_more(summary.found, listed).filter(|_| listed > 0))
}

impl Strip<'_> {
    /// Four columns, findings below them in rows of four.
    pub(crate) fn footer(&mut self) {
        self.verdict(MARGIN, 32.0, 330.0);
        self.figures(396.0, 34.0, 165.0, 90.0);
        self.confidence(760.0, 34.0, 300.0);
        let summary = self.summary;
        for (place, entry) in summary.legend.iter().enumerate() {
            let (column, row) = (place / 4, place % 4);
            self.entry(entry, 1110.0 + 236.0 * column as f32, 34.0 + LEGEND_ROW * row as f32, 214.0);
        }
        if !summary.findings.is_empty() {
            self.rule(MARGIN, BLOCK_HEIGHT - 8.0, 1600.0 - 2.0 * MARGIN);
            let (rows, more) = footer_rows(summary);
            for (place, finding) in summary.findings.iter().enumerate() {
                let (column, row) = (place / rows, place % rows);
                let x = MARGIN + 388.0 * column as f32;
                self.finding(finding, x, BLOCK_HEIGHT + 10.0 + FINDING_ROW * row as f32, 340.0);
            }
            if let Some(more) = more {
                self.remark(&more, MARGIN, BLOCK_HEIGHT + 10.0 + FINDING_ROW * rows as f32);
            }
        }
    }

    /// Everything below each other; of the findings as many as `height` units hold.
    pub(crate) fn side(&mut self, height: f32) {
        let width = SIDE_WIDTH - 2.0 * MARGIN;
        self.verdict(MARGIN, 40.0, width);
        self.rule(MARGIN, 196.0, width);
        self.figures(MARGIN, 222.0, 205.0, 94.0);
        self.rule(MARGIN, 416.0, width);
        self.confidence(MARGIN, 442.0, width);
        let mut y = 630.0;
        let summary = self.summary;
        if !summary.legend.is_empty() {
            self.rule(MARGIN, y - 24.0, width);
            for entry in &summary.legend {
                self.entry(entry, MARGIN, y, width);
                y += LEGEND_ROW;
            }
            y += 26.0;
        }
        let room = ((height - y - 20.0) / FINDING_ROW).max(0.0) as usize;
        if room > 0 && !summary.findings.is_empty() {
            self.rule(MARGIN, y - 18.0, width);
            // The last row says what is not listed.
            let listed = match and_more(summary.found, summary.findings.len().min(room)) {
                Some(_) => summary.findings.len().min(room - 1),
                None => summary.findings.len(),
            };
            for finding in &summary.findings[..listed] {
                self.finding(finding, MARGIN, y, width);
                y += FINDING_ROW;
            }
            if let Some(more) = and_more(summary.found, listed) {
                self.remark(&more, MARGIN, y);
            }
        }
    }

    /// A quiet line in the place of a finding.
    fn remark(&mut self, text: &str, x: f32, y: f32) {
        let faint = self.style(18.0, false, FAINT);
        self.text(text, x + 38.0, y + 19.5, faint);
    }

    fn style(&self, size: f32, bold: bool, color: Rgb) -> Style {
        Style { size: size * self.scale, bold, color }
    }

    fn area(&self, x: f32, y: f32, width: f32, height: f32) -> Area {
        let scale = self.scale;
        Area {
            x: self.origin.0 + x * scale,
            y: self.origin.1 + y * scale,
            width: width * scale,
            height: height * scale,
        }
    }

    fn boxed(&mut self, area: Area, radius: f32, color: Rgb) {
        self.canvas.rounded(area, radius * self.scale, color, 1.0);
    }

    fn text(&mut self, text: &str, x: f32, baseline: f32, style: Style) {
        let at = self.area(x, baseline, 0.0, 0.0);
        self.typeface.write(self.canvas, text, at.x, at.y, style);
    }

    fn text_right(&mut self, text: &str, right: f32, baseline: f32, style: Style) {
        let at = self.area(right, baseline, 0.0, 0.0);
        self.typeface.write_right(self.canvas, text, at.x, at.y, style);
    }

    fn rule(&mut self, x: f32, y: f32, width: f32) {
        let area = self.area(x, y, width, 1.5);
        self.boxed(area, 0.0, RAISED);
    }

    /// Severity, number of defects, what was measured.
    fn verdict(&mut self, x: f32, y: f32, width: f32) {
        let words = severity_name(self.severity);
        let style = self.style(21.0, true, CASING);
        let pill = self.area(x, y, self.typeface.width(words, style) / self.scale + 36.0, 40.0);
        self.boxed(pill, 20.0, severity_color(self.severity));
        self.text(words, x + 18.0, y + 27.5, style);
        for (text, baseline, style) in [
            (&self.summary.defects, y + 90.0, self.style(38.0, true, INK)),
            (&self.summary.source, y + 124.0, self.style(18.0, false, FAINT)),
        ] {
            let style = self.typeface.fitting(text, width * self.scale, style);
            self.text(text, x, baseline, style);
        }
    }

    /// Two by two figures with bars.
    fn figures(&mut self, x: f32, y: f32, column: f32, row: f32) {
        let summary = self.summary;
        for (place, figure) in summary.figures.iter().enumerate() {
            self.figure(figure, x + column * (place % 2) as f32, y + row * (place / 2) as f32, column - 28.0);
        }
    }

    fn figure(&mut self, figure: &Figure, x: f32, y: f32, width: f32) {
        let name = self.style(17.0, false, FAINT);
        self.text(figure.name, x, y + 13.0, name);
        let value = self.style(30.0, true, INK);
        self.text(&figure.value, x, y + 46.0, value);
        self.bar(x, y + 61.0, width, figure.level, INK);
    }

    fn bar(&mut self, x: f32, y: f32, width: f32, level: f32, color: Rgb) {
        let whole = self.area(x, y, width, 6.0);
        self.boxed(whole, 3.0, RAISED);
        let level = if level.is_finite() { level.clamp(0.0, 1.0) } else { 0.0 };
        if level > 0.0 {
            let part = self.area(x, y, (width * level).max(6.0), 6.0);
            self.boxed(part, 3.0, color);
        }
    }

    fn confidence(&mut self, x: f32, y: f32, width: f32) {
        let summary = self.summary;
        let name = self.style(17.0, false, FAINT);
        self.text("Confidence", x, y + 13.0, name);
        let value = self.style(30.0, true, INK);
        self.text(&format!("{:.0} %", 100.0 * summary.confidence), x, y + 46.0, value);
        let color = match summary.confidence {
            low if low < 0.5 => severity_color(Severity::High),
            moderate if moderate < 0.75 => severity_color(Severity::Medium),
            _ => severity_color(Severity::Low),
        };
        self.bar(x, y + 61.0, width, summary.confidence, color);
        let words = self.style(17.0, false, FAINT);
        let lines = self.typeface.wrap(&summary.confidence_words, width * self.scale, words);
        for (place, line) in lines.iter().take(3).enumerate() {
            self.text(line, x, y + 97.0 + 23.0 * place as f32, words);
        }
    }

    fn entry(&mut self, entry: &Entry, x: f32, y: f32, width: f32) {
        let swatch = self.area(x, y, 18.0, 18.0);
        if entry.hatched {
            self.boxed(swatch, 4.0, RAISED);
            for stripe in 0..3 {
                let line = self.area(x + 1.5 + 5.8 * stripe as f32, y, 3.2, 18.0);
                self.boxed(line, 1.0, entry.color);
            }
        } else {
            self.boxed(swatch, 5.0, entry.color);
        }
        let name = self.style(18.0, false, INK);
        self.text(entry.name, x + 28.0, y + 15.5, name);
        let figure = self.style(18.0, true, INK);
        self.text_right(&entry.figure, x + width, y + 15.5, figure);
    }

    fn finding(&mut self, finding: &Finding, x: f32, y: f32, width: f32) {
        let badge = self.area(x, y, 26.0, 26.0);
        self.boxed(badge, 13.0, finding.color);
        let number = self.style(16.0, true, CASING);
        let middle = badge.x + 0.5 * badge.width;
        let baseline = badge.y + 18.7 * self.scale;
        self.typeface.write_centered(self.canvas, &finding.number.to_string(), middle, baseline, number);
        let text = self.style(18.0, false, INK);
        self.text(finding.name, x + 38.0, y + 19.5, text);
        self.text_right(&finding.area, x + 0.68 * width, y + 19.5, text);
        let faint = self.style(18.0, false, FAINT);
        self.text_right(&finding.contrast, x + width, y + 19.5, faint);
    }
}
