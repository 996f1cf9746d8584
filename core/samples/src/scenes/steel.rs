//! Painted steel, photographed from close by in a workshop: the coat fills the picture.

use crate::camera::Camera;
use crate::color::{Light, scale, srgb};
use crate::defects::{bare_edge, blister, crack, flake, rust};
use crate::drawing::Drawing;
use crate::noise::{Tile, fractal, step};
use crate::random::Random;
use crate::surface::{Lighting, Surface};
use crate::truth::Truth;

/// Daylight from a window at the upper left, and its soft image in the paint.
struct Workshop {
    width: f32,
    height: f32,
    /// Where the window is mirrored, as shares of the picture.
    window: (f32, f32),
    /// Loss of scattered light from the bright to the dark corner.
    falloff: f32,
}

impl Lighting for Workshop {
    fn strength(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x / self.width - 0.10, y / self.height + 0.05);
        1.12 - self.falloff * (0.62 * u + 0.42 * v)
    }

    fn mirrored(&self, x: f32, y: f32, slope_x: f32, slope_y: f32) -> Light {
        // A tilted spot mirrors another part of the room.
        let u = x / self.width - self.window.0 - 1.15 * slope_x;
        let v = (y / self.height - self.window.1) * 0.8 - 1.15 * slope_y;
        let distance = u * u + v * v;
        // Two panes behind blinds, out of focus, and the glow of the wall around them.
        let (across, down) = (u + 0.35 * v, v - 0.20 * u);
        let panes = step(0.27, 0.12, across.abs()) * step(0.25, 0.10, down.abs());
        let bar = 1.0 - 0.35 * (-(across / 0.035) * (across / 0.035)).exp();
        let window = 1.7 / (1.0 + 14.0 * distance) + 2.9 * panes * bar;
        [window * 0.95, window, window * 1.06]
    }
}

/// A coated sheet without a fault: what its paint, unevenness and dust look like.
struct Sheet {
    width: usize,
    height: usize,
    paint: u32,
    gloss: f32,
    /// Amplitude of the orange peel, in pixels of height.
    peel: f32,
    /// Strength of cloudy unevenness in colour, as a share.
    weathering: f32,
}

impl Sheet {
    fn surface(&self, random: &mut Random) -> Surface {
        let seed = random.bits() as u32;
        let peel = Tile::new(9.0, 2, seed);
        let fine = Tile::new(2.2, 1, seed ^ 99);
        let mut surface = Surface::new(self.width, self.height, srgb(self.paint), self.gloss);
        for y in 0..self.height {
            let mut cloud = 0.0;
            for x in 0..self.width {
                let index = y * self.width + x;
                // Two readings of one tile, shifted and turned, hide its period.
                surface.relief[index] = self.peel * (peel.at(x, y) + 0.6 * peel.at(2 * y + 77, x + 31));
                // So soft that every fourth pixel will do.
                if x % 4 == 0 {
                    let (fx, fy) = (x as f32, y as f32);
                    cloud = self.weathering * fractal(fx / 340.0, fy / 420.0, 3, seed ^ 5);
                }
                surface.albedo[index] = scale(surface.albedo[index], 1.0 + cloud + 0.012 * fine.at(x, y));
            }
        }
        surface
    }

    fn start(&self, seed: u64) -> (Surface, Truth, Random) {
        let mut random = Random::new(seed);
        let surface = self.surface(&mut random);
        (surface, Truth::new(self.width, self.height), random)
    }

    fn finish(
        &self,
        surface: Surface,
        truth: &Truth,
        window: (f32, f32),
        camera: Camera,
        seed: u64,
    ) -> Drawing {
        let workshop =
            Workshop { width: self.width as f32, height: self.height as f32, window, falloff: 0.42 };
        let light = surface.lit(&workshop);
        let rgb = camera.photograph(light, self.width, self.height, seed);
        Drawing::new(self.width, self.height, rgb, truth)
    }
}

pub(crate) fn clean() -> Drawing {
    let sheet =
        Sheet { width: 1600, height: 1200, paint: 0xa9_b7c4, gloss: 0.055, peel: 0.05, weathering: 0.010 };
    let (surface, truth, _) = sheet.start(11);
    sheet.finish(surface, &truth, (0.24, 0.16), Camera { exposure: 1.02, ..Camera::default() }, 11)
}

pub(crate) fn rust_spots() -> Drawing {
    let sheet =
        Sheet { width: 1600, height: 1200, paint: 0xb9_bdb2, gloss: 0.030, peel: 0.07, weathering: 0.055 };
    let (mut surface, mut truth, mut random) = sheet.start(23);
    let mut places = Places::new(sheet.width, sheet.height, 60.0);
    // Two neighbourhoods with a large spot and its satellites, and a few strays.
    for &(x, y, radius, run) in &[
        (420.0, 370.0, 54.0, 400.0),
        (1110.0, 680.0, 70.0, 310.0),
        (1290.0, 225.0, 25.0, 200.0),
        (730.0, 900.0, 32.0, 0.0),
    ] {
        places.take(x, y, radius * 1.6);
        if run > 0.0 {
            places.take(x, y + 0.45 * run, 0.3 * run);
        }
        rust::spot(&mut surface, &mut truth, &mut random, rust::Spot { x, y, radius, run });
        truth.defects += 1;
    }
    for number in 0..26 {
        let radius = 4.0 + 13.0 * random.unit().powi(2);
        let around = if number % 2 == 0 { (470.0, 430.0) } else { (1090.0, 620.0) };
        let wide = if number < 18 { 210.0 } else { 520.0 };
        let spot = places.find(&mut random, radius * 2.2, |random| {
            (around.0 + wide * random.normal(), around.1 + 0.75 * wide * random.normal())
        });
        if let Some((x, y)) = spot {
            rust::spot(&mut surface, &mut truth, &mut random, rust::Spot { x, y, radius, run: 0.0 });
            truth.defects += 1;
        }
    }
    let camera = Camera { white_balance: [1.03, 1.0, 0.95], ..Camera::default() };
    sheet.finish(surface, &truth, (0.78, -0.05), camera, 23)
}

