//! How far every judged pixel lies from what the background predicts, in units of the local noise and as ΔE.

use super::background::Background;
use super::panel::{Panel, Part};
use super::thresholds::Thresholds;
use super::work_image::{BLOCK, GLARE, WorkImage};
use crate::lab::UNIT;

/// Steps of the ΔE plane per unit; it ends at 63.75.
pub(super) const DELTA_E_STEPS: f32 = 4.0;

/// Two bytes a pixel.
pub(super) struct Scores {
    /// 0: as expected, or not judged. 1: deviates enough to grow a component. 2: enough to start one.
    pub level: Vec<u8>,
    /// Distance from the background in [`DELTA_E_STEPS`] of ΔE (1976), after the 3x3 mean.
    pub delta_e: Vec<u8>,
}

pub(super) fn score(
    image: &WorkImage,
    panel: &Panel,
    background: &Background,
    thresholds: &Thresholds,
) -> Scores {
    let (width, columns) = (image.width, image.block_columns());
    let mut level = vec![0u8; width * image.height];
    let mut delta_e = vec![0u8; width * image.height];
    let mut scratch = Vec::new();
    let row = || [vec![0f32; width], vec![0f32; width], vec![0f32; width]];
    let (mut expected, mut weights) = (row(), row());
    let limits = [thresholds.grow * thresholds.grow, thresholds.seed * thresholds.seed];
    for y in 0..image.height {
        let blocks = y / BLOCK * columns..(y / BLOCK + 1) * columns;
        let parts = &panel.parts[blocks.clone()];
        if y % BLOCK == 0 {
            for (grid, line) in background.sigma.iter().zip(&mut weights) {
                weigh(&grid.values[blocks.clone()], parts, line);
            }
        }
        // From the first to the last judged column.
        let Some(first) = parts.iter().position(|p| p.judged()) else { continue };
        let last = parts.iter().rposition(|p| p.judged()).unwrap_or(first);
        let x = first * BLOCK..((last + 1) * BLOCK).min(width);
        for (grid, line) in background.colour.iter().zip(&mut expected) {
            grid.line(y, &mut scratch, line);
        }
        let at = y * width + x.start..y * width + x.end;
        score_row(
            std::array::from_fn(|c| &image.planes[c][at.clone()]),
            std::array::from_fn(|c| &expected[c][x.clone()]),
            std::array::from_fn(|c| &weights[c][x.clone()]),
            &image.flags[at.clone()],
            limits,
            &mut level[at.clone()],
            &mut delta_e[at],
        );
    }
    Scores { level, delta_e }
}

/// Half the inverse variance of every pixel of a row; 0 where nothing is judged.
fn weigh(sigma: &[f32], parts: &[Part], line: &mut [f32]) {
    for ((pixels, s), part) in line.chunks_mut(BLOCK).zip(sigma).zip(parts) {
        pixels.fill(if part.judged() { 0.5 / (s * s) } else { 0.0 });
    }
}

/// One row: plain loops over slices of one length, which the compiler turns into vector instructions.
fn score_row(
    planes: [&[i16]; 3],
    expected: [&[f32]; 3],
    weights: [&[f32]; 3],
    flags: &[u8],
    limits: [f32; 2],
    level: &mut [u8],
    delta_e: &mut [u8],
) {
    let n = level.len();
    let [l, a, b] = planes.map(|p| &p[..n]);
    let [l0, a0, b0] = expected.map(|e| &e[..n]);
    let [wl, wa, wb] = weights.map(|w| &w[..n]);
    let (flags, delta_e) = (&flags[..n], &mut delta_e[..n]);
    let [grow, seed] = limits;
    for x in 0..n {
        let rl = f32::from(l[x]) * (1.0 / UNIT) - l0[x];
        let ra = f32::from(a[x]) * (1.0 / UNIT) - a0[x];
        let rb = f32::from(b[x]) * (1.0 / UNIT) - b0[x];
        let (rl, ra, rb) = (rl * rl, ra * ra, rb * rb);
        let z = rl * wl[x] + ra * wa[x] + rb * wb[x];
        let judged = u8::from((flags[x] & GLARE == 0) & (wl[x] > 0.0));
        level[x] = (u8::from(z >= grow) + u8::from(z >= seed)) * judged;
        delta_e[x] = rounded(((rl + ra + rb).sqrt() * DELTA_E_STEPS).min(255.0)) * judged;
    }
}

/// The nearest whole number of a value from 0 to 255, without the checks of a cast.
#[inline]
fn rounded(value: f32) -> u8 {
    // Adding 2^23 leaves no room for a fraction: the lowest bits of the sum are the number.
    (value + 8_388_608.0).to_bits() as u8
}
