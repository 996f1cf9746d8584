//! Placeholder: the platform's colour and texture statistics (section A).

use crate::Picture;

/// The indices and every intermediate figure, all 0 to 1 unless said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indices {
    /// Visual index.
    pub cvi: f64,
    /// Quality index.
    pub cqi: f64,
    /// Share of pixels above Otsu's threshold.
    pub coverage: f64,
}

/// Measures all pixels of the picture.
#[must_use]
pub fn measure(_picture: &Picture) -> Indices {
    Indices { cvi: 0.0, cqi: 0.0, coverage: 0.0 }
}
