//! Smooth noise for surfaces: value noise, its fractal sum, cells, and a tile that is computed once and repeated.

/// Uniform in `0.0..1.0`, a function of the lattice point alone.
pub(crate) fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77) ^ seed;
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h >> 8) as f32 / (1u32 << 24) as f32
}

/// `f32::floor` is a call into the C library on plain x86-64, and noise needs it for every pixel.
fn floor(x: f32) -> i32 {
    let truncated = x as i32;
    truncated - i32::from(x < truncated as f32)
}

/// Value noise in -1.0..1.0 with features of size 1.
pub(crate) fn value(x: f32, y: f32, seed: u32) -> f32 {
    let (i, j) = (floor(x), floor(y));
    let (u, v) = (smooth(x - i as f32), smooth(y - j as f32));
    let top = mix(lattice(i, j, seed), lattice(i + 1, j, seed), u);
    let bottom = mix(lattice(i, j + 1, seed), lattice(i + 1, j + 1, seed), u);
    2.0 * mix(top, bottom, v) - 1.0
}

/// Sum of `octaves` of [`value`], each half as large and half as strong; about -1.0..1.0.
pub(crate) fn fractal(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut scale, mut strength) = (0.0, 1.0, 0.5);
    for octave in 0..octaves {
        sum += strength * value(x * scale, y * scale, seed.wrapping_add(octave.wrapping_mul(0x632b_e5ab)));
        scale *= 2.03;
        strength *= 0.5;
    }
    sum
}

/// The lattice cell (Voronoi, jittered, size 1) that a point lies in: its centre.
pub(crate) fn cell(x: f32, y: f32, seed: u32) -> (f32, f32) {
    let (column, row) = (floor(x), floor(y));
    let mut nearest = (0.0, 0.0, f32::MAX);
    for j in row - 1..=row + 1 {
        for i in column - 1..=column + 1 {
            let cx = i as f32 + lattice(i, j, seed);
            let cy = j as f32 + lattice(i, j, seed ^ 0x55aa_1234);
            let distance = (x - cx).powi(2) + (y - cy).powi(2);
            if distance < nearest.2 {
                nearest = (cx, cy, distance);
            }
        }
    }
    (nearest.0, nearest.1)
}

/// A square of noise that is sampled with wrap-around: nearly free per pixel.
pub(crate) struct Tile {
    values: Vec<f32>,
}

impl Tile {
    const SIDE: usize = 512;

    /// Features of `size` pixels, in -1.0..1.0, without a seam (two lattices that fade into each other).
    pub(crate) fn new(size: f32, octaves: u32, seed: u32) -> Self {
        let side = Self::SIDE as f32;
        let mut values = Vec::with_capacity(Self::SIDE * Self::SIDE);
        for y in 0..Self::SIDE {
            for x in 0..Self::SIDE {
                let (fx, fy) = (x as f32, y as f32);
                let at = |dx: f32, dy: f32| fractal((fx - dx) / size, (fy - dy) / size, octaves, seed);
                // A pixel near the left or top edge takes over what lies beyond the right or bottom one.
                let fade = 48.0;
                let (u, v) = ((fx / fade).min(1.0), (fy / fade).min(1.0));
                let value = if u >= 1.0 && v >= 1.0 {
                    at(0.0, 0.0)
                } else {
                    let upper = mix(at(-side, -side), at(0.0, -side), u);
                    let lower = mix(at(-side, 0.0), at(0.0, 0.0), u);
                    mix(upper, lower, v)
                };
                values.push(value);
            }
        }
        Self { values }
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.values[(y % Self::SIDE) * Self::SIDE + x % Self::SIDE]
    }
}

/// Linear interpolation.
pub(crate) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `from`, 1 above `to`, smooth between; works downwards too.
pub(crate) fn step(from: f32, to: f32, x: f32) -> f32 {
    smooth(((x - from) / (to - from)).clamp(0.0, 1.0))
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}
