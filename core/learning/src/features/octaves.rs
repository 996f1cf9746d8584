//! Lightness at halved sizes, and at each size its smoothed version.

use forgeos_imaging::LabPlanes;
use forgeos_imaging::planes::LAB_UNIT;

/// Sizes at which a picture is looked at.
pub(super) const OCTAVES: usize = 5;

/// Below this side, in pixels, a halved picture says nothing more.
const SMALLEST_SIDE: usize = 8;

/// Lightness at one size, in L* units, rows from the top.
pub(super) struct Octave {
    pub width: usize,
    pub height: usize,
    pub light: Vec<f32>,
    /// `light` after the binomial filter 1 4 6 4 1 across and down.
    pub smooth: Vec<f32>,
}

/// The sizes of a picture from whole to a sixteenth, as far as it is large enough.
pub(super) fn octaves(planes: &LabPlanes) -> Vec<Octave> {
    let light: Vec<f32> = planes.lab[0].iter().map(|&v| f32::from(v) / LAB_UNIT).collect();
    let mut found = vec![Octave::of(planes.width, planes.height, light)];
    while found.len() < OCTAVES {
        let last = &found[found.len() - 1];
        if last.width.min(last.height) < 2 * SMALLEST_SIDE {
            break;
        }
        let next = last.halved();
        found.push(next);
    }
    found
}

impl Octave {
    fn of(width: usize, height: usize, light: Vec<f32>) -> Self {
        let smooth = binomial(width, height, &light);
        Self { width, height, light, smooth }
    }

    /// Every second pixel of the smoothed picture.
    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let rows = self.smooth.chunks_exact(self.width).step_by(2).take(height);
        let light = rows.flat_map(|row| row.iter().step_by(2).take(width).copied()).collect();
        Self::of(width, height, light)
    }
}

/// The filter 1 4 6 4 1 over 16, across and then down; the outermost pixel is repeated.
#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn binomial(width: usize, height: usize, light: &[f32]) -> Vec<f32> {
    let mut across = vec![0f32; width * height];
    let mut padded = vec![0f32; width + 4];
    for (row, out) in light.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        padded[2..width + 2].copy_from_slice(row);
        padded[..2].fill(row[0]);
        padded[width + 2..].fill(row[width - 1]);
        let taps = [&padded[..width], &padded[1..=width], row, &padded[3..width + 3], &padded[4..]];
        weigh(taps, out);
    }
    let mut smooth = vec![0f32; width * height];
    for (y, out) in smooth.chunks_exact_mut(width).enumerate() {
        let row = |offset: usize| {
            let y = (y + offset).saturating_sub(2).min(height - 1);
            &across[y * width..(y + 1) * width]
        };
        weigh([row(0), row(1), row(2), row(3), row(4)], out);
    }
    smooth
}

#[inline(always)]
fn weigh(taps: [&[f32]; 5], out: &mut [f32]) {
    let [a, b, c, d, e] = taps;
    for (((((out, a), b), c), d), e) in out.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e) {
        *out = (a + e + 4.0 * (b + d) + 6.0 * c) * (1.0 / 16.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_at_every_size() {
        let planes =
            LabPlanes { width: 70, height: 40, lab: [vec![3200; 2800], vec![0; 2800], vec![0; 2800]] };
        let sizes = octaves(&planes);
        assert_eq!(
            sizes.iter().map(|o| (o.width, o.height)).collect::<Vec<_>>(),
            [(70, 40), (35, 20), (17, 10)]
        );
        for octave in sizes {
            assert!(octave.light.iter().chain(&octave.smooth).all(|&v| (v - 50.0).abs() < 1e-4));
        }
    }
}
