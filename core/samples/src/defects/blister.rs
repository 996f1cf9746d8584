//! Blisters: paint raised by moisture, round, with a light and a dark side; the largest may be broken open.

use crate::color::{blend, scale, srgb};
use crate::noise::{fractal, step};
use crate::random::Random;
use crate::surface::Surface;
use crate::truth::Truth;

/// A dome of that radius in pixels; `open` shows what lies below its torn top.
pub(crate) fn dome(
    surface: &mut Surface,
    truth: &mut Truth,
    random: &mut Random,
    center: (f32, f32),
    radius: f32,
    open: bool,
) {
    let seed = random.bits() as u32;
    let stretch = random.between(0.9, 1.12);
    let height = radius * random.between(0.28, 0.38);
    surface.around(center, (radius * 1.5, radius * 1.5), |surface, x, y, index| {
        let (u, v) = ((x as f32 - center.0) / (radius * stretch), (y as f32 - center.1) * stretch / radius);
        let distance = (u * u + v * v).sqrt() + 0.10 * fractal(u * 1.7, v * 1.7, 2, seed);
        if distance < 1.0 {
            truth.mark(x, y);
        }
        let bulge = (1.0 - distance * distance / 1.1).max(0.0).powf(1.4);
        // Taut paint mirrors a little less evenly than the flat coat.
        surface.relief[index] +=
            height * bulge + 0.12 * fractal(u * 5.0, v * 5.0, 2, seed ^ 9) * bulge.min(0.4);
        // Dirt gathers at the foot.
        let foot = (-((distance - 1.05) / 0.10).powi(2)).exp();
        surface.albedo[index] = scale(surface.albedo[index], 1.0 - 0.22 * foot);
        if open {
            let torn = distance + 0.5 * fractal(u * 2.6, v * 2.6, 3, seed ^ 17);
            let hole = step(0.44, 0.38, torn);
            if hole > 0.0 {
                let below = blend(
                    srgb(0x4a_4440),
                    srgb(0x7a_4526),
                    0.5 + 0.8 * fractal(u * 4.0, v * 4.0, 2, seed ^ 5),
                );
                surface.albedo[index] = blend(surface.albedo[index], below, hole);
                surface.relief[index] -= hole * (height * 0.75 + 1.0);
                surface.gloss[index] *= 1.0 - 0.95 * hole;
            }
        }
    });
    truth.defects += 1;
}
