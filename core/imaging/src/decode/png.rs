//! PNG: every colour type and depth, interlaced or not; of an animation the still picture.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder};

use super::{Alpha, DecodeError, Format, Layout, Limits, orientation};

/// Where the chunks begin, behind the signature.
const FIRST_CHUNK: usize = 8;

/// Reads `IHDR` and looks for an orientation.
pub(super) fn layout(bytes: &[u8]) -> Result<Layout, DecodeError> {
    let header = match chunk_at(bytes, FIRST_CHUNK) {
        Some((b"IHDR", payload)) => payload,
        Some(_) => return Err(DecodeError::damaged("it does not begin with its header")),
        None => return Err(DecodeError::cut_off()),
    };
    let &[w3, w2, w1, w0, h3, h2, h1, h0, depth, colour, ..] = header else {
        return Err(DecodeError::damaged("its header is too short"));
    };
    let (width, height) = (u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0]));
    // With an alpha channel for the transparent colour that a `tRNS` chunk may name.
    let channels = if matches!(colour, 0 | 4) { 2 } else { 4 };
    let bytes_per_pixel = channels * if depth == 16 { 2 } else { 1 };
    Ok(Layout {
        format: Format::Png,
        width,
        height,
        orientation: find_orientation(bytes),
        // A header may claim any size; the limits are asked afterwards.
        decoding_bytes: (u64::from(width) * u64::from(height)).saturating_mul(bytes_per_pixel.max(3)),
    })
}

fn find_orientation(bytes: &[u8]) -> Orientation {
    let mut position = FIRST_CHUNK;
    while let Some((name, payload)) = chunk_at(bytes, position) {
        if name == b"eXIf" {
            return orientation::from_exif(payload);
        }
        position += 12 + payload.len();
    }
    Orientation::NoTransforms
}

/// Name and payload of the chunk that begins at `position`; `None` when it does not fit into the file.
fn chunk_at(bytes: &[u8], position: usize) -> Option<(&[u8; 4], &[u8])> {
    let rest = bytes.get(position..)?;
    let length = u32::from_be_bytes(*rest.first_chunk::<4>()?) as usize;
    let name = rest.get(4..8)?.first_chunk::<4>()?;
    Some((name, rest.get(8..8 + length)?))
}

/// Interleaved RGB as stored, not yet upright.
pub(super) fn decode(
    bytes: &[u8],
    layout: &Layout,
    limits: &Limits,
    alpha: Alpha,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_decoded_bytes);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), decoder_limits).map_err(broken)?;
    let colour = decoder.color_type();
    let pixels = layout.pixels() as usize;
    let stored = usize::from(colour.bytes_per_pixel()) * pixels;
    if decoder.dimensions() != (layout.width, layout.height) || decoder.total_bytes() != stored as u64 {
        return Err(DecodeError::damaged("its headers contradict each other"));
    }
    // One buffer serves as input and output of the conversion.
    let mut buffer = vec![0; stored.max(3 * pixels)];
    decoder.read_image(&mut buffer[..stored]).map_err(broken)?;
    match colour {
        ColorType::Rgb8 => {}
        ColorType::L8 => spread_grey::<1>(&mut buffer, pixels, |[grey]| grey),
        ColorType::La8 => spread_grey::<2>(&mut buffer, pixels, |[grey, a]| alpha.show(grey, a)),
        ColorType::L16 => spread_grey::<2>(&mut buffer, pixels, upper_byte),
        ColorType::La16 => pack::<4>(&mut buffer, pixels, |[a, b, c, d]| {
            [alpha.show(upper_byte([a, b]), upper_byte([c, d])); 3]
        }),
        ColorType::Rgba8 => {
            pack::<4>(&mut buffer, pixels, |[r, g, b, a]| [r, g, b].map(|v| alpha.show(v, a)))
        }
        ColorType::Rgb16 => {
            pack::<6>(&mut buffer, pixels, |[a, b, c, d, e, f]| [[a, b], [c, d], [e, f]].map(upper_byte));
        }
        ColorType::Rgba16 => {
            pack::<8>(&mut buffer, pixels, |[a, b, c, d, e, f, g, h]| {
                [[a, b], [c, d], [e, f]].map(|v| alpha.show(upper_byte(v), upper_byte([g, h])))
            });
        }
        _ => return Err(DecodeError::damaged("its colour type is unknown")),
    }
    buffer.truncate(3 * pixels);
    buffer.shrink_to_fit();
    Ok(buffer)
}

fn broken(error: image::ImageError) -> DecodeError {
    DecodeError::broken("PNG", &error)
}

/// The decoder hands 16-bit samples out in the machine's own byte order.
fn upper_byte(sample: [u8; 2]) -> u8 {
    u16::from_ne_bytes(sample).to_be_bytes()[0]
}

/// Makes `N` bytes a pixel three equal ones, from the last pixel on so that none is overwritten before it is read.
fn spread_grey<const N: usize>(buffer: &mut [u8], pixels: usize, grey_of: impl Fn([u8; N]) -> u8) {
    for index in (0..pixels).rev() {
        let Some(stored) = buffer[index * N..].first_chunk::<N>() else { return };
        let grey = grey_of(*stored);
        buffer[3 * index..3 * index + 3].fill(grey);
    }
}

/// Makes `N > 3` bytes a pixel three.
fn pack<const N: usize>(buffer: &mut [u8], pixels: usize, rgb_of: impl Fn([u8; N]) -> [u8; 3]) {
    for index in 0..pixels {
        let Some(stored) = buffer[index * N..].first_chunk::<N>() else { return };
        let rgb = rgb_of(*stored);
        buffer[3 * index..3 * index + 3].copy_from_slice(&rgb);
    }
}
