//! How far the figures may be trusted: a product of doubts, each 0 to 1.
//!
//! It is a statement about the photograph, not a calibrated probability.

/// What may make a photograph unfit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubts {
    /// Share of judged pixels at an end of the scale.
    pub clipped: f64,
    /// Fine detail of L* and all its variation around the background, both as variances.
    pub detail: f64,
    pub variation: f64,
    /// Pixels of the source.
    pub pixels: u64,
    /// Shares of judged pixels: between the two thresholds, above the lower one.
    pub doubtful: f64,
    pub deviating: f64,
    /// Share of judged pixels that are not glare.
    pub valid: f64,
    /// Share of judged blocks under a mirrored lamp.
    pub light: f64,
    /// How clearly the panel stands out, 0 to 1.
    pub clarity: f64,
    /// Noise of L*.
    pub sigma_lightness: f64,
    /// Share of components that point the same way, when there are many.
    pub aligned: f64,
    /// A line may or may not be the end of a film.
    pub undecided: bool,
    /// Roughness along one direction over that along the other, 1 or more.
    pub grain: f64,
}

/// One photograph is never proof.
const CERTAIN: f64 = 0.97;

/// What is left of the confidence in a photograph without any focus.
const BLURRED: f64 = 0.3;

/// 0 (blurred) to 1 (sharp).
pub(super) fn sharpness(d: &Doubts) -> f64 {
    // Where nothing varies there is nothing to focus on; without even the grain of a sensor it may be blurred.
    if d.variation < 0.12 {
        (3.0 + 3.0 * smooth(0.005, 0.025, d.detail)) / 7.0
    } else {
        smooth(0.02, 0.12, d.detail / d.variation)
    }
}

pub(super) fn confidence(d: &Doubts) -> f64 {
    let exposure = (1.0 - (d.clipped - 0.02).max(0.0) / 0.4).clamp(0.3, 1.0);
    let focus = BLURRED + (1.0 - BLURRED) * sharpness(d);
    let size = (d.pixels as f64 / 300_000.0).min(1.0);
    let margin = (1.0 - 2.0 * d.doubtful).clamp(0.5, 1.0);
    let structure = 1.0 - 0.75 * smooth(0.04, 0.15, d.deviating);
    let texture = 1.0 - 0.7 * smooth(2.0, 5.0, d.sigma_lightness);
    let aligned = 1.0 - 0.6 * smooth(0.4, 0.8, d.aligned);
    let light = 1.0 - 0.6 * smooth(0.1, 0.5, d.light);
    let grain = 1.0 - 0.5 * smooth(1.12, 1.35, d.grain);
    let film = if d.undecided { 0.7 } else { 1.0 };
    (exposure
        * focus
        * size
        * margin
        * structure
        * texture
        * aligned
        * light
        * d.valid
        * d.clarity
        * film
        * grain)
        .clamp(0.0, CERTAIN)
}

/// 0 up to `low`, 1 from `high` on, smooth between.
fn smooth(low: f64, high: f64, value: f64) -> f64 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
