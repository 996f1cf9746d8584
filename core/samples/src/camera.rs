//! The camera: lens softness, vignette, sensor noise with a little grain, and the curve to 8-bit sRGB.

use crate::color::{Light, to_srgb};
use crate::random::Random;

/// How a scene is photographed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Camera {
    /// Factor on all light.
    pub(crate) exposure: f32,
    /// Loss of light in the corners, 0.0 to 1.0.
    pub(crate) vignette: f32,
    /// Factor on the noise of a phone in good light (about 2 of 255 levels in mid grey).
    pub(crate) noise: f32,
    /// Factors on red, green, blue.
    pub(crate) white_balance: Light,
}

impl Default for Camera {
    fn default() -> Self {
        Self { exposure: 1.0, vignette: 0.22, noise: 1.0, white_balance: [1.0, 1.0, 1.0] }
    }
}

/// Variance of the noise per unit of light, and without light.
const SHOT: f32 = 2.2e-4;
const READ: f32 = 6.0e-7;

impl Camera {
    /// Interleaved 8-bit sRGB of the light on the sensor.
    pub(crate) fn photograph(
        &self,
        mut light: Vec<Light>,
        width: usize,
        height: usize,
        seed: u64,
    ) -> Vec<u8> {
        soften(&mut light, width, height);
        let curve = Curve::new();
        let mut rgb = Vec::with_capacity(3 * width * height);
        let (center_x, center_y) = (0.48 * width as f32, 0.51 * height as f32);
        let corner =
            center_x.max(width as f32 - center_x).powi(2) + center_y.max(height as f32 - center_y).powi(2);
        for y in 0..height {
            let mut random = Random::new(seed ^ (y as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
            let dy = (y as f32 - center_y).powi(2);
            let mut grain = [0.0f32; 3];
            for x in 0..width {
                let reach = ((x as f32 - center_x).powi(2) + dy) / corner;
                let gain = self.exposure * (1.0 - self.vignette * reach * (0.4 + 0.6 * reach));
                let bits = random.bits();
                let part = |shift: u32| ((bits >> shift) & 0xffff) as f32 / 65_536.0 - 0.5;
                // Mostly brightness noise, as a phone leaves it; neighbours share a part of it.
                let luminance = 1.9 * (part(0) + part(16));
                let seen = light[y * width + x];
                let deviation = self.noise * (READ + SHOT * (seen[1] * gain).min(1.0)).sqrt();
                for c in 0..3 {
                    let own = if c == 1 { 0.0 } else { 1.4 * part(16 * (c as u32 + 1)) };
                    grain[c] = 0.35 * grain[c] + 0.85 * (luminance + own);
                    let level = seen[c] * gain * self.white_balance[c];
                    rgb.push(curve.encode(level + deviation * grain[c]));
                }
            }
        }
        rgb
    }
}

/// Linear light to an 8-bit level, with a soft shoulder below white as phones have it.
struct Curve {
    levels: Vec<u8>,
}

impl Curve {
    const ENTRIES: usize = 16_384;
    /// Light at the end of the table; anything brighter is white.
    const END: f32 = 2.5;
    const KNEE: f32 = 0.72;

    fn new() -> Self {
        let levels = (0..=Self::ENTRIES)
            .map(|entry| {
                let linear = entry as f32 / Self::ENTRIES as f32 * Self::END;
                let over = linear - Self::KNEE;
                let rest = 1.0 - Self::KNEE;
                let shown =
                    if over > 0.0 { Self::KNEE + rest * (1.0 - (-over / rest).exp()) } else { linear };
                (255.0 * to_srgb(shown.min(1.0))).round() as u8
            })
            .collect();
        Self { levels }
    }

    /// A step of the table is half a level in the darkest tones, less than the noise there.
    fn encode(&self, linear: f32) -> u8 {
        let place = linear.clamp(0.0, Self::END) * (Self::ENTRIES as f32 / Self::END);
        self.levels[(place + 0.5) as usize]
    }
}

/// A lens and the demosaicing: 3x3, mild.
fn soften(light: &mut [Light], width: usize, height: usize) {
    const SIDE: f32 = 0.17;
    for row in light.chunks_exact_mut(width) {
        let mut before = row[0];
        for x in 0..width {
            let here = row[x];
            let after = row[(x + 1).min(width - 1)];
            row[x] = [0, 1, 2].map(|c| here[c] * (1.0 - 2.0 * SIDE) + SIDE * (before[c] + after[c]));
            before = here;
        }
    }
    let mut above = light[..width].to_vec();
    for y in 0..height {
        for x in 0..width {
            let here = light[y * width + x];
            let below = light[(y + 1).min(height - 1) * width + x];
            light[y * width + x] =
                [0, 1, 2].map(|c| here[c] * (1.0 - 2.0 * SIDE) + SIDE * (above[x][c] + below[c]));
            above[x] = here;
        }
    }
}
