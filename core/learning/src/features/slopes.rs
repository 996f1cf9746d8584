//! Directions of the slopes of lightness in a grid over the picture, and the shape of the distribution of fine detail.
//!
//! Histograms of oriented gradients (Dalal and Triggs 2005) of four by four cells and eight directions without sign;
//! one picture, one normalisation. Directions are told apart by comparisons, not by an arc tangent a pixel.

use super::octaves::{OCTAVES, Octave};

const CELLS: usize = 4;
const DIRECTIONS: usize = 8;
/// Mean size, spread, skew and weight of the tails.
const MOMENTS: usize = 4;

/// Number of values that [`slopes`] gives.
pub(super) const SLOPES: usize = CELLS * CELLS * DIRECTIONS;
/// Number of values that [`moments`] gives.
pub(super) const DETAIL_MOMENTS: usize = OCTAVES * MOMENTS;

/// Square roots of the shares that every direction in every cell has in all slopes.
pub(super) fn slopes(octaves: &[Octave]) -> Vec<f32> {
    // At half size, where single pixels' noise is gone and a defect of a few pixels is still there.
    let octave = &octaves[usize::from(octaves.len() > 1)];
    let (width, height) = (octave.width, octave.height);
    let mut out = vec![0f32; SLOPES];
    if width < 3 || height < 3 {
        return out;
    }
    let mut total = 0f32;
    for y in 1..height - 1 {
        let above = &octave.smooth[(y - 1) * width..y * width];
        let here = &octave.smooth[y * width..(y + 1) * width];
        let below = &octave.smooth[(y + 1) * width..(y + 2) * width];
        let cell_row = y * CELLS / height;
        for cell_column in 0..CELLS {
            let cell = (cell_row * CELLS + cell_column) * DIRECTIONS;
            let bins = &mut out[cell..cell + DIRECTIONS];
            let from = (cell_column * width / CELLS).max(1);
            let to = ((cell_column + 1) * width / CELLS).min(width - 1);
            for x in from..to {
                let (gx, gy) = (here[x + 1] - here[x - 1], below[x] - above[x]);
                let size = (gx * gx + gy * gy).sqrt();
                bins[direction(gx, gy)] += size;
                total += size;
            }
        }
    }
    let total = total.max(1e-3);
    out.iter_mut().for_each(|v| *v = (*v / total).sqrt());
    out
}

/// The eighth of the half circle in which a slope points.
fn direction(gx: f32, gy: f32) -> usize {
    const TAN_22: f32 = 0.414_213_57;
    let (x, y) = (gx.abs(), gy.abs());
    let eighth = if y < x * TAN_22 {
        0
    } else if y < x {
        1
    } else if y * TAN_22 < x {
        2
    } else {
        3
    };
    if (gx < 0.0) == (gy < 0.0) { eighth } else { DIRECTIONS - 1 - eighth }
}

/// Shape of the distribution of the detail of every size, logarithmic.
pub(super) fn moments(octaves: &[Octave]) -> Vec<f32> {
    let mut out = vec![0f32; DETAIL_MOMENTS];
    for (octave, out) in octaves.iter().zip(out.chunks_exact_mut(MOMENTS)) {
        let count = octave.light.len() as f64;
        let mut sums = [0f64; MOMENTS];
        for (light, smooth) in octave.light.chunks(octave.width).zip(octave.smooth.chunks(octave.width)) {
            let mut row = [0f32; MOMENTS];
            for (&l, &s) in light.iter().zip(smooth) {
                let v = l - s;
                let square = v * v;
                row[0] += v.abs();
                row[1] += square;
                row[2] += square * v;
                row[3] += square * square;
            }
            sums.iter_mut().zip(row).for_each(|(sum, row)| *sum += f64::from(row));
        }
        let [size, square, cube, fourth] = sums.map(|sum| sum / count);
        let spread = square.sqrt().max(1e-3);
        let skew = cube / (spread * spread * spread);
        out[0] = (20.0 * size).ln_1p() as f32;
        out[1] = (20.0 * spread).ln_1p() as f32;
        out[2] = (skew.signum() * skew.abs().ln_1p()) as f32;
        out[3] = (fourth / (spread * spread * spread * spread)).ln_1p() as f32;
    }
    out
}
