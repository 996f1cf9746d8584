//! File bytes in, upright RGB pixels out: JPEG, PNG and WebP, told apart by content and never by name.
//!
//! The header is read first, by code of our own that allocates nothing: kind, size, orientation and what decoding
//! will take. Only a file within the [`Limits`] reaches a decoder, so a picture that claims 30000 x 30000 pixels is
//! refused within microseconds. A file that is cut off or broken is an error; half a picture is never measured.
//!
//! What it does as OpenCV's `imread` does, so that figures can be compared: EXIF orientation is applied, alpha is
//! dropped (not blended), grey becomes three equal channels, of 16 bits the upper 8 are kept, colour profiles are
//! ignored, an animation is its first frame.
//!
//! It reads no other format, scales nothing, and cannot be stopped once it runs: the decoders know no
//! interruption. A caller with a deadline decodes on a thread of its own and abandons the result; how long that
//! thread may go on is bounded by [`Limits`].

mod alpha;
mod jpeg;
mod orientation;
mod png;
mod signature;
mod webp;

pub(crate) use alpha::Alpha;
use image::metadata::Orientation;

use crate::Picture;

/// What may be decoded; checked by the header before a pixel is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub max_bytes: u64,
    /// Width times height.
    pub max_pixels: u64,
    /// Memory that decoding may take at its peak, in bytes: output, working buffers and the turned copy.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 50_000_000, max_pixels: 200_000_000, max_decoded_bytes: 1 << 30 }
    }
}

/// Most characters of a decoder's own words in an error.
const LONGEST_WORDS: usize = 160;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG, baseline and progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP; of an animation the first frame.
    WebP,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// By content, never by name.
    pub format: Format,
    /// Columns of the upright picture.
    pub width: u32,
    /// Rows of the upright picture.
    pub height: u32,
    /// Memory that decoding takes at its peak, in bytes: output, working buffers and the turned copy. For a picture of 16
    /// bits with alpha nearly three times what is left of it afterwards.
    pub decoding_bytes: u64,
}

/// Why a file is not a picture that can be judged; every case is permanent.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Neither JPEG, PNG nor WebP, or a rare kind of these that is not read.
    #[error("{}only JPEG, PNG and WebP pictures can be read", .found.map(|found| format!("this is {found}; ")).unwrap_or_default())]
    UnsupportedFormat {
        /// What the first bytes look like, when known (`a GIF picture`, `an empty file`, …).
        found: Option<&'static str>,
    },
    /// Over one of the [`Limits`].
    #[error("{what}: {value} {unit}, at most {limit} are allowed")]
    TooLarge {
        /// Which limit.
        what: &'static str,
        /// What the file has.
        value: u64,
        /// What is allowed.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// Truncated or broken.
    #[error("the picture is damaged: {reason}")]
    Damaged {
        /// In words that a user may read.
        reason: String,
    },
}

impl DecodeError {
    fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged { reason: reason.into() }
    }

    /// What a decoder says of its data, as part of one line: some decoders speak in several, and at length.
    fn broken(format: &str, words: &dyn std::fmt::Display) -> Self {
        let words = words.to_string();
        let line: Vec<&str> =
            words.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
        let line: String = line.join(" ").chars().take(LONGEST_WORDS).collect();
        Self::damaged(format!("its {format} data are broken ({line})"))
    }

    fn cut_off() -> Self {
        Self::damaged("the file is cut off before its end")
    }
}

/// What the containers say about their pixels before any is decoded.
#[derive(Debug, Clone, Copy)]
struct Layout {
    format: Format,
    /// Columns as stored, before turning.
    width: u32,
    /// Rows as stored, before turning.
    height: u32,
    orientation: Orientation,
    /// Peak memory of decoding without the turn, in bytes.
    decoding_bytes: u64,
}

impl Layout {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Peak memory: decoding, or the decoded picture beside its turned copy.
    fn peak_bytes(&self) -> u64 {
        if orientation::swaps_sides(self.orientation) {
            self.decoding_bytes.max(self.pixels().saturating_mul(6))
        } else {
            self.decoding_bytes
        }
    }

    fn header(&self) -> Header {
        let (width, height) = if orientation::swaps_sides(self.orientation) {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        Header { format: self.format, width, height, decoding_bytes: self.peak_bytes() }
    }
}

/// Reads the header and checks the limits; decodes no pixel and allocates nothing on success.
///
/// # Errors
/// Every [`DecodeError`]; that a file passes says nothing of its pixels being whole.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    read_layout(bytes, limits).map(|layout| layout.header())
}

/// Checks the limits, decodes, turns the picture upright by its EXIF orientation, drops alpha.
///
/// # Errors
/// Every [`DecodeError`]. A panic inside a decoder is caught and told as [`DecodeError::Damaged`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    decode_with(bytes, limits, Alpha::Dropped)
}

/// As [`decode`], with transparent pixels as the caller wants them.
pub(crate) fn decode_with(bytes: &[u8], limits: &Limits, alpha: Alpha) -> Result<Picture, DecodeError> {
    let layout = read_layout(bytes, limits)?;
    // The decoders have met most hostile files before, not all: what one of them trips over is a broken file.
    let rgb = std::panic::catch_unwind(|| match layout.format {
        Format::Jpeg => jpeg::decode(bytes, &layout),
        Format::Png => png::decode(bytes, &layout, limits, alpha),
        Format::WebP => webp::decode(bytes, &layout, limits, alpha),
    })
    .unwrap_or_else(|_| Err(DecodeError::damaged("its data cannot be decoded")))?;
    let picture = Picture::new(layout.width, layout.height, rgb)
        .ok_or_else(|| DecodeError::damaged("its data do not fill its size"))?;
    Ok(orientation::turn_upright(picture, layout.orientation))
}

fn read_layout(bytes: &[u8], limits: &Limits) -> Result<Layout, DecodeError> {
    let size = bytes.len() as u64;
    within("size of the file", size, limits.max_bytes, "bytes")?;
    let layout = match signature::format_of(bytes)? {
        Format::Jpeg => jpeg::layout(bytes)?,
        Format::Png => png::layout(bytes)?,
        Format::WebP => webp::layout(bytes)?,
    };
    if layout.pixels() == 0 {
        return Err(DecodeError::damaged("its header gives it no pixels"));
    }
    within("size of the picture", layout.pixels(), limits.max_pixels, "pixels")?;
    within("memory to decode the picture", layout.peak_bytes(), limits.max_decoded_bytes, "bytes")?;
    Ok(layout)
}

fn within(what: &'static str, value: u64, limit: u64, unit: &'static str) -> Result<(), DecodeError> {
    if value > limit { Err(DecodeError::TooLarge { what, value, limit, unit }) } else { Ok(()) }
}
