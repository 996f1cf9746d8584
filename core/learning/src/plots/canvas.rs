//! A square between 0 and 1 with axes, lines and a legend.

use std::fmt::Write;

const SIDE: f64 = 360.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 44.0;
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 470.0;
/// Told apart by people who see few colours (Okabe and Ito).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c8c00"];

/// A drawing in the making.
pub(super) struct Canvas {
    svg: String,
    named: usize,
}

impl Canvas {
    pub(super) fn new(title: &str, across: &str, up: &str) -> Self {
        let mut canvas = Self { svg: String::new(), named: 0 };
        let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
        canvas.put(&format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13" fill="#222222">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<text x="{LEFT}" y="24" font-size="17">{}</text>
"##,
            escaped(title)
        ));
        for step in 0..=5 {
            let share = f64::from(step) / 5.0;
            let (x, y) = place((share, share));
            canvas.put(&format!(
                r##"<path d="M{x:.1} {TOP}V{bottom}M{LEFT} {y:.1}H{right}" stroke="#dddddd" fill="none"/>
<text x="{x:.1}" y="{:.1}" text-anchor="middle">{share:.1}</text>
<text x="{:.1}" y="{:.1}" text-anchor="end">{share:.1}</text>
"##,
                bottom + 18.0,
                LEFT - 7.0,
                y + 4.5
            ));
        }
        let middle = (LEFT + SIDE / 2.0, TOP + SIDE / 2.0);
        canvas.put(&format!(
            r##"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>
<text x="20" y="{:.1}" text-anchor="middle" transform="rotate(-90 20 {:.1})">{}</text>
"##,
            middle.0,
            bottom + 42.0,
            escaped(across),
            middle.1,
            middle.1,
            escaped(up)
        ));
        canvas
    }

    /// The line of chance, or of perfect calibration.
    pub(super) fn diagonal(&mut self) {
        let ((x0, y0), (x1, y1)) = (place((0.0, 0.0)), place((1.0, 1.0)));
        self.put(&format!(
            r##"<path d="M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}" stroke="#888888" stroke-dasharray="5 4" fill="none"/>
"##
        ));
    }

    /// A line through points, named in the legend.
    pub(super) fn line(&mut self, index: usize, points: &[(f64, f64)], name: &str) {
        let colour = COLOURS[index % COLOURS.len()];
        let mut path = String::new();
        for (i, &point) in points.iter().enumerate() {
            let (x, y) = place(point);
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
        }
        let y = TOP + 14.0 + 20.0 * self.named as f64;
        self.named += 1;
        let shown: String = if name.chars().count() > 18 {
            name.chars().take(17).chain(['…']).collect()
        } else {
            name.to_owned()
        };
        if !path.is_empty() {
            self.put(&format!(
                r##"<path d="{path}" stroke="{colour}" stroke-width="2" stroke-linejoin="round" fill="none"/>
"##
            ));
        }
        self.put(&format!(
            r##"<path d="M{:.1} {:.1}h18" stroke="{colour}" stroke-width="3"/>
<text x="{:.1}" y="{y:.1}">{}</text>
"##,
            LEFT + SIDE + 12.0,
            y - 4.5,
            LEFT + SIDE + 36.0,
            escaped(&shown)
        ));
    }

    /// Dots whose area grows with the number of pictures.
    pub(super) fn dots(&mut self, index: usize, bins: &[((f64, f64), usize)]) {
        let colour = COLOURS[index % COLOURS.len()];
        let most = bins.iter().map(|bin| bin.1).max().unwrap_or(1) as f64;
        for &(point, count) in bins {
            let (x, y) = place(point);
            let radius = 2.0 + 6.0 * (count as f64 / most).sqrt();
            self.put(&format!(
                r##"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" fill="{colour}" fill-opacity="0.6"/>
"##
            ));
        }
    }

    pub(super) fn finished(mut self) -> String {
        self.put("</svg>\n");
        self.svg
    }

    fn put(&mut self, text: &str) {
        self.svg.push_str(text);
    }
}

fn place((x, y): (f64, f64)) -> (f64, f64) {
    (LEFT + x.clamp(0.0, 1.0) * SIDE, TOP + (1.0 - y.clamp(0.0, 1.0)) * SIDE)
}

/// Text as XML wants it; control characters, which no XML may hold, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control() && *c != '\u{fffe}' && *c != '\u{ffff}') {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
