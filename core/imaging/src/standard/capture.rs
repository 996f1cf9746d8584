//! How well the photograph was taken, from what was counted and measured for the figures anyway.
//!
//! It repeats single doubts of the confidence in units that a photographer can act on; it judges no coating.

use super::confidence::{Doubts, sharpness};
use super::tally::Tally;
use crate::Capture;

/// Range of the panel's L* at which light counts as wholly uneven; the same as in the visual index.
const UNEVEN: f64 = 60.0;

/// All 0 where nothing was judged.
pub(super) fn capture(tally: &Tally, doubts: &Doubts, lightness_range: f64) -> Capture {
    if tally.judged == 0 {
        return Capture::default();
    }
    let percent = |pixels: usize| 100.0 * pixels as f64 / tally.judged as f64;
    Capture {
        glare_percent: percent(tally.glare),
        clipped_percent: percent(tally.clipped),
        sharpness: sharpness(doubts),
        lighting_evenness: 1.0 - (lightness_range / UNEVEN).clamp(0.0, 1.0),
    }
}
