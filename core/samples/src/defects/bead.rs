//! Drops that have dried or still stand on a film: small domes that mirror the lamps for themselves.

use crate::color::{add, scale};
use crate::noise::step;
use crate::surface::Surface;
use crate::truth::Truth;

pub(crate) fn drop(surface: &mut Surface, truth: &mut Truth, center: (f32, f32), radius: f32) {
    surface.around(center, (radius * 1.6, radius * 1.6), |surface, x, y, index| {
        let (u, v) = ((x as f32 - center.0) / radius, (y as f32 - center.1) / radius);
        let distance = (u * u + v * v).sqrt();
        if distance < 1.0 {
            truth.mark(x, y);
        }
        let inside = step(1.08, 0.92, distance);
        // Light gathers on the far side of a drop, and the side towards the lamp is darker than the coat.
        let lens = 0.6 * u + 0.75 * v;
        let gathered = inside * (0.040 * step(0.0, 0.75, lens) + 0.008);
        surface.albedo[index] =
            add(scale(surface.albedo[index], 1.0 - 0.35 * inside * step(0.2, -0.8, lens)), [gathered; 3]);
        surface.relief[index] += 0.42 * radius * (1.0 - distance * distance).max(0.0).powf(0.9);
        let rim = (-((distance - 1.06) / 0.10).powi(2)).exp();
        surface.albedo[index] = scale(surface.albedo[index], 1.0 - 0.35 * rim);
    });
    truth.defects += 1;
}
