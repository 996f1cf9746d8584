//! Brightness and colour of a picture as a whole.
//!
//! Kept apart from everything else, because a model that needs no more than this may have learned the lighting.

use forgeos_imaging::LabPlanes;
use forgeos_imaging::planes::LAB_UNIT;

const LIGHT_BINS: usize = 32;
const COLOUR_BINS: usize = 16;
/// a* and b* beyond this count as this.
const COLOUR_RANGE: f32 = 48.0;
/// Shares of the pixels below which the given lightness lies.
const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// Number of values that [`tone`] gives.
pub(super) const TONE: usize = LIGHT_BINS + 2 * COLOUR_BINS + 2 * 3 + QUANTILES.len();

/// Histograms of L*, a* and b* (square roots of shares), their means and spreads, and quantiles of L*.
pub(super) fn tone(planes: &LabPlanes) -> Vec<f32> {
    let pixels = (planes.width * planes.height).max(1) as f64;
    let mut out = Vec::with_capacity(TONE);
    let mut light = [0u32; LIGHT_BINS];
    // L* runs from 0 to 100, a little beyond by rounding.
    let steps = 100.0 * LAB_UNIT / LIGHT_BINS as f32;
    for &v in &planes.lab[0] {
        light[((f32::from(v) / steps).max(0.0) as usize).min(LIGHT_BINS - 1)] += 1;
    }
    out.extend(light.iter().map(|&n| (f64::from(n) / pixels).sqrt() as f32));
    for plane in &planes.lab[1..] {
        let mut bins = [0u32; COLOUR_BINS];
        for &v in plane {
            let share = (f32::from(v) / LAB_UNIT + COLOUR_RANGE) / (2.0 * COLOUR_RANGE);
            bins[((share * COLOUR_BINS as f32).max(0.0) as usize).min(COLOUR_BINS - 1)] += 1;
        }
        out.extend(bins.iter().map(|&n| (f64::from(n) / pixels).sqrt() as f32));
    }
    for plane in &planes.lab {
        let (sum, squares) = plane.iter().fold((0i64, 0i64), |(sum, squares), &v| {
            (sum + i64::from(v), squares + i64::from(i32::from(v) * i32::from(v)))
        });
        let mean = sum as f64 / pixels;
        let spread = (squares as f64 / pixels - mean * mean).max(0.0).sqrt();
        out.extend([mean, spread].map(|v| v as f32 / LAB_UNIT));
    }
    out.extend(quantiles(&planes.lab[0], pixels));
    out
}

/// Quantiles of lightness, in L* units.
fn quantiles(light: &[i16], pixels: f64) -> impl Iterator<Item = f32> {
    let mut counts = vec![0u32; 101 * 64];
    for &v in light {
        counts[(v.max(0) as usize).min(101 * 64 - 1)] += 1;
    }
    let mut level = 0;
    let mut below = 0f64;
    QUANTILES
        .map(move |share| {
            while level + 1 < counts.len() && below + f64::from(counts[level]) < share * pixels {
                below += f64::from(counts[level]);
                level += 1;
            }
            level as f32 / LAB_UNIT
        })
        .into_iter()
}
