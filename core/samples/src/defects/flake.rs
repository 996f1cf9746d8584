//! Paint that has come off in angular pieces: primer below, bare and rusty steel where the primer went too.

use crate::color::{blend, scale, srgb};
use crate::noise::{cell, fractal, step};
use crate::random::Random;
use crate::surface::Surface;
use crate::truth::Truth;

/// One patch around a centre, of about that radius in pixels.
pub(crate) fn patch(
    surface: &mut Surface,
    truth: &mut Truth,
    random: &mut Random,
    center: (f32, f32),
    radius: f32,
) {
    let seed = random.bits() as u32;
    let piece = (0.20 * radius).clamp(9.0, 34.0);
    let primer = srgb(0x8d_8a86);
    let steel = srgb(0x5d_5b58);
    let rust = srgb(0x7a_3c18);
    let (sin, cos) = random.between(0.0, 3.0).sin_cos();
    surface.around(center, (radius * 1.7, radius * 1.7), |surface, x, y, index| {
        let (dx, dy) = (x as f32 - center.0, y as f32 - center.1);
        // Pieces break along the borders of cells; a little waviness takes the ruler out of them.
        let wave_x = 3.0 * fractal(dx / 13.0, dy / 13.0, 2, seed ^ 1);
        let wave_y = 3.0 * fractal(dx / 13.0, dy / 13.0, 2, seed ^ 2);
        let (cell_x, cell_y) = cell((dx + wave_x) / piece, (dy + wave_y) / piece, seed);
        let reach = |x: f32, y: f32| {
            let (u, v) = (x / radius, y / radius);
            let (u, v) = (u * cos + v * sin, v * cos - u * sin);
            (u * u + 1.5 * v * v).sqrt() + 0.55 * fractal(u * 1.4 + 7.3, v * 1.4 + 3.9, 3, seed ^ 3)
        };
        let gone = reach(cell_x * piece, cell_y * piece) < 0.86 || reach(dx, dy) < 0.30;
        let (small_x, small_y) =
            cell((dx + wave_x) / (0.55 * piece), (dy - wave_y) / (0.55 * piece), seed ^ 4);
        let bare = gone && reach(small_x * 0.55 * piece, small_y * 0.55 * piece) < 0.50;
        if gone {
            truth.mark(x, y);
            let speckle = fractal(dx / 3.0, dy / 3.0, 2, seed ^ 5);
            let cloud = fractal(dx / 34.0, dy / 34.0, 3, seed ^ 6);
            let below = if bare {
                let rusty = step(-0.22, 0.30, cloud + 0.5 * speckle);
                scale(blend(steel, rust, rusty), 1.0 + 0.35 * speckle)
            } else {
                let stained = step(0.05, 0.55, cloud) * 0.45;
                scale(blend(primer, rust, stained), 1.0 + 0.10 * speckle + 0.12 * cloud)
            };
            surface.albedo[index] = below;
            surface.relief[index] = if bare { -3.4 + 0.7 * speckle } else { -2.0 + 0.15 * speckle };
            surface.gloss[index] *= if bare { 0.15 } else { 0.25 };
        } else {
            // Loose paint around it stands up.
            let near = step(1.45, 0.8, reach(dx, dy));
            surface.relief[index] += 1.5 * near * near;
        }
    });
    truth.defects += 1;
}
