//! JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK with 8 bits a sample.
//!
//! The decoder behind it fills what is missing with grey unless told otherwise; a picture that ends early would then
//! be measured as coating. So it runs strictly, and a file without its end marker is refused beforehand. Bytes behind
//! the end marker (second pictures, gain maps, maker data) are nobody's business.

use std::borrow::Cow;

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{DecodeError, Format, Layout, orientation};

/// Progressive pictures come in about ten scans; each costs one pass over all coefficients.
const MAX_SCANS: usize = 100;

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// The frame header.
struct Frame {
    progressive: bool,
    width: u32,
    height: u32,
    components: u8,
    /// Samples of all components a pixel of the largest one, times 256.
    samples_per_pixel_x256: u64,
}

/// What stands before the first compressed byte.
struct Prologue {
    frame: Frame,
    orientation: Orientation,
    /// Where compressed data begin.
    data_start: usize,
    /// Components in the first scan; fewer than in the frame means that all coefficients are kept until the end.
    first_scan_components: u8,
    /// Stray bytes between segments, which strict decoding would refuse though nothing is lost.
    stray_bytes: bool,
}

/// Reads the segments up to the first scan and looks for the end marker.
pub(super) fn layout(bytes: &[u8]) -> Result<Layout, DecodeError> {
    let prologue = read_prologue(bytes, |_| {})?;
    // `FF D9` cannot occur inside compressed data, and thumbnails lie before them.
    if !bytes[prologue.data_start..].windows(2).rev().any(|pair| pair == [0xFF, END_OF_IMAGE]) {
        return Err(DecodeError::cut_off());
    }
    let frame = &prologue.frame;
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    let keeps_coefficients = frame.progressive || prologue.first_scan_components < frame.components;
    let coefficient_bytes =
        if keeps_coefficients { pixels * frame.samples_per_pixel_x256 * 2 / 256 } else { 0 };
    Ok(Layout {
        format: Format::Jpeg,
        width: frame.width,
        height: frame.height,
        orientation: prologue.orientation,
        decoding_bytes: 3 * pixels + coefficient_bytes,
    })
}

/// Interleaved RGB as stored, not yet upright.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Vec<u8>, DecodeError> {
    let bytes = without_stray_bytes(bytes)?;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes.as_ref()), options);
    decoder.decode_headers().map_err(broken)?;
    let length = 3 * layout.pixels() as usize;
    // A second frame header would otherwise have the last word on the size.
    if decoder.dimensions() != Some((layout.width as usize, layout.height as usize))
        || decoder.output_buffer_size() != Some(length)
    {
        return Err(DecodeError::damaged("its headers contradict each other"));
    }
    let mut rgb = vec![0; length];
    decoder.decode_into(&mut rgb).map_err(broken)?;
    Ok(rgb)
}

fn broken(error: zune_jpeg::errors::DecodeErrors) -> DecodeError {
    DecodeError::broken("JPEG", &error)
}

fn without_stray_bytes(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let mut segments = Vec::new();
    let prologue = read_prologue(bytes, |segment| segments.push(segment))?;
    if !prologue.stray_bytes {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut clean = vec![0xFF, 0xD8];
    for segment in segments {
        clean.extend_from_slice(&bytes[segment]);
    }
    clean.extend_from_slice(&bytes[prologue.data_start..]);
    Ok(Cow::Owned(clean))
}

/// Walks the segments, telling where each lies (marker included).
fn read_prologue(
    bytes: &[u8],
    mut on_segment: impl FnMut(std::ops::Range<usize>),
) -> Result<Prologue, DecodeError> {
    let mut position = 2;
    let mut frame = None;
    let mut orientation = None;
    let mut stray_bytes = false;
    loop {
        let (marker, marker_end) = next_marker(bytes, position).ok_or_else(DecodeError::cut_off)?;
        stray_bytes |= bytes[position] != 0xFF;
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            position = marker_end;
            continue;
        }
        if marker == END_OF_IMAGE {
            return Err(DecodeError::damaged("it ends before its pixels"));
        }
        let length = be_u16(bytes, marker_end).ok_or_else(DecodeError::cut_off)? as usize;
        let end = marker_end + length;
        let payload = match bytes.get(marker_end..end) {
            Some(segment) if length >= 2 => &segment[2..],
            Some(_) => return Err(DecodeError::damaged("a header segment has no length")),
            None => return Err(DecodeError::cut_off()),
        };
        on_segment(marker_end - 2..end);
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF if frame.is_some() => return Err(DecodeError::damaged("it has two frame headers")),
            0xC0..=0xCF => frame = Some(read_frame(marker, payload)?),
            0xE1 if orientation.is_none() && payload.starts_with(b"Exif\0\0") => {
                orientation = Some(orientation::from_exif(payload));
            }
            START_OF_SCAN => {
                return Ok(Prologue {
                    frame: frame.ok_or_else(|| DecodeError::damaged("it has no frame header"))?,
                    orientation: orientation.unwrap_or(Orientation::NoTransforms),
                    data_start: end,
                    first_scan_components: payload.first().copied().unwrap_or_default(),
                    stray_bytes,
                });
            }
            _ => {}
        }
        position = end;
    }
}

/// The next marker at or behind `position`, and where its segment's length stands.
fn next_marker(bytes: &[u8], position: usize) -> Option<(u8, usize)> {
    let mut after_ff = false;
    for (index, &byte) in bytes.iter().enumerate().skip(position) {
        match byte {
            0xFF => after_ff = true,
            0 => after_ff = false,
            marker if after_ff => return Some((marker, index + 1)),
            _ => {}
        }
    }
    None
}

fn read_frame(marker: u8, payload: &[u8]) -> Result<Frame, DecodeError> {
    let unsupported = |found| Err(DecodeError::UnsupportedFormat { found: Some(found) });
    match marker {
        0xC0..=0xC2 => {}
        0xC3 => return unsupported("a lossless JPEG"),
        0xC9..=0xCB => return unsupported("a JPEG with arithmetic coding"),
        _ => return unsupported("a hierarchical JPEG"),
    }
    let [precision, h1, h0, w1, w0, components, table @ ..] = payload else {
        return Err(DecodeError::damaged("its frame header is too short"));
    };
    if *precision != 8 {
        return unsupported("a JPEG with more than 8 bits a sample");
    }
    if !matches!(components, 1 | 3 | 4) {
        return unsupported("a JPEG with an unusual number of colour components");
    }
    let (entries, _) = table.as_chunks::<3>();
    if entries.len() != usize::from(*components) {
        return Err(DecodeError::damaged("its frame header is too short"));
    }
    let (mut largest_h, mut largest_v, mut samples) = (1, 1, 0);
    for &[_, sampling, _] in entries {
        let (h, v) = (u64::from(sampling >> 4), u64::from(sampling & 15));
        largest_h = largest_h.max(h);
        largest_v = largest_v.max(v);
        samples += h * v;
    }
    Ok(Frame {
        progressive: marker == 0xC2,
        width: u32::from(u16::from_be_bytes([*w1, *w0])),
        height: u32::from(u16::from_be_bytes([*h1, *h0])),
        components: *components,
        samples_per_pixel_x256: 256 * samples / (largest_h * largest_v),
    })
}

fn be_u16(bytes: &[u8], position: usize) -> Option<u16> {
    bytes.get(position..)?.first_chunk::<2>().map(|pair| u16::from_be_bytes(*pair))
}
