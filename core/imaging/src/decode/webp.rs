//! WebP: lossy, lossless, with or without alpha; of an animation the first frame.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder};

use super::{Alpha, DecodeError, Format, Layout, Limits, orientation};

/// Where the chunks begin, behind `RIFF`, the length and `WEBP`.
const FIRST_CHUNK: usize = 12;

/// Peak memory a pixel: output, the frame's own planes or its RGBA copy, alpha.
const STILL_BYTES_PER_PIXEL: u64 = 8;
/// The same with the canvas of an animation.
const ANIMATION_BYTES_PER_PIXEL: u64 = 12;

/// Reads the chunk headers.
pub(super) fn layout(bytes: &[u8]) -> Result<Layout, DecodeError> {
    let riff_length = le(bytes, 4, 4).ok_or_else(DecodeError::cut_off)?;
    if riff_length + 8 > bytes.len() as u64 {
        return Err(DecodeError::cut_off());
    }
    let (name, payload) = chunk_at(bytes, FIRST_CHUNK).ok_or_else(DecodeError::cut_off)?;
    let mut orientation = Orientation::NoTransforms;
    let mut bytes_per_pixel = STILL_BYTES_PER_PIXEL;
    let (width, height) = if name == b"VP8X" {
        let canvas = canvas_size(payload).ok_or_else(DecodeError::cut_off)?;
        let extras = read_extras(bytes)?;
        // The frame's decoder allocates by the frame's own size and compares afterwards.
        if extras.frame.0 > canvas.0 || extras.frame.1 > canvas.1 {
            return Err(DecodeError::damaged("its headers contradict each other"));
        }
        orientation = extras.orientation;
        if extras.animated {
            bytes_per_pixel = ANIMATION_BYTES_PER_PIXEL;
        }
        canvas
    } else {
        frame_size(name, payload)?
    };
    let decoding_bytes = bytes_per_pixel * width * height;
    // At most 24 bits each.
    Ok(Layout {
        format: Format::WebP,
        width: width as u32,
        height: height as u32,
        orientation,
        decoding_bytes,
    })
}

/// What the chunks behind `VP8X` say.
struct Extras {
    frame: (u64, u64),
    animated: bool,
    orientation: Orientation,
}

fn read_extras(bytes: &[u8]) -> Result<Extras, DecodeError> {
    let mut frame = None;
    let mut animated = false;
    let mut orientation = None;
    let mut position = FIRST_CHUNK;
    while let Some((name, payload)) = chunk_at(bytes, position) {
        match name {
            b"VP8 " | b"VP8L" => {
                // Whichever of several the decoder takes, none may be larger than was checked.
                let size = frame_size(name, payload)?;
                frame = Some(larger(frame, size));
            }
            b"ANMF" => {
                animated = true;
                let mut inner = 16;
                while let Some((name, payload)) = chunk_at(payload, inner) {
                    if matches!(name, b"VP8 " | b"VP8L") {
                        frame = Some(larger(frame, frame_size(name, payload)?));
                    }
                    inner += 8 + payload.len() + payload.len() % 2;
                }
            }
            b"EXIF" if orientation.is_none() => orientation = Some(orientation::from_exif(payload)),
            _ => {}
        }
        position += 8 + payload.len() + payload.len() % 2;
    }
    Ok(Extras {
        frame: frame.ok_or_else(|| DecodeError::damaged("it holds no frame"))?,
        animated,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

fn larger(a: Option<(u64, u64)>, b: (u64, u64)) -> (u64, u64) {
    a.map_or(b, |a| (a.0.max(b.0), a.1.max(b.1)))
}

fn canvas_size(payload: &[u8]) -> Option<(u64, u64)> {
    Some((le(payload, 4, 3)? + 1, le(payload, 7, 3)? + 1))
}

fn frame_size(name: &[u8; 4], payload: &[u8]) -> Result<(u64, u64), DecodeError> {
    let size = match name {
        b"VP8 " => {
            le(payload, 6, 2).zip(le(payload, 8, 2)).map(|(width, height)| (width & 0x3FFF, height & 0x3FFF))
        }
        b"VP8L" => le(payload, 1, 4).map(|bits| ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)),
        _ => return Err(DecodeError::damaged("it does not begin with a frame")),
    };
    size.ok_or_else(DecodeError::cut_off)
}

/// Name and payload of the chunk that begins at `position`; `None` when it does not fit into `bytes`.
fn chunk_at(bytes: &[u8], position: usize) -> Option<(&[u8; 4], &[u8])> {
    let name = bytes.get(position..)?.first_chunk::<4>()?;
    let length = le(bytes, position + 4, 4)? as usize;
    Some((name, bytes.get(position + 8..position + 8 + length)?))
}

/// The little-endian number of `size` bytes at `position`.
fn le(bytes: &[u8], position: usize, size: usize) -> Option<u64> {
    let digits = bytes.get(position..position + size)?;
    Some(digits.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// Interleaved RGB as stored, not yet upright.
pub(super) fn decode(
    bytes: &[u8],
    layout: &Layout,
    limits: &Limits,
    alpha: Alpha,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_decoded_bytes);
    decoder.set_limits(decoder_limits).map_err(broken)?;
    let has_alpha = decoder.color_type() == ColorType::Rgba8;
    if decoder.dimensions() != (layout.width, layout.height) {
        return Err(DecodeError::damaged("its headers contradict each other"));
    }
    let length = usize::try_from(decoder.total_bytes()).map_err(|_| DecodeError::cut_off())?;
    let mut buffer = vec![0; length];
    decoder.read_image(&mut buffer).map_err(broken)?;
    if has_alpha {
        without_alpha(&mut buffer, alpha);
    }
    Ok(buffer)
}

fn broken(error: image::ImageError) -> DecodeError {
    DecodeError::broken("WebP", &error)
}

fn without_alpha(buffer: &mut Vec<u8>, alpha: Alpha) {
    let pixels = buffer.len() / 4;
    for index in 0..pixels {
        let Some(&[r, g, b, a]) = buffer[4 * index..].first_chunk() else { return };
        buffer[3 * index..3 * index + 3].copy_from_slice(&[r, g, b].map(|v| alpha.show(v, a)));
    }
    buffer.truncate(3 * pixels);
    buffer.shrink_to_fit();
}
