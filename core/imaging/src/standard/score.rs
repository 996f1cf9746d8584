//! How far every judged pixel lies from what the background predicts, in units of the local noise and as ΔE.

use super::background::Background;
use super::lab::UNIT;
use super::panel::Panel;
use super::thresholds::Thresholds;
use super::work_image::{BLOCK, GLARE, WorkImage};

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
    let mut expected = [vec![0f32; width], vec![0f32; width], vec![0f32; width]];
    let weights: [Vec<f32>; 3] =
        std::array::from_fn(|c| background.sigma[c].values.iter().map(|s| 0.5 / (s * s)).collect());
    let (grow, seed) = (thresholds.grow * thresholds.grow, thresholds.seed * thresholds.seed);
    for y in 0..image.height {
        let blocks = y / BLOCK * columns..(y / BLOCK + 1) * columns;
        let parts = &panel.parts[blocks.clone()];
        if !parts.iter().any(|p| p.judged()) {
            continue;
        }
        for (grid, line) in background.colour.iter().zip(&mut expected) {
            grid.line(y, &mut scratch, line);
        }
        for (column, part) in parts.iter().enumerate() {
            if !part.judged() {
                continue;
            }
            let block = blocks.start + column;
            let x = column * BLOCK..((column + 1) * BLOCK).min(width);
            let at = y * width + x.start..y * width + x.end;
            let [l, a, b] = std::array::from_fn(|c| &image.planes[c][at.clone()]);
            let [l0, a0, b0] = std::array::from_fn(|c| &expected[c][x.clone()]);
            let [wl, wa, wb] = std::array::from_fn(|c| weights[c][block]);
            let out = level[at.clone()].iter_mut().zip(&mut delta_e[at.clone()]);
            let flags = &image.flags[at.clone()];
            for (((((((out, l), a), b), l0), a0), b0), flag) in
                out.zip(l).zip(a).zip(b).zip(l0).zip(a0).zip(b0).zip(flags)
            {
                let rl = f32::from(*l) * (1.0 / UNIT) - l0;
                let ra = f32::from(*a) * (1.0 / UNIT) - a0;
                let rb = f32::from(*b) * (1.0 / UNIT) - b0;
                let (rl, ra, rb) = (rl * rl, ra * ra, rb * rb);
                let z = rl * wl + ra * wa + rb * wb;
                let judged = u8::from(flag & GLARE == 0);
                *out.0 = (u8::from(z >= grow) + u8::from(z >= seed)) * judged;
                *out.1 = rounded(((rl + ra + rb).sqrt() * DELTA_E_STEPS).min(255.0)) * judged;
            }
        }
    }
    Scores { level, delta_e }
}

/// The nearest whole number of a value from 0 to 255, without the checks of a cast.
#[inline]
fn rounded(value: f32) -> u8 {
    // Adding 2^23 leaves no room for a fraction: the lowest bits of the sum are the number.
    (value + 8_388_608.0).to_bits() as u8
}
