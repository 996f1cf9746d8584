//! A trained model: what it says of a picture, and how it becomes a file.

mod bytes;
mod reading;
mod writing;

use serde::Serialize;

pub use reading::ModelError;

use crate::ensemble::{Ensemble, MEMBERS, calibrated, mix, most_probable};
use crate::features::{Description, VALUES};
use crate::learners::calibration::Curve;

/// A trained model. Plain data: it can only be made by [`crate::train`] or read by [`Model::from_bytes`].
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) labels: Vec<String>,
    /// The class of a word for what is good, when there is one.
    pub(crate) good: Option<usize>,
    pub(crate) ensemble: Ensemble,
    pub(crate) shares: [f32; MEMBERS],
    /// One for two labels, else one a label.
    pub(crate) curves: Vec<Curve>,
    /// Distances of trained pictures from their middle: the median, and what 99 in 100 stay within.
    pub(crate) usual_distance: [f32; 2],
}

/// What a model says of a picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The most probable label.
    pub label: String,
    /// Its probability, calibrated on pictures that the model had not seen.
    pub probability: f64,
    /// Every label with its probability, in the order of the model.
    pub probabilities: Vec<(String, f64)>,
    /// How far the probability lies above the next label's, 0 to 1.
    pub margin: f64,
    /// How unlike the trained pictures this one is: 0 up to the usual, 1 from where fewer than one in a hundred of them
    /// lie, twice as far again and more. A probability says little about a picture with a value of 1.
    pub novelty: f64,
    /// Where the picture speaks most for its label; nothing for a label that says that all is well.
    pub region: Option<JudgedRegion>,
}

/// A part of a picture, in pixels of the upright picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct JudgedRegion {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Of the part.
    pub width: u32,
    /// Of the part.
    pub height: u32,
    /// How strongly, 0 to 1: only to be compared with other regions of the same model.
    pub strength: f64,
}

impl Model {
    /// The words it tells apart.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether a label is a word for a picture without anything wrong (`good`, `ok`, …), when the model knows one.
    #[must_use]
    pub fn good_label(&self) -> Option<&str> {
        self.good.map(|class| self.labels[class].as_str())
    }

    /// Judges a described picture.
    #[must_use]
    pub fn judge(&self, description: &Description) -> Judgement {
        let scores = self.ensemble.scores(description, 0..VALUES);
        let probabilities = calibrated(&self.curves, &mix(&self.shares, &scores));
        let class = most_probable(&probabilities);
        let next = probabilities.iter().enumerate().filter(|(c, _)| *c != class).map(|(_, &p)| p);
        let margin = (probabilities[class] - next.fold(0.0, f64::max)).clamp(0.0, 1.0);
        let distance = self.ensemble.scaling.distance(&description.values);
        let [usual, far] = self.usual_distance;
        // A small allowance: the pictures of a small set cannot tell how far others may lie.
        let novelty = f64::from(((distance - far) / (far - usual * 0.5).max(1e-3)).clamp(0.0, 1.0));
        Judgement {
            label: self.labels[class].clone(),
            probability: probabilities[class],
            margin,
            novelty,
            region: if self.good == Some(class) { None } else { self.region(description, class) },
            probabilities: self.labels.iter().cloned().zip(probabilities).collect(),
        }
    }

    fn region(&self, description: &Description, class: usize) -> Option<JudgedRegion> {
        let (area, value) = self.ensemble.evidence.loudest(description, class)?;
        let (width, height) = (description.width.max(1), description.height.max(1));
        let edge = |share: f32, side: u32| ((share * side as f32).round() as u32).min(side);
        let (x, y) = (edge(area.left, width), edge(area.top, height));
        Some(JudgedRegion {
            x,
            y,
            width: edge(area.right, width).saturating_sub(x).max(1),
            height: edge(area.bottom, height).saturating_sub(y).max(1),
            strength: crate::learners::calibration::logistic(f64::from(value)),
        })
    }
}