pub(crate) fn blisters() -> Drawing {
    let sheet =
        Sheet { width: 1600, height: 1200, paint: 0x2f_5d83, gloss: 0.060, peel: 0.06, weathering: 0.02 };
    let (mut surface, mut truth, mut random) = sheet.start(37);
    let mut places = Places::new(sheet.width, sheet.height, 50.0);
    for number in 0..34 {
        let radius = if number < 5 { random.between(30.0, 44.0) } else { 8.0 + 20.0 * random.unit().powi(2) };
        let place = places.find(&mut random, radius * 1.35, |random| {
            (860.0 + 330.0 * random.normal(), 560.0 + 250.0 * random.normal())
        });
        if let Some(center) = place {
            blister::dome(&mut surface, &mut truth, &mut random, center, radius, number == 1 || number == 3);
        }
    }
    sheet.finish(surface, &truth, (0.20, 0.10), Camera { exposure: 1.1, ..Camera::default() }, 37)
}

pub(crate) fn cracks() -> Drawing {
    let sheet =
        Sheet { width: 1600, height: 1200, paint: 0xd8_cfb8, gloss: 0.020, peel: 0.08, weathering: 0.06 };
    let (mut surface, mut truth, mut random) = sheet.start(53);
    for &(x, y, angle, length, radius, generations) in &[
        (620.0, 520.0, 0.55, 560.0, 2.6, 2),
        (1260.0, 330.0, 1.85, 300.0, 1.9, 2),
        (330.0, 960.0, -0.35, 250.0, 1.6, 1),
        (1240.0, 930.0, 0.15, 270.0, 1.7, 1),
        (250.0, 240.0, 1.1, 130.0, 1.3, 1),
    ] {
        let course = crack::Course { x, y, angle, length, radius, generations };
        crack::system(&mut surface, &mut truth, &mut random, course);
    }
    let camera = Camera { exposure: 0.92, white_balance: [1.03, 1.0, 0.94], ..Camera::default() };
    sheet.finish(surface, &truth, (0.65, -0.1), camera, 53)
}

pub(crate) fn bare_edge() -> Drawing {
    let sheet =
        Sheet { width: 1800, height: 1200, paint: 0x7d_3026, gloss: 0.040, peel: 0.06, weathering: 0.035 };
    let (mut surface, mut truth, mut random) = sheet.start(71);
    bare_edge::strip(&mut surface, &mut truth, &mut random, 0.845);
    flake::patch(&mut surface, &mut truth, &mut random, (640.0, 760.0), 34.0);
    flake::patch(&mut surface, &mut truth, &mut random, (1080.0, 330.0), 22.0);
    sheet.finish(surface, &truth, (0.25, 0.05), Camera { exposure: 1.1, ..Camera::default() }, 71)
}

pub(crate) fn flaked_patch() -> Drawing {
    let sheet =
        Sheet { width: 1600, height: 1200, paint: 0xd9_a520, gloss: 0.035, peel: 0.07, weathering: 0.045 };
    let (mut surface, mut truth, mut random) = sheet.start(89);
    flake::patch(&mut surface, &mut truth, &mut random, (720.0, 560.0), 205.0);
    flake::patch(&mut surface, &mut truth, &mut random, (1240.0, 860.0), 74.0);
    flake::patch(&mut surface, &mut truth, &mut random, (1170.0, 240.0), 30.0);
    flake::patch(&mut surface, &mut truth, &mut random, (260.0, 940.0), 22.0);
    sheet.finish(surface, &truth, (0.75, 0.0), Camera { exposure: 0.95, ..Camera::default() }, 89)
}

/// Keeps what is drawn apart, so that the number of drawn defects is the number of separate ones.
struct Places {
    taken: Vec<(f32, f32, f32)>,
    width: f32,
    height: f32,
    margin: f32,
}

impl Places {
    const GAP: f32 = 10.0;

    fn new(width: usize, height: usize, margin: f32) -> Self {
        Self { taken: Vec::new(), width: width as f32, height: height as f32, margin }
    }

    fn take(&mut self, x: f32, y: f32, radius: f32) {
        self.taken.push((x, y, radius));
    }

    /// A free place for something of that radius, or none after a fair number of tries.
    fn find(
        &mut self,
        random: &mut Random,
        radius: f32,
        mut guess: impl FnMut(&mut Random) -> (f32, f32),
    ) -> Option<(f32, f32)> {
        for _ in 0..60 {
            let (x, y) = guess(random);
            let room = self.margin + radius;
            let inside = x > room && y > room && x < self.width - room && y < self.height - room;
            let free =
                self.taken.iter().all(|&(tx, ty, reach)| (tx - x).hypot(ty - y) > reach + radius + Self::GAP);
            if inside && free {
                self.take(x, y, radius);
                return Some((x, y));
            }
        }
        None
    }
}
