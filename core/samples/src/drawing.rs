//! A finished picture before it is encoded, with what is true of it.

use image::codecs::{png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::truth::Truth;

/// Upright 8-bit sRGB, interleaved, with the drawn truth.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
    /// Number of drawn defects.
    pub defects: u32,
    /// Share of the panel that they and bare areas take, in percent.
    pub affected_percent: f64,
}

impl Drawing {
    pub(crate) fn new(width: usize, height: usize, rgb: Vec<u8>, truth: &Truth) -> Self {
        Self {
            width: width as u32,
            height: height as u32,
            rgb,
            defects: truth.defects,
            affected_percent: truth.affected_percent(),
        }
    }

    /// As JPEG of that quality, 1 to 100, with colour at half the resolution as phones write it.
    ///
    /// # Panics
    /// When a side is longer than 65,535 pixels.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn jpeg(&self, quality: u8) -> Vec<u8> {
        let side = |length: u32| u16::try_from(length).expect("a JPEG has sides of at most 65,535 pixels");
        let mut bytes = Vec::with_capacity(self.rgb.len() / 6);
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder
            .encode(&self.rgb, side(self.width), side(self.height), ColorType::Rgb)
            .expect("a drawing fits the encoder");
        bytes
    }

    /// As PNG.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.rgb.len() / 2);
        self.encode(PngEncoder::new(&mut bytes));
        bytes
    }

    /// As lossless WebP.
    #[must_use]
    pub fn webp(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.rgb.len() / 2);
        self.encode(WebPEncoder::new_lossless(&mut bytes));
        bytes
    }

    /// Writing to memory and pixels that fit the size leave the encoders nothing to fail at.
    #[allow(clippy::expect_used)]
    fn encode(&self, encoder: impl ImageEncoder) {
        encoder
            .write_image(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
            .expect("a drawing fits every encoder");
    }
}
