//! A dark metallic car panel under two lamp tubes, masked and lying over a concrete floor, as a detailer's phone
//! sees it: once evenly filmed, once with streaks, beads and a corner that the film does not reach.

use crate::camera::Camera;
use crate::color::{add, blend, scale, srgb};
use crate::defects::{bead, streak};
use crate::drawing::Drawing;
use crate::noise::{Tile, fractal, step, value};
use crate::random::Random;
use crate::scenes::floor::Floor;
use crate::scenes::lamps::Bay;
use crate::surface::Surface;
use crate::truth::Truth;

/// The panel's outline: a box with round corners, slightly turned, narrower at the far end, its top out of the
/// picture.
struct Outline {
    center: (f32, f32),
    half: (f32, f32),
    /// Sine and cosine of how far it is turned.
    turn: (f32, f32),
    corner: f32,
}

impl Outline {
    /// Where a point lies.
    fn place(&self, x: f32, y: f32) -> Place {
        let (sin, cos) = self.turn;
        let (dx, dy) = (x - self.center.0, y - self.center.1);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let bow = 1.0 + 0.075 * v / self.half.1 - 0.02 * (v / self.half.1).powi(2);
        let aside = u.abs() - self.half.0 * bow + self.corner;
        let above = v.abs() - self.half.1 * (1.0 - 0.022 * (u / self.half.0).powi(2)) + self.corner;
        let (right, below) = (aside.max(0.0), above.max(0.0));
        let distance = (right * right + below * below).sqrt() + aside.max(above).min(0.0) - self.corner;
        let along = if aside > above { v } else { u };
        let masked = if aside > above && u < 0.0 { 1.0 } else { step(0.62, 0.12, u / self.half.0) };
        Place { distance, along, masked }
    }
}

/// Where a point lies as seen from the outline.
struct Place {
    /// From the outline in pixels, negative inside.
    distance: f32,
    /// On the way around.
    along: f32,
    /// 1.0 where tape and film surround the panel (left and below), 0.0 where its bare rim shows.
    masked: f32,
}

const TAPE_INSIDE: f32 = -12.0;
const TAPE_OUTSIDE: f32 = 26.0;

/// What lies on the paint.
#[derive(Clone, Copy, PartialEq)]
enum Film {
    Even,
    Faulty,
}

pub(crate) fn clean() -> Drawing {
    draw(1200, 1600, Film::Even, 131)
}

pub(crate) fn film_streaks() -> Drawing {
    draw(1500, 2000, Film::Faulty, 137)
}

fn draw(width: usize, height: usize, film: Film, seed: u64) -> Drawing {
    let mut random = Random::new(seed);
    let (w, h) = (width as f32, height as f32);
    let outline = Outline {
        center: (0.515 * w, 0.42 * h),
        half: (0.395 * w, 0.47 * h),
        turn: if film == Film::Faulty { -0.035f32 } else { 0.028 }.sin_cos(),
        corner: 0.035 * w,
    };
    let shift = if film == Film::Faulty { (0.015, 0.0) } else { (0.06, 0.05) };
    let bay = Bay { width: w, height: h, shift };
    let mut truth = Truth::new(width, height);
    let mut surface = Surface::new(width, height, [0.0; 3], 0.0);
    paint(&mut surface, &mut truth, &mut random, &outline, &bay);
    flakes(&mut surface, &mut random, &outline, &bay);
    if film == Film::Faulty {
        faults(&mut surface, &mut truth, &mut random);
        missed_corner(&mut surface, &mut truth, &mut random, &outline, &bay);
    }
    surround(&mut surface, &mut random, &outline);
    let light = surface.lit(&bay);
    let camera = Camera { exposure: 1.0, vignette: 0.30, noise: 1.25, white_balance: [0.98, 1.0, 1.03] };
    Drawing::new(width, height, camera.photograph(light, width, height, seed), &truth)
}

