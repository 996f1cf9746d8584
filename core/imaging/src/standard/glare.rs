//! Blown-out pixels: single ones are flake or noise and stay coating, what lies within three pixels of larger ones is
//! the halo of a lamp and is not judged.

use super::work_image::{GLARE, WorkImage};

/// How far the halo reaches, in work pixels.
const REACH: usize = 3;

/// Shortest run of blown-out pixels that is a lamp and not a sparkle.
const LAMP: usize = 4;

/// Forgets sparkles, then marks every pixel within a square of [`REACH`] around a blown-out one as [`GLARE`] too.
pub(super) fn widen(image: &mut WorkImage) {
    let (width, height) = (image.width, image.height);
    let mut touched = vec![false; height];
    for (row, touched) in image.flags.chunks_mut(width).zip(&mut touched) {
        if row.iter().fold(0, |all, &f| all | f) & GLARE != 0 {
            *touched = forget_sparkles(row);
        }
    }
    if !touched.contains(&true) {
        return;
    }
    let mut wide = vec![0u8; width * height];
    for (y, _) in touched.iter().enumerate().filter(|(_, t)| **t) {
        let mut reach = 0;
        let row = &image.flags[y * width..(y + 1) * width];
        let out = &mut wide[y * width..(y + 1) * width];
        for (flag, out) in row.iter().zip(out.iter_mut()) {
            reach = if flag & GLARE != 0 { REACH + 1 } else { reach };
            *out = u8::from(reach > 0) * GLARE;
            reach = reach.saturating_sub(1);
        }
        reach = 0;
        for (flag, out) in row.iter().zip(out.iter_mut()).rev() {
            reach = if flag & GLARE != 0 { REACH + 1 } else { reach };
            *out |= u8::from(reach > 0) * GLARE;
            reach = reach.saturating_sub(1);
        }
    }
    for y in 0..height {
        let near = y.saturating_sub(REACH)..(y + REACH + 1).min(height);
        for source in near.filter(|&source| touched[source]) {
            let row = &wide[source * width..(source + 1) * width];
            for (flag, &glare) in image.flags[y * width..(y + 1) * width].iter_mut().zip(row) {
                *flag |= glare;
            }
        }
    }
}

/// Clears short runs; whether any long one is left.
fn forget_sparkles(row: &mut [u8]) -> bool {
    let mut left = false;
    for run in row.chunk_by_mut(|a, b| (a ^ b) & GLARE == 0) {
        if run.len() < LAMP {
            run.iter_mut().for_each(|f| *f &= !GLARE);
        } else {
            left |= run[0] & GLARE != 0;
        }
    }
    left
}
