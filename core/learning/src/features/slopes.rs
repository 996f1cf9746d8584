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
    let mut sizes = vec![0f32; width];
    let mut directions = vec![0u8; width];
    for y in 1..height - 1 {
        measure_row(octave, y, &mut sizes, &mut directions);
        let cell_row = y * CELLS / height;
        for cell_column in 0..CELLS {
            let cell = (cell_row * CELLS + cell_column) * DIRECTIONS;
            let from = (cell_column * width / CELLS).max(1);
            let to = ((cell_column + 1) * width / CELLS).min(width - 1).max(from);
            let mut sums = [0f32; DIRECTIONS];
            for (&size, &direction) in sizes[from..to].iter().zip(&directions[from..to]) {
                sums[usize::from(direction) % DIRECTIONS] += size;
            }
            out[cell..cell + DIRECTIONS].iter_mut().zip(sums).for_each(|(bin, sum)| *bin += sum);
            total += sums.iter().sum::<f32>();
        }
    }
    let total = total.max(1e-3);
    out.iter_mut().for_each(|v| *v = (*v / total).sqrt());
    out
}

/// Size of the slope at every pixel of a row but the outermost, and the eighth of the half circle in which it points.
#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn measure_row(octave: &Octave, y: usize, sizes: &mut [f32], directions: &mut [u8]) {
    const TAN_22: f32 = 0.414_213_57;
    let (width, inner) = (octave.width, octave.width - 2);
    let taken = |y: usize, x: usize| &octave.smooth[y * width + x..y * width + x + inner];
    let (n, w, e, s) = (taken(y - 1, 1), taken(y, 0), taken(y, 2), taken(y + 1, 1));
    let (sizes, directions) = (&mut sizes[1..=inner], &mut directions[1..=inner]);
    for i in 0..inner {
        let (gx, gy) = (e[i] - w[i], s[i] - n[i]);
        sizes[i] = (gx * gx + gy * gy).sqrt();
        let (x, y) = (gx.abs(), gy.abs());
        let eighth = u8::from(y >= x * TAN_22) + u8::from(y >= x) + u8::from(y * TAN_22 >= x);
        let falling = (gx < 0.0) != (gy < 0.0);
        directions[i] = if falling { DIRECTIONS as u8 - 1 - eighth } else { eighth };
    }
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
