//! A strip along the right side where the coat ends: ragged paint, a line of primer, brushed steel with flash rust.

use crate::color::{blend, scale, srgb};
use crate::noise::{fractal, step, value};
use crate::random::Random;
use crate::surface::Surface;
use crate::truth::Truth;

/// Begins at `share` of the width. Counts as an affected area, not as a defect.
pub(crate) fn strip(surface: &mut Surface, truth: &mut Truth, random: &mut Random, share: f32) {
    let seed = random.bits() as u32;
    let (width, height) = (surface.width, surface.height);
    let steel = srgb(0x94_9594);
    let primer = srgb(0x6f_6a66);
    let rust = srgb(0x7d_3f1a);
    let begin = share * width as f32;
    let first = (begin - 150.0).max(0.0) as usize;
    for y in 0..height {
        let fy = y as f32;
        let border =
            begin + 46.0 * fractal(fy / 330.0, 0.5, 2, seed) + 16.0 * fractal(fy / 40.0, 1.5, 3, seed ^ 1);
        for x in first..width {
            let index = y * width + x;
            let fx = x as f32;
            let ragged = 9.0 * fractal(fx / 11.0, fy / 11.0, 3, seed ^ 2);
            let distance = fx - border + ragged;
            let bare = step(-0.8, 0.8, distance);
            if bare <= 0.0 {
                // The coat thins out towards its edge.
                let thin = step(-38.0, 0.0, distance);
                surface.albedo[index] = blend(surface.albedo[index], primer, 0.16 * thin * thin);
                surface.relief[index] -= 0.9 * thin * thin;
                continue;
            }
            // Grinding marks run along the edge; a few are deep.
            let fine = value(fx / 1.3, fy / 150.0, seed ^ 3) + 0.6 * value(fx / 0.7, fy / 60.0, seed ^ 4);
            let deep = step(0.72, 0.95, value(fx / 2.2, fy / 400.0, seed ^ 5));
            let cloud = fractal(fx / 90.0, fy / 140.0, 3, seed ^ 6);
            let metal = scale(steel, 0.62 * (1.0 + 0.17 * fine - 0.25 * deep + 0.35 * cloud));
            let flash = step(0.16, 0.42, fractal(fx / 42.0, fy / 58.0, 4, seed ^ 8) + 0.05 * fine);
            let metal = blend(metal, rust, 0.62 * flash);
            let edge = step(9.0 + 6.0 * fractal(fx / 20.0, fy / 20.0, 2, seed ^ 9), 3.0, distance);
            let metal = blend(metal, primer, 0.85 * edge);
            surface.albedo[index] = blend(surface.albedo[index], metal, bare);
            surface.relief[index] += bare * (-2.6 + 0.35 * fine + 0.9 * edge);
            surface.gloss[index] =
                surface.gloss[index] * (1.0 - bare) + bare * 0.10 * (1.0 - flash) * (1.0 + 0.5 * fine);
            if bare > 0.5 {
                truth.mark(x, y);
            }
        }
    }
}
