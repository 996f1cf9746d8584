//! Whether the fine structure of a surface runs in one direction, as on brushed, ground or rolled metal.
//!
//! Compares changes across with changes down, so a grain along a diagonal is not seen.

use super::panel::{Panel, Part};
use super::work_image::{BLOCK, WorkImage};

/// Every so many rows are looked at.
const EVERY: usize = 6;
/// Pixels between the two that are compared: the 3x3 mean has made nearer ones alike.
const APART: usize = 3;
/// Changes count at most this much (64ths of L*), so that outlines and lamps do not decide.
const CUT: i16 = 96;

/// A change that the slope of the light alone can make; added to both directions.
const SMALL: u64 = 6;

/// Mean change along the rougher direction over that along the smoother one; 1 without grain.
pub(super) fn direction(image: &WorkImage, panel: &Panel) -> f64 {
    let (width, height) = (image.width, image.height);
    let plane = &image.planes[0];
    let (mut across, mut down, mut count) = (0u64, 0u64, 1u64);
    for y in (0..height.saturating_sub(APART)).step_by(EVERY) {
        let parts = &panel.parts[y / BLOCK * image.block_columns()..];
        let row = &plane[y * width..(y + 1) * width];
        let below = &plane[(y + APART) * width..(y + APART + 1) * width];
        for ((row, below), part) in row.chunks_exact(BLOCK).zip(below.chunks_exact(BLOCK)).zip(parts) {
            if *part != Part::Panel {
                continue;
            }
            count += (BLOCK - APART) as u64;
            let change = |a: i16, b: i16| u64::from((a - b).abs().min(CUT).unsigned_abs());
            for ((&a, &b), &c) in row.iter().zip(&row[APART..]).zip(below) {
                across += change(a, b);
                down += change(a, c);
            }
        }
    }
    let floor = (count * SMALL) as f64;
    let (across, down) = (across as f64 + floor, down as f64 + floor);
    (across / down).max(down / across)
}