/// Base coat under clear coat, with orange peel, and the rim that bends away.
fn paint(surface: &mut Surface, truth: &mut Truth, random: &mut Random, outline: &Outline, bay: &Bay) {
    let seed = random.bits() as u32;
    let peel = Tile::new(11.0, 2, seed);
    let grain = Tile::new(2.4, 2, seed ^ 1);
    let base = srgb(0x0d_1420);
    let lobe = srgb(0x30_4e7e);
    let mut panel_pixels = 0;
    for y in 0..surface.height {
        for x in 0..surface.width {
            let (fx, fy) = (x as f32, y as f32);
            let Place { distance, .. } = outline.place(fx, fy);
            if distance > 1.0 {
                continue;
            }
            panel_pixels += usize::from(distance < TAPE_INSIDE);
            let index = y * surface.width + x;
            let glow = bay.glow(fx, fy);
            let metallic = add(scale(base, 0.85), scale(lobe, 0.05 + 0.50 * glow * glow));
            surface.albedo[index] = scale(metallic, 1.0 + (0.10 + 0.16 * glow) * grain.at(x, y));
            let rim = (distance + 16.0).max(0.0);
            surface.relief[index] =
                0.05 * (peel.at(x, y) + 0.5 * peel.at(2 * y + 5, x + 201)) - 0.011 * rim * rim;
            surface.gloss[index] = 0.046;
        }
    }
    truth.set_panel_pixels(panel_pixels);
}

/// Aluminium flakes of 2 to 6 px: many faint, few bright, brightest near the lamps' images.
fn flakes(surface: &mut Surface, random: &mut Random, outline: &Outline, bay: &Bay) {
    let count = surface.width * surface.height / 26;
    for _ in 0..count {
        let (x, y) = (random.unit() * surface.width as f32, random.unit() * surface.height as f32);
        let luck = random.unit();
        let radius = random.between(0.7, 1.7) + 0.7 * luck.powi(12);
        let tint = random.unit();
        if outline.place(x, y).distance > -4.0 {
            continue;
        }
        let glow = bay.glow(x, y);
        let power = (0.006 + 0.085 * luck.powi(9) + 0.16 * luck.powi(60)) * (0.16 + 1.1 * glow * glow);
        let color = blend([0.55, 0.78, 1.15], [1.0, 0.95, 0.90], tint);
        surface.around((x, y), (2.2 * radius, 2.2 * radius), |surface, px, py, index| {
            let square = ((px as f32 - x).powi(2) + (py as f32 - y).powi(2)) / (radius * radius);
            surface.albedo[index] = add(surface.albedo[index], scale(color, power * (-1.4 * square).exp()));
        });
    }
}

fn faults(surface: &mut Surface, truth: &mut Truth, random: &mut Random) {
    let (w, h) = (surface.width as f32, surface.height as f32);
    let left = streak::Group {
        x: 0.215 * w,
        y: 0.50 * h,
        angle: 1.25,
        length: 0.31 * h,
        count: 5,
        spacing: -0.026 * w,
        haze: 0.022,
    };
    let right = streak::Group {
        x: 0.765 * w,
        y: 0.145 * h,
        angle: 1.42,
        length: 0.25 * h,
        count: 4,
        spacing: -0.022 * w,
        haze: 0.020,
    };
    streak::group(surface, truth, random, streak::Group { x: 0.325 * w, ..left });
    streak::group(surface, truth, random, streak::Group { x: 0.80 * w, ..right });
    // Beads keep clear of the lamps' images and of each other.
    for &(x, y, radius) in &[
        (0.4720, 0.300, 13.0),
        (0.4935, 0.342, 9.0),
        (0.4610, 0.371, 16.0),
        (0.5010, 0.405, 10.5),
        (0.4790, 0.443, 8.0),
        (0.4480, 0.468, 12.0),
        (0.6650, 0.420, 14.0),
        (0.6890, 0.452, 9.0),
        (0.6600, 0.489, 11.0),
    ] {
        bead::drop(surface, truth, (x * w, y * h), radius * w / 1800.0);
    }
}

