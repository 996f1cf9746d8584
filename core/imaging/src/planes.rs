//! A picture as planes of L*, a* and b* at a size of the caller's choice, for work other than measuring.
//!
//! It scales down by exact area averages and never up, and blurs nothing.

use crate::Picture;
use crate::downscale::{self, Plan};
use crate::lab::TABLES;

/// Steps of the planes in one unit of L*, a* and b*.
pub const LAB_UNIT: f32 = crate::lab::UNIT;

/// L*, a*, b* of a scaled picture, row by row from the top, `width * height` values each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabPlanes {
    /// Columns of the scaled picture.
    pub width: usize,
    /// Rows of the scaled picture.
    pub height: usize,
    /// L*, a* and b* in [`LAB_UNIT`] steps: `L* = 50` is 3200.
    pub lab: [Vec<i16>; 3],
}

impl LabPlanes {
    /// Scales a picture down to a long side of `long_side` pixels or up to a quarter less, and converts it; a picture
    /// that is smaller stays as large as it is. A `long_side` of 0 counts as 1.
    #[must_use]
    pub fn of(picture: &Picture, long_side: u32) -> Self {
        let plan = Plan::of(picture.width, picture.height, long_side.max(1));
        let (width, height) = plan.size();
        let mut lab: [Vec<i16>; 3] = std::array::from_fn(|_| vec![0; width * height]);
        downscale::rows(picture, plan, |y, [red, green, blue]| {
            let [l, a, b] = lab.each_mut().map(|plane| &mut plane[y * width..(y + 1) * width]);
            TABLES.convert([red, green, blue], [l, a, b]);
        });
        Self { width, height, lab }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_picture_keeps_its_lightness_and_is_never_scaled_up() {
        let picture = Picture { width: 40, height: 20, rgb: vec![119; 40 * 20 * 3] };
        for (long_side, size) in [(400, (40, 20)), (40, (40, 20)), (20, (20, 10)), (1, (1, 1))] {
            let planes = LabPlanes::of(&picture, long_side);
            assert_eq!((planes.width, planes.height), size);
            let [l, a, b] = &planes.lab;
            assert!(l.iter().all(|&v| (v - 50 * 64).abs() < 64), "{:?}", l.first());
            assert!(a.iter().chain(b).all(|&v| v.abs() < 32));
            assert_eq!(l.len(), size.0 * size.1);
        }
    }
}
