//! The pixels of one photograph, upright, as 8-bit sRGB.

/// An upright 8-bit RGB picture: `rgb.len() == 3 * width * height`, rows from the top, no padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns, in pixels.
    pub width: u32,
    /// Rows, in pixels.
    pub height: u32,
    /// Interleaved red, green, blue, row by row.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Takes over interleaved RGB bytes; `None` when their number does not fit the size.
    #[must_use]
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        (rgb.len() as u64 == 3 * u64::from(width) * u64::from(height)).then_some(Self { width, height, rgb })
    }

    /// Number of pixels.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}
