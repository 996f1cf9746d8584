//! Rust that has broken through paint: a pitted core, a lifted rim, a stained halo, and where water ran, a run.

use crate::color::{blend, srgb, stain};
use crate::noise::{fractal, mix, step, value};
use crate::random::Random;
use crate::surface::Surface;
use crate::truth::Truth;

/// Where a spot sits and how large it is, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
    /// Length of the stain that runs down from it; 0 for none.
    pub(crate) run: f32,
}

pub(crate) fn spot(surface: &mut Surface, truth: &mut Truth, random: &mut Random, spot: Spot) {
    let seed = random.bits() as u32;
    if spot.run > 0.0 {
        run(surface, truth, spot, seed);
    }
    let Spot { x: cx, y: cy, radius, .. } = spot;
    let dark = srgb(0x24_130d);
    let brown = srgb(0x62_3015);
    let orange = srgb(0x9c_5322);
    let halo_tint = [0.80, 0.50, 0.24];
    let (off_x, off_y) = (random.between(0.0, 40.0), random.between(0.0, 40.0));
    let ragged = (10.0 / radius).clamp(0.10, 0.30);
    surface.around((cx, cy), (radius * 2.8, radius * 2.8), |surface, x, y, index| {
        let (dx, dy) = (x as f32 - cx, y as f32 - cy);
        let (u, v) = (dx / radius, dy / radius);
        let distance = (u * u + v * v).sqrt()
            + 0.42 * fractal(u * 1.25 + off_x, v * 1.25 + off_y, 3, seed)
            + ragged * fractal(dx / 7.0 + off_x, dy / 7.0 + off_y, 2, seed ^ 7);
        // The stain around is uneven and reaches a little further down than up.
        let halo_reach = (distance - 0.12 * v.max(0.0) - 0.85).max(0.0);
        let halo = 0.80
            * (-halo_reach / 0.34).exp()
            * (0.8 + 0.7 * fractal(dx / 16.0 + off_x, dy / 16.0, 2, seed ^ 3));
        if halo > 0.01 {
            surface.albedo[index] = stain(surface.albedo[index], halo_tint, halo.min(1.0));
        }
        let core = step(1.0, 0.84, distance);
        if core > 0.0 {
            let pits = fractal(dx / 5.5, dy / 5.5, 3, seed ^ 11);
            let patches = fractal(dx / (0.45 * radius + 6.0), dy / (0.45 * radius + 6.0), 3, seed ^ 5);
            let depth = (0.55 + 1.1 * patches + 0.6 * pits).clamp(0.0, 1.0);
            let inner = blend(brown, dark, depth);
            // Fresh rust is brighter: at the rim and in powdery patches.
            let fresh = (step(0.35, 1.0, distance) * 0.75 + 0.9 * patches.min(0.4)).clamp(0.0, 1.0);
            surface.albedo[index] = blend(surface.albedo[index], blend(inner, orange, fresh), core);
            surface.relief[index] += core * (1.3 * pits + 0.7 * patches);
            surface.gloss[index] *= 1.0 - 0.97 * core;
        }
        // The paint lifts around the core.
        let lip = ((distance - 1.10) / 0.11).powi(2);
        if lip < 6.0 {
            surface.relief[index] += (-lip).exp() * (0.03 * radius).clamp(0.35, 0.9);
        }
        if core > 0.5 || halo > 0.28 {
            truth.mark(x, y);
        }
    });
}

/// A stain that follows gravity, in thin threads, weaker the farther it is from the spot.
fn run(surface: &mut Surface, truth: &mut Truth, spot: Spot, seed: u32) {
    let Spot { x: cx, y: cy, radius, run } = spot;
    let tint = [0.74, 0.44, 0.19];
    let middle = (cx, cy + 0.5 * run);
    surface.around(middle, (radius * 1.6 + 8.0, 0.5 * run), |surface, x, y, index| {
        let t = (y as f32 - cy) / run;
        let sway = radius * 0.16 * value(y as f32 / 90.0, 0.0, seed ^ 21);
        let across = (x as f32 - cx - sway) / (radius * mix(0.62, 0.20, t.sqrt()));
        let threads = 0.72 + 0.55 * fractal((x as f32 - sway) / 3.2, y as f32 / 160.0, 2, seed ^ 23);
        let alpha = 0.95 * (1.0 - t) * (1.0 - 0.3 * t) * (-across * across).exp() * threads;
        if alpha > 0.004 {
            surface.albedo[index] = stain(surface.albedo[index], tint, alpha.min(0.9));
            surface.gloss[index] *= 1.0 - 0.5 * alpha.min(1.0);
        }
        if alpha > 0.14 {
            truth.mark(x, y);
        }
    });
}
