//! Draws test pictures deterministically.
#![allow(dead_code, unreachable_pub)]

use forgeos_imaging::Picture;

/// A small generator: the same numbers everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Close to a standard normal.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

/// A picture in floating point, 0 to 255.
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[f32; 3]>,
}

impl Canvas {
    pub fn flat(width: usize, height: usize, colour: [f32; 3]) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    pub fn each(&mut self, mut paint: impl FnMut(f32, f32, &mut [f32; 3])) -> &mut Self {
        for y in 0..self.height {
            for x in 0..self.width {
                paint(x as f32, y as f32, &mut self.pixels[y * self.width + x]);
            }
        }
        self
    }

    pub fn noise(&mut self, sigma: f32, seed: u64) -> &mut Self {
        let mut dice = Dice(seed);
        self.each(|_, _, p| p.iter_mut().for_each(|v| *v += sigma * dice.normal()))
    }

    /// Fine sparkle of metallic paint, a few pixels wide.
    pub fn flake(&mut self, strength: f32, seed: u64) -> &mut Self {
        let mut dice = Dice(seed);
        let (w, h) = (self.width, self.height);
        let raw: Vec<f32> = (0..w * h).map(|_| dice.normal()).collect();
        let at = |x: usize, y: usize| raw[y.min(h - 1) * w + x.min(w - 1)];
        self.each(|x, y, p| {
            let (x, y) = (x as usize, y as usize);
            let grain = (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 2.0;
            let spark = if grain > 2.2 { 3.0 } else { 1.0 };
            p.iter_mut().for_each(|v| *v += strength * grain * spark);
        })
    }

    /// A mirrored lamp tube from `a` to `b`: blown out in the middle, with a halo around.
    pub fn lamp(&mut self, a: (f32, f32), b: (f32, f32), radius: f32, strength: f32) -> &mut Self {
        self.each(|x, y, p| {
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let t = (((x - a.0) * dx + (y - a.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
            let d = (x - a.0 - t * dx).hypot(y - a.1 - t * dy) / radius;
            let light = strength * (-(d * d) * 0.7).exp() + 40.0 * (-d / 2.5).exp();
            p.iter_mut().for_each(|v| *v += light);
        })
    }

    pub fn disc(&mut self, centre: (f32, f32), radius: f32, colour: [f32; 3]) -> &mut Self {
        self.each(|x, y, p| {
            if (x - centre.0).hypot(y - centre.1) <= radius {
                *p = colour;
            }
        })
    }

    pub fn picture(&self) -> Picture {
        let rgb = self.pixels.iter().flatten().map(|v| (v + 0.5).clamp(0.0, 255.0) as u8).collect();
        Picture::new(self.width as u32, self.height as u32, rgb).expect("size fits")
    }

    /// Out of focus by a few pixels.
    pub fn softened(&self) -> Self {
        let mut out = Self::flat(self.width, self.height, [0.0; 3]);
        let (w, h) = (self.width as isize, self.height as isize);
        out.each(|x, y, p| {
            for (dx, dy) in [(-2, 0), (2, 0), (0, -2), (0, 2), (-1, -1), (1, -1), (-1, 1), (1, 1), (0, 0)] {
                let (sx, sy) = ((x as isize + dx).clamp(0, w - 1), (y as isize + dy).clamp(0, h - 1));
                let from = self.pixels[(sy * w + sx) as usize];
                p.iter_mut().zip(from).for_each(|(v, f)| *v += f / 9.0);
            }
        });
        out
    }

    pub fn scaled(&self, factor: f32, brightness: f32) -> Self {
        let (w, h) = ((self.width as f32 * factor) as usize, (self.height as f32 * factor) as usize);
        let mut out = Self::flat(w, h, [0.0; 3]);
        out.each(|x, y, p| {
            // Mean of 4x4 places: near enough an area average.
            let mut sum = [0f32; 3];
            for i in 0..16 {
                let sx = (x + (i % 4) as f32 / 4.0 + 0.125) / factor;
                let sy = (y + (i / 4) as f32 / 4.0 + 0.125) / factor;
                let from = &self.pixels
                    [(sy as usize).min(self.height - 1) * self.width + (sx as usize).min(self.width - 1)];
                sum.iter_mut().zip(from).for_each(|(s, v)| *s += v.clamp(0.0, 255.0) / 16.0);
            }
            *p = sum.map(|v| v * brightness);
        });
        out
    }
}

/// What a picture becomes after a JPEG of that quality.
pub fn through_jpeg(picture: &Picture, quality: u8) -> Picture {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(&picture.rgb, picture.width, picture.height, image::ExtendedColorType::Rgb8)
        .expect("encodes");
    let decoded = image::load_from_memory(&bytes).expect("decodes").to_rgb8();
    Picture::new(decoded.width(), decoded.height(), decoded.into_raw()).expect("size fits")
}
