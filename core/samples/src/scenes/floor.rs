//! What lies around a panel in a workshop: concrete, masking film and tape. None of it is coating.

use crate::color::{Light, blend, scale, srgb, stain};
use crate::noise::{Tile, fractal, lattice, step, value};
use crate::surface::Surface;

/// Colour, relief and gloss of one pixel.
pub(crate) struct Patch {
    pub(crate) albedo: Light,
    pub(crate) relief: f32,
    pub(crate) gloss: f32,
}

/// Prepared noise for a floor.
pub(crate) struct Floor {
    sand: Tile,
    aggregate: Tile,
    seed: u32,
}

impl Floor {
    pub(crate) fn new(seed: u32) -> Self {
        Self { sand: Tile::new(2.0, 2, seed), aggregate: Tile::new(7.0, 3, seed ^ 1), seed }
    }

    /// Power-trowelled concrete with stains and small pores.
    pub(crate) fn concrete(&self, x: usize, y: usize) -> Patch {
        let (fx, fy) = (x as f32, y as f32);
        let sand = self.sand.at(x, y);
        let aggregate = self.aggregate.at(x + 91, y + 17);
        let cloud = fractal(fx / 260.0, fy / 310.0, 3, self.seed ^ 2);
        let tone = 1.0 + 0.16 * sand + 0.16 * aggregate + 0.30 * cloud;
        let mut albedo = scale(srgb(0x7b_7873), tone.max(0.2));
        // Old drips of oil and water.
        let wet = step(0.22, 0.34, fractal(fx / 170.0, fy / 150.0, 3, self.seed ^ 3));
        albedo = stain(albedo, [0.70, 0.68, 0.64], 0.55 * wet);
        let (column, row) = ((fx / 6.0) as i32, (fy / 6.0) as i32);
        if lattice(column, row, self.seed ^ 4) > 0.992 {
            let (dx, dy) = (fx - 6.0 * column as f32 - 3.0, fy - 6.0 * row as f32 - 3.0);
            albedo = scale(albedo, 1.0 - 0.5 * step(3.0, 1.2, (dx * dx + dy * dy).sqrt() + 0.6 * sand));
        }
        Patch { albedo, relief: 0.35 * sand + 0.5 * aggregate, gloss: 0.01 }
    }

    /// Thin masking film over `below`: milky, with long folds in two directions and small crinkles.
    pub(crate) fn film(&self, below: &Patch, x: usize, y: usize) -> Patch {
        let (fx, fy) = (x as f32, y as f32);
        let warp = 34.0 * value(fx / 150.0, fy / 150.0, self.seed ^ 5);
        let fold = |(sin, cos): (f32, f32), size: f32, length: f32, seed: u32| {
            let (u, v) = (fx * cos + fy * sin + warp, fy * cos - fx * sin - 0.7 * warp);
            let ridge = 1.0 - value(u / size, v / length, self.seed ^ seed).abs();
            ridge * ridge * ridge
        };
        let long = fold((0.34, 0.94), 120.0, 420.0, 6);
        let cross = fold((0.95, -0.32), 70.0, 230.0, 7);
        let small = fold((0.84, 0.54), 24.0, 70.0, 8) * (0.3 + 0.7 * cross);
        let milky =
            0.34 + 0.14 * value(fx / 130.0, fy / 170.0, self.seed ^ 9) + 0.22 * long * cross + 0.10 * small;
        Patch {
            albedo: blend(below.albedo, srgb(0xcf_d4d9), milky.clamp(0.12, 0.8)),
            relief: 2.0 + 13.0 * long + 7.0 * cross + 2.6 * small,
            gloss: 0.034,
        }
    }

    /// Crêpe masking tape, its wrinkles across `along`.
    pub(crate) fn tape(&self, x: usize, y: usize, along: f32, away: f32) -> Patch {
        let crepe = value(along / 3.1, away / 15.0, self.seed ^ 12)
            + 0.6 * value(along / 1.7, away / 7.0, self.seed ^ 13);
        let worn = fractal(x as f32 / 50.0, y as f32 / 50.0, 2, self.seed ^ 14);
        let albedo = scale(srgb(0xc9_b987), 0.92 + 0.05 * crepe + 0.10 * worn);
        Patch { albedo, relief: 3.0 + 0.50 * crepe, gloss: 0.012 }
    }
}

impl Patch {
    pub(crate) fn put(self, surface: &mut Surface, index: usize) {
        surface.albedo[index] = self.albedo;
        surface.relief[index] = self.relief;
        surface.gloss[index] = self.gloss;
    }
}
