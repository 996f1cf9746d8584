//! What becomes of transparency, which neither a judgement nor paper has.

/// How a transparent pixel is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Its colour as stored, as if it were opaque.
    Dropped,
    /// Laid over white paper.
    OnWhite,
}

impl Alpha {
    /// One channel of a pixel of this opacity.
    #[inline]
    pub(super) fn show(self, value: u8, opacity: u8) -> u8 {
        match self {
            Self::Dropped => value,
            Self::OnWhite => {
                let over = 255 - (255 - u32::from(value)) * u32::from(opacity) / 255;
                // At most 255.
                over as u8
            }
        }
    }
}
