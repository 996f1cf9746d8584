//! A plain panel of any size with discs, strips and a lighting ramp: exact truth, no decoration.

use crate::drawing::Drawing;
use crate::random::Random;
use crate::truth::Truth;

/// Describes a panel; [`Panel::draw`] draws it. Colours are sRGB, noise is in 8-bit levels.
#[derive(Debug, Clone)]
pub struct Panel {
    width: usize,
    height: usize,
    color: [u8; 3],
    noise: f32,
    lighting: f32,
    seed: u64,
    shapes: Vec<Shape>,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Disc { x: f32, y: f32, radius: f32, color: [u8; 3] },
    Box { x: f32, y: f32, width: f32, height: f32, color: [u8; 3] },
}

impl Panel {
    /// A light grey-blue panel that fills the picture, without noise.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            width: width as usize,
            height: height as usize,
            color: [169, 183, 196],
            noise: 0.0,
            lighting: 0.0,
            seed: 1,
            shapes: Vec::new(),
        }
    }

    /// The coat's colour.
    #[must_use]
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = color;
        self
    }

    /// Deviation of normal noise on every channel, in levels of 255.
    #[must_use]
    pub fn noise(mut self, deviation: f32) -> Self {
        self.noise = deviation;
        self
    }

    /// A ramp from left to right: 0.4 is from 40 % brighter to 40 % darker, in encoded values.
    #[must_use]
    pub fn lighting(mut self, strength: f32) -> Self {
        self.lighting = strength;
        self
    }

    /// Another seed is other noise.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A round defect. Discs that touch still count as one each: keep them apart.
    #[must_use]
    pub fn disc(mut self, x: f32, y: f32, radius: f32, color: [u8; 3]) -> Self {
        self.shapes.push(Shape::Disc { x, y, radius, color });
        self
    }

    /// A defect with straight sides.
    #[must_use]
    pub fn strip(mut self, x: f32, y: f32, width: f32, height: f32, color: [u8; 3]) -> Self {
        self.shapes.push(Shape::Box { x, y, width, height, color });
        self
    }

    /// Draws it. Shapes have sides smoothed over one pixel and take part in lighting and noise.
    #[must_use]
    pub fn draw(&self) -> Drawing {
        let (width, height) = (self.width, self.height);
        let mut truth = Truth::new(width, height);
        let mut levels = vec![self.color.map(f32::from); width * height];
        for shape in &self.shapes {
            self.paint(*shape, &mut levels, &mut truth);
            truth.defects += 1;
        }
        let mut rgb = Vec::with_capacity(3 * width * height);
        let mut random = Random::new(self.seed);
        let ramp: Vec<f32> =
            (0..width).map(|x| 1.0 + self.lighting * (1.0 - 2.0 * x as f32 / width.max(2) as f32)).collect();
        for row in levels.chunks_exact(width) {
            for (level, gain) in row.iter().zip(&ramp) {
                for channel in level {
                    let noise = if self.noise > 0.0 { self.noise * random.normal() } else { 0.0 };
                    rgb.push((channel * gain + noise + 0.5) as u8);
                }
            }
        }
        Drawing::new(width, height, rgb, &truth)
    }

    fn paint(&self, shape: Shape, levels: &mut [[f32; 3]], truth: &mut Truth) {
        let (middle, half, color) = match shape {
            Shape::Disc { x, y, radius, color } => ((x, y), (radius, radius), color),
            Shape::Box { x, y, width, height, color } => {
                ((x + 0.5 * width, y + 0.5 * height), (0.5 * width, 0.5 * height), color)
            }
        };
        let span = |middle: f32, half: f32, limit: usize| {
            let from = (middle - half - 1.0).clamp(0.0, limit as f32) as usize;
            from..(middle + half + 2.0).clamp(0.0, limit as f32) as usize
        };
        for y in span(middle.1, half.1, self.height) {
            for x in span(middle.0, half.0, self.width) {
                // Distance of the pixel's middle from the outline, negative inside.
                let (dx, dy) = (x as f32 + 0.5 - middle.0, y as f32 + 0.5 - middle.1);
                let distance = match shape {
                    Shape::Disc { radius, .. } => dx.hypot(dy) - radius,
                    Shape::Box { .. } => (dx.abs() - half.0).max(dy.abs() - half.1),
                };
                let alpha = (0.5 - distance).clamp(0.0, 1.0);
                let level = &mut levels[y * self.width + x];
                for c in 0..3 {
                    level[c] += (f32::from(color[c]) - level[c]) * alpha;
                }
                if alpha >= 0.5 {
                    truth.mark(x, y);
                }
            }
        }
    }
}