/// The film ends in a matt line; beyond it the paint is duller while its colour hardly differs.
fn missed_corner(
    surface: &mut Surface,
    truth: &mut Truth,
    random: &mut Random,
    outline: &Outline,
    bay: &Bay,
) {
    let seed = random.bits() as u32;
    let (w, h) = (surface.width as f32, surface.height as f32);
    for y in (0.6 * h) as usize..surface.height {
        for x in (0.4 * w) as usize..surface.width {
            let (fx, fy) = (x as f32, y as f32);
            let Place { distance, .. } = outline.place(fx, fy);
            if distance > 1.0 {
                continue;
            }
            let wave = 0.018 * w * fractal(fx / 150.0, fy / 150.0, 2, seed)
                + 3.0 * value(fx / 14.0, fy / 14.0, seed ^ 1);
            let beyond = 0.62 * (fx - 0.70 * w) + 0.78 * (fy - 0.845 * h) + wave;
            let index = y * surface.width + x;
            let line = (-(beyond / (0.0032 * w)).powi(2)).exp();
            let outside = step(-3.0, 3.0, beyond);
            if line > 0.01 || outside > 0.0 {
                let dull = 0.020 * bay.glow(fx, fy) + 0.0045;
                let fleck = 0.8 + 0.4 * value(fx / 3.0, fy / 3.0, seed ^ 2);
                let light = outside * dull + line * 0.020 * fleck;
                surface.albedo[index] =
                    add(scale(surface.albedo[index], 1.0 - 0.18 * outside), [light, light, light * 1.06]);
                surface.gloss[index] *= (1.0 - 0.42 * outside) * (1.0 - 0.55 * line);
                surface.relief[index] += 0.22 * outside * value(fx / 6.0, fy / 6.0, seed ^ 3);
            }
            if outside > 0.5 && distance < TAPE_INSIDE {
                truth.mark(x, y);
            }
        }
    }
}

/// Tape over the rim, film around it, concrete beyond.
fn surround(surface: &mut Surface, random: &mut Random, outline: &Outline) {
    let seed = random.bits() as u32;
    let floor = Floor::new(seed);
    let size = surface.width as f32 / 1800.0;
    for y in 0..surface.height {
        for x in 0..surface.width {
            let (fx, fy) = (x as f32, y as f32);
            let Place { distance, along, masked } = outline.place(fx, fy);
            let index = y * surface.width + x;
            let taped = masked > 0.5 + 0.02 * value(fx / 5.0, fy / 5.0, seed ^ 4);
            let inner = if taped { TAPE_INSIDE + 1.6 * value(along / 70.0, 0.0, seed ^ 1) } else { 0.0 };
            if distance < inner {
                continue;
            }
            let outer = TAPE_OUTSIDE * size + 1.2 * value(along / 40.0, 3.0, seed ^ 2);
            if taped && distance < outer {
                floor.tape(x, y, along, distance).put(surface, index);
                continue;
            }
            let mut patch = floor.concrete(x, y);
            // The panel lies on stands: what shows of the floor beside its rim is dark.
            patch.albedo = scale(patch.albedo, 1.0 - 0.80 * (-distance / (34.0 * size)).exp());
            let ragged = 0.75 + 0.55 * fractal(along / (300.0 * size), 7.0, 3, seed ^ 3);
            let hem = 250.0 * size * masked * ragged - 30.0 * (1.0 - masked);
            if distance < hem {
                patch = floor.film(&patch, x, y);
            } else {
                // The film throws a soft shadow on the floor.
                patch.albedo =
                    scale(patch.albedo, 1.0 - 0.38 * masked * (-(distance - hem) / (11.0 * size)).exp());
            }
            patch.put(surface, index);
        }
    }
}
