//! A surface before any light falls on it: colour, relief and gloss of every pixel, and the lighting that turns
//! them into what the camera sees.
//!
//! Relief is a height in pixels; shading, small highlights and shadows at edges all follow from it, which is why
//! a lifted lip of paint, a dome and a crack look right without being painted by hand.

use crate::color::{Light, add, scale};

pub(crate) struct Surface {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Share of the light that is scattered, per channel.
    pub(crate) albedo: Vec<Light>,
    /// Height over the panel, in pixels.
    pub(crate) relief: Vec<f32>,
    /// Share of the surroundings that is mirrored.
    pub(crate) gloss: Vec<f32>,
}

/// The light of a scene.
pub(crate) trait Lighting {
    /// Strength of the scattered light at a place of the picture, about 1.0.
    fn strength(&self, x: f32, y: f32) -> f32;

    /// What is mirrored at a place whose surface is tilted by the slopes; 1.0 is white.
    fn mirrored(&self, x: f32, y: f32, slope_x: f32, slope_y: f32) -> Light;
}

/// Towards the lamp: from the upper left, 45 degrees above the surface.
const LAMP: [f32; 3] = [-0.45, -0.54, 0.71];
/// Scattered light that comes from everywhere.
const AMBIENT: f32 = 0.36;

impl Surface {
    pub(crate) fn new(width: usize, height: usize, albedo: Light, gloss: f32) -> Self {
        let pixels = width * height;
        Self {
            width,
            height,
            albedo: vec![albedo; pixels],
            relief: vec![0.0; pixels],
            gloss: vec![gloss; pixels],
        }
    }

    /// Calls `paint` with every pixel of the picture within `reach` of a point: `(x, y, index)`.
    pub(crate) fn around(
        &mut self,
        center: (f32, f32),
        reach: (f32, f32),
        mut paint: impl FnMut(&mut Self, usize, usize, usize),
    ) {
        let span = |middle: f32, reach: f32, limit: usize| {
            let from = (middle - reach).floor().clamp(0.0, limit as f32) as usize;
            let to = (middle + reach).ceil().clamp(0.0, limit as f32) as usize;
            from..to
        };
        for y in span(center.1, reach.1, self.height) {
            for x in span(center.0, reach.0, self.width) {
                let index = y * self.width + x;
                paint(self, x, y, index);
            }
        }
    }

    /// The light that reaches the camera from every pixel. Takes the surface, since it is drawn in place.
    pub(crate) fn lit(mut self, lighting: &impl Lighting) -> Vec<Light> {
        let (width, height) = (self.width, self.height);
        for y in 0..height {
            let above = y.saturating_sub(1) * width;
            let below = (y + 1).min(height - 1) * width;
            let shade_row = y.saturating_sub(3) * width;
            for x in 0..width {
                let index = y * width + x;
                let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                let slope_x = 0.5 * (self.relief[y * width + right] - self.relief[y * width + left]);
                let slope_y = 0.5 * (self.relief[below + x] - self.relief[above + x]);
                let facing = (LAMP[2] - slope_x * LAMP[0] - slope_y * LAMP[1]).max(0.0)
                    / (LAMP[2] * (1.0 + slope_x * slope_x + slope_y * slope_y).sqrt());
                // What stands higher in the direction of the lamp throws a shadow.
                let over = self.relief[shade_row + x.saturating_sub(3)] - self.relief[index];
                let shadow = 1.0 - (0.30 * (over - 0.6)).clamp(0.0, 0.65);
                let (fx, fy) = (x as f32, y as f32);
                let strength = lighting.strength(fx, fy) * (AMBIENT + (1.0 - AMBIENT) * facing) * shadow;
                let scattered = scale(self.albedo[index], strength);
                // A wall is not a mirror: it shows its side to the camera.
                let steep = slope_x * slope_x + slope_y * slope_y;
                let gloss = self.gloss[index] * (1.3 - steep).clamp(0.0, 1.0);
                self.albedo[index] = if gloss > 0.0 {
                    add(scattered, scale(lighting.mirrored(fx, fy, slope_x, slope_y), gloss * shadow))
                } else {
                    scattered
                };
            }
        }
        self.albedo
    }
}
