//! Text in the embedded typeface: Basic Latin, `æøåÆØÅ` and `° ± ² ³ µ · ½ × Δ – … ≤ ≥`. Other characters become a box or
//! nothing; there is no line breaking except [`Typeface::wrap`], no kerning and no writing from right to left.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont};

use super::canvas::Canvas;
use super::palette::Rgb;

static REGULAR: &[u8] = include_bytes!("../../assets/Inter-Regular.otf");
static SEMIBOLD: &[u8] = include_bytes!("../../assets/Inter-SemiBold.otf");

/// The two weights.
pub(crate) struct Typeface {
    regular: FontRef<'static>,
    semibold: FontRef<'static>,
}

/// How a piece of text looks. `size` is the height of the em square in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) bold: bool,
    pub(crate) color: Rgb,
}

impl Typeface {
    /// The fonts are part of the program and read by a test.
    #[allow(clippy::expect_used)]
    pub(crate) fn embedded() -> Self {
        Self {
            regular: FontRef::try_from_slice(REGULAR).expect("the embedded regular font is whole"),
            semibold: FontRef::try_from_slice(SEMIBOLD).expect("the embedded semibold font is whole"),
        }
    }

    fn font(&self, style: Style) -> &FontRef<'static> {
        if style.bold { &self.semibold } else { &self.regular }
    }

    /// ab_glyph scales by the height from ascender to descender; designers mean the em square.
    fn scale(&self, style: Style) -> PxScale {
        let font = self.font(style);
        let em = font.units_per_em().unwrap_or(2048.0);
        PxScale::from(style.size * font.height_unscaled() / em)
    }

    /// Columns that the text takes.
    pub(crate) fn width(&self, text: &str, style: Style) -> f32 {
        let font = self.font(style).as_scaled(self.scale(style));
        text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum()
    }

    /// The style, made smaller where the text would be wider than `width`.
    pub(crate) fn fitting(&self, text: &str, width: f32, style: Style) -> Style {
        let needed = self.width(text, style);
        if needed > width { Style { size: style.size * width / needed, ..style } } else { style }
    }

    /// Writes one line whose letters stand on `baseline`; returns the column where it ends.
    pub(crate) fn write(&self, canvas: &mut Canvas, text: &str, x: f32, baseline: f32, style: Style) -> f32 {
        let scale = self.scale(style);
        let font = self.font(style);
        let scaled = font.as_scaled(scale);
        let mut pen = x;
        for c in text.chars() {
            let id = scaled.glyph_id(c);
            let glyph: Glyph = id.with_scale_and_position(scale, ab_glyph::point(pen, baseline));
            pen += scaled.h_advance(id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                let (left, top) = (corner.x as i64, corner.y as i64);
                outline.draw(|dx, dy, cover| {
                    canvas.blend(left + i64::from(dx), top + i64::from(dy), style.color, cover);
                });
            }
        }
        pen
    }

    /// Writes one line that ends at column `right`.
    pub(crate) fn write_right(
        &self,
        canvas: &mut Canvas,
        text: &str,
        right: f32,
        baseline: f32,
        style: Style,
    ) {
        self.write(canvas, text, right - self.width(text, style), baseline, style);
    }

    /// Writes one line around column `middle`.
    pub(crate) fn write_centered(
        &self,
        canvas: &mut Canvas,
        text: &str,
        middle: f32,
        baseline: f32,
        style: Style,
    ) {
        self.write(canvas, text, middle - 0.5 * self.width(text, style), baseline, style);
    }

    /// Breaks text at blanks into lines of at most that width; a longer word stands alone and is not cut.
    pub(crate) fn wrap(&self, text: &str, width: f32, style: Style) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(line, style) + self.width(&format!(" {word}"), style) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}
