//! Cracks: thin dark lines that wander and branch, with edges that stand up a little.

use crate::color::{blend, srgb, stain};
use crate::layer::{End, Layer};
use crate::noise::fractal;
use crate::random::Random;
use crate::surface::Surface;
use crate::truth::Truth;

/// Where a crack begins and where it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Direction in radians.
    pub(crate) angle: f32,
    /// In pixels.
    pub(crate) length: f32,
    /// Half the width at its beginning, in pixels.
    pub(crate) radius: f32,
    /// How often it may still branch.
    pub(crate) generations: u32,
}

/// Draws one crack with its branches, which is one defect.
pub(crate) fn system(surface: &mut Surface, truth: &mut Truth, random: &mut Random, course: Course) {
    let mut layer = Layer::new(surface.width, surface.height);
    let mut shade = Layer::new(surface.width, surface.height);
    // A crack runs both ways from where it began.
    for turn in [0.0, std::f32::consts::PI] {
        walk(&mut layer, &mut shade, random, Course { angle: course.angle + turn, ..course });
    }
    let seed = random.bits() as u32;
    let dark = srgb(0x1b_1714);
    for y in 0..surface.height {
        for x in 0..surface.width {
            let index = y * surface.width + x;
            let dirt = shade.alpha[index];
            if dirt <= 0.0 {
                continue;
            }
            let depth = layer.alpha[index];
            let uneven = 0.6 + 0.8 * fractal(x as f32 / 30.0, y as f32 / 30.0, 2, seed);
            surface.albedo[index] =
                stain(surface.albedo[index], [0.66, 0.58, 0.46], 0.42 * dirt * uneven.clamp(0.0, 1.0));
            surface.albedo[index] = blend(surface.albedo[index], dark, 0.93 * depth);
            surface.relief[index] += 0.9 * dirt * (1.0 - depth) - 2.0 * depth;
            surface.gloss[index] *= 1.0 - 0.95 * depth;
            if depth > 0.35 {
                truth.mark(x, y);
            }
        }
    }
    truth.defects += 1;
}

fn walk(layer: &mut Layer, shade: &mut Layer, random: &mut Random, course: Course) {
    let Course { mut x, mut y, mut angle, length, radius, generations } = course;
    let heading = angle;
    let mut travelled = 0.0;
    let mut since_branch = 0.0;
    while travelled < length {
        let stride = random.between(5.0, 13.0);
        // Sharp little turns, but always back to the main direction.
        angle += random.normal() * 0.42 + 0.35 * (heading - angle);
        let (to_x, to_y) = (x + stride * angle.cos(), y + stride * angle.sin());
        let thickness = |at: f32| radius * (1.0 - (at / length).powi(2)).max(0.05).sqrt();
        let from = End { x, y, radius: thickness(travelled) * random.between(0.75, 1.2), strength: 1.0 };
        let to = End { x: to_x, y: to_y, radius: thickness(travelled + stride), strength: 1.0 };
        layer.line(from, to, 1.4);
        let wide = |end: End| End { radius: end.radius + 1.6, strength: 0.9, ..end };
        shade.line(wide(from), wide(to), 4.5);
        (x, y) = (to_x, to_y);
        travelled += stride;
        since_branch += stride;
        if generations > 0 && since_branch > 60.0 && random.unit() < 0.16 {
            since_branch = 0.0;
            let side = if random.unit() < 0.5 { -1.0 } else { 1.0 };
            let branch = Course {
                x,
                y,
                angle: angle + side * random.between(0.5, 1.25),
                length: (length - travelled) * random.between(0.3, 0.75) + 20.0,
                radius: thickness(travelled) * 0.66,
                generations: generations - 1,
            };
            walk(layer, shade, random, branch);
        }
    }
}
