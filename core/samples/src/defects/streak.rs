//! Wiping streaks of a film: long, parallel, slightly bent, a few ΔE brighter than the paint around.

use crate::color::add;
use crate::layer::{End, Layer};
use crate::noise::value;
use crate::random::Random;
use crate::surface::Surface;
use crate::truth::Truth;

/// A group of parallel streaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// Where the first one begins.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Direction in radians.
    pub(crate) angle: f32,
    pub(crate) length: f32,
    pub(crate) count: u32,
    /// Distance from one to the next, in pixels.
    pub(crate) spacing: f32,
    /// Light that is scattered on top of the paint.
    pub(crate) haze: f32,
}

/// Draws the group, which is one defect.
pub(crate) fn group(surface: &mut Surface, truth: &mut Truth, random: &mut Random, group: Group) {
    let mut layer = Layer::new(surface.width, surface.height);
    let bend = random.between(-0.10, 0.10);
    for number in 0..group.count {
        let aside = number as f32 * group.spacing * random.between(0.9, 1.1);
        let late = random.between(0.0, 0.16) * group.length;
        let length = group.length * random.between(0.74, 1.0) - late;
        let seed = random.bits() as u32;
        let radius = random.between(4.0, 8.0);
        let place = |t: f32| {
            let along = late + t * length;
            let across = aside + bend * along * along / group.length + 3.0 * value(t * 5.0, 0.0, seed);
            let (sin, cos) = group.angle.sin_cos();
            // A wipe begins firm and ends thin, and skips a little on the way.
            let pressure = (4.0 * t).min(1.0) * (3.0 * (1.0 - t)).min(1.0);
            End {
                x: group.x + along * cos - across * sin,
                y: group.y + along * sin + across * cos,
                radius: radius * (0.55 + 0.45 * pressure),
                strength: pressure * (0.78 + 0.22 * value(t * 9.0, 4.0, seed)),
            }
        };
        for piece in 0..40 {
            layer.line(place(piece as f32 / 40.0), place((piece + 1) as f32 / 40.0), 7.0);
        }
    }
    let seed = random.bits() as u32;
    for y in 0..surface.height {
        for x in 0..surface.width {
            let alpha = layer.alpha[y * surface.width + x];
            if alpha > 0.0 {
                let grain = 0.82 + 0.30 * value(x as f32 / 2.6, y as f32 / 2.6, seed);
                let haze = group.haze * alpha * grain;
                let index = y * surface.width + x;
                surface.albedo[index] = add(surface.albedo[index], [haze * 0.94, haze, haze * 1.05]);
                if alpha > 0.4 {
                    truth.mark(x, y);
                }
            }
        }
    }
    truth.defects += 1;
}
