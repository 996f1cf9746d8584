//! How well a photograph was taken, value by value, in three steps.
//!
//! The steps are practice, not from a standard, and say nothing of the coating.

use serde::Serialize;

use super::figures::Figure;
use crate::model::Metrics;

/// How good one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Takes nothing from the figures.
    Good,
    /// Weakens the figures somewhat.
    Fair,
    /// The photograph should be taken again.
    Poor,
    /// Not measured.
    Unknown,
}

impl Level {
    /// A stable word; its words in a language are in group `capture_level`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
            Self::Unknown => "unknown",
        }
    }
}

/// One value of the photograph; its words are `capture.{key}.name` and `.meaning`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CaptureQuality {
    /// `glare_percent`, `clipped_percent`, `sharpness` or `lighting_evenness`.
    pub key: &'static str,
    /// As measured.
    pub value: Option<f64>,
    /// How good that is.
    pub level: Level,
}

/// Key, figure, the last good value and the last fair one; where the latter is smaller, more is better.
const STEPS: [(&str, Figure, f64, f64); 4] = [
    ("glare_percent", Figure::GlarePercent, 3.0, 10.0),
    ("clipped_percent", Figure::ClippedPercent, 2.0, 10.0),
    ("sharpness", Figure::Sharpness, 0.6, 0.3),
    ("lighting_evenness", Figure::LightingEvenness, 0.7, 0.4),
];

/// The four values, always in the same order.
#[must_use]
pub fn capture_quality(metrics: &Metrics) -> [CaptureQuality; 4] {
    STEPS.map(|(key, figure, good, fair)| {
        let value = figure.of(metrics);
        let level = value.map_or(Level::Unknown, |value| {
            let within = |step: f64| if fair < good { value >= step } else { value <= step };
            match (within(good), within(fair)) {
                (true, _) => Level::Good,
                (_, true) => Level::Fair,
                _ => Level::Poor,
            }
        });
        CaptureQuality { key, value, level }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Capture;

    #[test]
    fn each_value_has_its_own_steps() {
        let levels = |glare, clipped, sharpness, evenness| {
            let capture = Capture {
                glare_percent: glare,
                clipped_percent: clipped,
                sharpness,
                lighting_evenness: evenness,
            };
            let metrics = Metrics { capture: Some(capture), ..Metrics::default() };
            capture_quality(&metrics).map(|quality| quality.level.as_str())
        };
        assert_eq!(levels(Some(3.0), Some(2.0), Some(0.6), Some(0.7)), ["good"; 4]);
        assert_eq!(levels(Some(3.1), Some(10.0), Some(0.59), Some(0.4)), ["fair"; 4]);
        assert_eq!(levels(Some(10.1), Some(11.0), Some(0.29), Some(0.39)), ["poor"; 4]);
        assert_eq!(levels(None, Some(f64::NAN), None, None), ["unknown"; 4]);
    }
}
