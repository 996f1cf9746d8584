//! A photograph as a file of a size to print: upright, small, and without anything that is not to be seen.
//!
//! A report carries hundreds of pictures; paper shows no more than about 200 pixels per inch of them. What a camera
//! writes beside the pixels (place, time, serial number, thumbnail, colour profile) does not pass: the file is made
//! anew from pixels, always. The same bytes give the same file. Nothing is enlarged, sharpened or judged here.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::decode::{Alpha, decode_with};
use crate::downscale::{self, FULL, Plan};
use crate::{DecodeError, Limits, Picture};

/// Steps of [`PrintPicture::lightness`].
pub const LIGHTNESS_STEPS: usize = 64;

/// Of 100: no trace of the compression is seen at 200 pixels per inch.
const QUALITY: u8 = 82;
/// What a JPEG can hold.
const MAX_SIDE: u32 = 65_535;
/// Rows are left out of the count of lightness beyond so many pixels: its shape does not change any more.
const COUNTED_PIXELS: u64 = 2_000_000;

/// A photograph at print size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintPicture {
    /// A baseline JPEG file, grey if the picture is.
    pub jpeg: Vec<u8>,
    /// Columns of `jpeg`.
    pub width: u32,
    /// Rows of `jpeg`.
    pub height: u32,
    /// How many pixels of the whole source have a luma (ITU-R BT.601: `0.299 R + 0.587 G + 0.114 B`) in each of 64
    /// equal steps from black to white; of large pictures every so many rows are counted.
    pub lightness: Vec<u32>,
}

/// Decodes a photograph, turns it upright, lays it over white where it is transparent, and averages it down until its
/// long side is at most `long_side` pixels (never up).
///
/// From a source of more than 2.5 times that size whole pixels are averaged, so that the long side may be a little
/// shorter, not less than three quarters. Takes memory as [`crate::decode`] does.
///
/// # Errors
/// Every [`DecodeError`], as [`crate::decode`].
pub fn fit(bytes: &[u8], limits: &Limits, long_side: u32) -> Result<PrintPicture, DecodeError> {
    fit_part(bytes, limits, long_side, None)
}

/// The same of the first `part` columns and rows alone, if a part is named; beyond the picture there is nothing to take.
///
/// # Errors
/// Every [`DecodeError`], as [`crate::decode`].
pub fn fit_part(
    bytes: &[u8],
    limits: &Limits,
    long_side: u32,
    part: Option<(u32, u32)>,
) -> Result<PrintPicture, DecodeError> {
    let mut source = decode_with(bytes, limits, Alpha::OnWhite)?;
    if let Some((width, height)) = part {
        cut(&mut source, width, height);
    }
    let lightness = lightness(&source);
    let small = reduced(source, long_side.clamp(1, MAX_SIDE));
    let jpeg = encoded(&small);
    Ok(PrintPicture { jpeg, width: small.width, height: small.height, lightness })
}

/// Leaves the first columns and rows, at least one of each where there is one.
fn cut(picture: &mut Picture, width: u32, height: u32) {
    let (width, height) = (width.max(1).min(picture.width), height.max(1).min(picture.height));
    let (from, to) = (3 * picture.width as usize, 3 * width as usize);
    for row in 1..height as usize {
        picture.rgb.copy_within(row * from..row * from + to, row * to);
    }
    picture.rgb.truncate(to * height as usize);
    (picture.width, picture.height) = (width, height);
}

fn reduced(source: Picture, long_side: u32) -> Picture {
    if source.width.max(source.height) <= long_side {
        return source;
    }
    let plan = Plan::of(source.width, source.height, long_side);
    let (width, height) = plan.size();
    let mut rgb = Vec::with_capacity(3 * width * height);
    let steps = FULL / 255;
    downscale::rows(&source, plan, |_, [red, green, blue]| {
        for ((&r, &g), &b) in red.iter().zip(green).zip(blue) {
            rgb.extend([r, g, b].map(|value| ((value + steps / 2) / steps).min(255) as u8));
        }
    });
    Picture { width: width as u32, height: height as u32, rgb }
}

#[allow(clippy::expect_used)] // Memory takes every byte, and the sides are within what JPEG holds.
fn encoded(picture: &Picture) -> Vec<u8> {
    let side = |length: u32| u16::try_from(length).expect("a side that was fitted");
    let mut jpeg = Vec::with_capacity(picture.rgb.len() / 8);
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    let (data, kind) = if pixels.iter().all(|[r, g, b]| r == g && g == b) {
        (&pixels.iter().map(|pixel| pixel[0]).collect::<Vec<u8>>(), ColorType::Luma)
    } else {
        // Full height of colour keeps the thin coloured lines of an overlay clean.
        encoder.set_sampling_factor(SamplingFactor::F_2_1);
        (&picture.rgb, ColorType::Rgb)
    };
    encoder.encode(data, side(picture.width), side(picture.height), kind).expect("a picture that fits");
    jpeg
}

fn lightness(picture: &Picture) -> Vec<u32> {
    let mut counts = vec![0; LIGHTNESS_STEPS];
    let every = picture.pixels().div_ceil(COUNTED_PIXELS).max(1) as usize;
    for row in picture.rgb.chunks_exact(3 * picture.width.max(1) as usize).step_by(every) {
        for &[r, g, b] in row.as_chunks::<3>().0 {
            // 8-bit luma without its lowest two bits.
            let luma = (77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8;
            counts[(luma >> 2) as usize] += 1;
        }
    }
    counts
}
