//! A picture that is painted on: blended pixels, smooth boxes, rings. Everything outside of it is cut off.

use super::palette::Rgb;
use crate::Picture;

pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<u8>,
}

/// A box in pixels, with fractions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Area {
    /// Whether two boxes have a point in common.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The box with a border of that width around it.
    pub(crate) fn grown(&self, by: f32) -> Self {
        Self { x: self.x - by, y: self.y - by, width: self.width + 2.0 * by, height: self.height + 2.0 * by }
    }
}

impl Canvas {
    pub(crate) fn filled(width: usize, height: usize, color: Rgb) -> Self {
        Self { width, height, rgb: color.repeat(width * height) }
    }

    /// Copies a picture to a place; what does not fit is cut off.
    pub(crate) fn place(&mut self, picture: &Picture, left: usize, top: usize) {
        let columns = (picture.width as usize).min(self.width.saturating_sub(left));
        if columns == 0 {
            return;
        }
        let rows = self.rgb.chunks_exact_mut(3 * self.width).skip(top);
        for (to, from) in rows.zip(picture.rgb.chunks_exact(3 * picture.width as usize)) {
            to[3 * left..3 * (left + columns)].copy_from_slice(&from[..3 * columns]);
        }
    }

    pub(crate) fn into_picture(self) -> Picture {
        Picture { width: self.width as u32, height: self.height as u32, rgb: self.rgb }
    }

    /// Lays a colour over one pixel; `alpha` 1.0 replaces it.
    pub(crate) fn blend(&mut self, x: i64, y: i64, color: Rgb, alpha: f32) {
        if x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64 || alpha <= 0.0 {
            return;
        }
        let start = 3 * (y as usize * self.width + x as usize);
        blend(&mut self.rgb[start..start + 3], color, alpha);
    }

    /// A box with round corners and smooth sides.
    pub(crate) fn rounded(&mut self, area: Area, radius: f32, color: Rgb, alpha: f32) {
        let radius = radius.min(0.5 * area.width).min(0.5 * area.height).max(0.0);
        let (half_x, half_y) = (0.5 * area.width, 0.5 * area.height);
        let (middle_x, middle_y) = (area.x + half_x, area.y + half_y);
        self.each(&area.grown(1.0), |canvas, x, y| {
            let dx = ((x as f32 + 0.5 - middle_x).abs() - half_x + radius).max(0.0);
            let dy = ((y as f32 + 0.5 - middle_y).abs() - half_y + radius).max(0.0);
            let inside = (0.5 + radius - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
            canvas.blend(x, y, color, alpha * inside);
        });
    }

    /// A circle line of that width around a point.
    pub(crate) fn ring(&mut self, center: (f32, f32), radius: f32, width: f32, color: Rgb, alpha: f32) {
        let reach = radius + width;
        let area = Area { x: center.0 - reach, y: center.1 - reach, width: 2.0 * reach, height: 2.0 * reach };
        self.each(&area.grown(1.0), |canvas, x, y| {
            let (dx, dy) = (x as f32 + 0.5 - center.0, y as f32 + 0.5 - center.1);
            let away = ((dx * dx + dy * dy).sqrt() - radius).abs();
            canvas.blend(x, y, color, alpha * (0.5 + 0.5 * width - away).clamp(0.0, 1.0));
        });
    }

    fn each(&mut self, area: &Area, mut paint: impl FnMut(&mut Self, i64, i64)) {
        let from = |start: f32| start.floor().max(0.0) as i64;
        let to = |end: f32, limit: usize| (end.ceil() as i64).min(limit as i64);
        for y in from(area.y)..to(area.y + area.height, self.height) {
            for x in from(area.x)..to(area.x + area.width, self.width) {
                paint(self, x, y);
            }
        }
    }
}

/// Lays a colour over one pixel of three bytes.
pub(crate) fn blend(pixel: &mut [u8], color: Rgb, alpha: f32) {
    let weight = (alpha.clamp(0.0, 1.0) * 256.0) as i32;
    for (channel, over) in pixel.iter_mut().zip(color) {
        let under = i32::from(*channel);
        *channel = (under + (((i32::from(over) - under) * weight + 128) >> 8)) as u8;
    }
}
