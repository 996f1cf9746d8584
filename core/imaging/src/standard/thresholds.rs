//! What counts as a deviation at each sensitivity. The cut-offs of the severity are not here: they belong to the
//! standards and never move.

use crate::Sensitivity;

/// Detection limits of one sensitivity. Pixels are those of the work image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thresholds {
    /// Score that starts a component.
    pub seed: f32,
    /// Score down to which a component grows.
    pub grow: f32,
    /// Smallest component in pixels, for a picture whose work image is large.
    pub min_area_px: f32,
    /// Smallest component as parts per million of the work image, for small pictures.
    pub min_area_ppm: f32,
    /// Smallest mean colour distance of a component.
    pub min_delta_e: f32,
    /// A straight line at least this share of the long side is the shape of the part, not a defect.
    pub line_share: Option<f32>,
}

impl Thresholds {
    pub(super) fn of(sensitivity: Sensitivity) -> Self {
        let row = |seed, grow, min_area_px, min_area_ppm, min_delta_e, line_share| Self {
            seed,
            grow,
            min_area_px,
            min_area_ppm,
            min_delta_e,
            line_share,
        };
        match sensitivity {
            Sensitivity::Low => row(8.0, 5.0, 64.0, 50.0, 10.0, Some(0.15)),
            Sensitivity::Medium => row(6.0, 3.5, 24.0, 20.0, 6.0, Some(0.25)),
            Sensitivity::High => row(4.5, 2.5, 9.0, 8.0, 3.5, None),
        }
    }

    /// Smallest component for a work image of so many pixels.
    pub(super) fn min_area(&self, pixels: usize) -> f32 {
        (self.min_area_ppm * 1e-6 * pixels as f32).clamp(6.0, self.min_area_px)
    }
}
