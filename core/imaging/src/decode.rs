//! Placeholder: header checks, limits, orientation, pixels.

use crate::Picture;

/// What may be decoded; checked by the header before a pixel is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub max_bytes: u64,
    /// Width times height.
    pub max_pixels: u64,
    /// Memory that decoding may take, in bytes.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 50_000_000, max_pixels: 200_000_000, max_decoded_bytes: 1 << 30 }
    }
}

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
}

/// Why a file is not a picture that can be judged; every case is permanent.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Neither JPEG, PNG nor WebP.
    #[error("not a JPEG, PNG or WebP picture{}", .found.map(|f| format!(" but {f}")).unwrap_or_default())]
    UnsupportedFormat {
        /// What the first bytes look like, when known (`a GIF`, `a HEIC picture`, …).
        found: Option<&'static str>,
    },
    /// Over one of the [`Limits`].
    #[error("{what} is {value}, at most {limit} {unit} are allowed")]
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

/// Reads the header and checks the limits; decodes no pixel.
pub fn inspect(_bytes: &[u8], _limits: &Limits) -> Result<Header, DecodeError> {
    Err(DecodeError::UnsupportedFormat { found: None })
}

/// Checks the limits, decodes, turns the picture upright by its EXIF orientation, drops alpha.
pub fn decode(_bytes: &[u8], _limits: &Limits) -> Result<Picture, DecodeError> {
    Err(DecodeError::UnsupportedFormat { found: None })
}
