//! The picture at a quarter of the work size, as lightness above the background.
//!
//! Averaging 4x4 pixels, with sparkles cut off, brings out what is faint but long: streaks of a film.

use super::background::Background;
use super::panel::Panel;
use super::work_image::{BLOCK, GLARE, WorkImage};
use crate::lab::UNIT;

/// Side of a cell in work pixels.
pub(super) const CELL: usize = 4;
/// Deviations are cut off here (L*), so that a sparkle counts no more than its neighbours.
const CUT: f32 = 4.0;

/// L* above the background, one value a cell; 0 where nothing is judged.
pub(super) struct FaintMap {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
    pub judged: Vec<bool>,
}

impl FaintMap {
    pub(super) fn of(image: &WorkImage, panel: &Panel, background: &Background) -> Self {
        let (width, height) = (image.width / CELL, image.height / CELL);
        let columns = image.block_columns();
        let mut map =
            Self { width, height, values: vec![0.0; width * height], judged: vec![false; width * height] };
        let (mut scratch, mut expected) = (Vec::new(), vec![0f32; image.width]);
        for y in 0..height {
            let parts = &panel.parts[y * CELL / BLOCK * columns..];
            background.colour[0].line(y * CELL + CELL / 2, &mut scratch, &mut expected);
            for x in 0..width {
                if !parts[x * CELL / BLOCK].judged() {
                    continue;
                }
                let from = expected[x * CELL + CELL / 2];
                let low = ((from - CUT) * UNIT) as i16;
                let high = ((from + CUT) * UNIT) as i16;
                let (mut sum, mut glare) = (0i32, 0u8);
                for line in 0..CELL {
                    let at = (y * CELL + line) * image.width + x * CELL;
                    for &value in &image.planes[0][at..at + CELL] {
                        sum += i32::from(value.clamp(low, high));
                    }
                    for &flag in &image.flags[at..at + CELL] {
                        glare |= flag & GLARE;
                    }
                }
                if glare == 0 {
                    map.values[y * width + x] = sum as f32 / ((CELL * CELL) as f32 * UNIT) - from;
                    map.judged[y * width + x] = true;
                }
            }
        }
        map
    }
}

impl FaintMap {
    /// Without dots: the median of 3x3 cells.
    pub(super) fn without_dots(&self) -> Vec<f32> {
        let (width, height) = (self.width, self.height);
        let mut out = vec![0.0; width * height];
        if width < 3 || height < 3 {
            return out;
        }
        // Columns of three sorted once, then the median of the three columns.
        let mut sorted = [vec![0.0; width], vec![0.0; width], vec![0.0; width]];
        for y in 1..height - 1 {
            let rows = [y - 1, y, y + 1].map(|y| &self.values[y * width..(y + 1) * width]);
            for x in 0..width {
                let (a, b, c) = (rows[0][x], rows[1][x], rows[2][x]);
                let (low, high) = (a.min(b), a.max(b));
                sorted[0][x] = low.min(c);
                sorted[1][x] = low.max(high.min(c));
                sorted[2][x] = high.max(c);
            }
            let line = &mut out[y * width..(y + 1) * width];
            for x in 1..width - 1 {
                let least = sorted[0][x - 1].max(sorted[0][x]).max(sorted[0][x + 1]);
                let most = sorted[2][x - 1].min(sorted[2][x]).min(sorted[2][x + 1]);
                let (p, q, r) = (sorted[1][x - 1], sorted[1][x], sorted[1][x + 1]);
                let middle = p.min(q).max(p.max(q).min(r));
                line[x] = least.min(most).max(least.max(most).min(middle));
            }
        }
        out
    }
}
