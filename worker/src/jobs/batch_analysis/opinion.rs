//! What a trained model says of an image, and how severity and confidence follow it. docs/models.md explains the rules.
//!
//! The measured figures stay as they are: a model knows what its pictures are called, not how large a defect is.

use forgeos_imaging::{Capture, Judgement as Measured, Picture, Severity};
use forgeos_learning::Judgement as Verdict;
use serde_json::{Value, json};

use crate::jobs::models::LoadedModel;

/// From here on what was measured is believed beside a model.
const TRUSTED: f64 = 0.5;
/// One photograph is never proof.
const CERTAIN: f64 = 0.97;

/// A verdict on one image, and what was measured before it was heard.
#[derive(Debug)]
pub(super) struct Opinion {
    version: String,
    verdict: Verdict,
    measured_severity: Severity,
    measured_confidence: f64,
}

impl Opinion {
    /// Has the model judge the picture, and makes severity and confidence of `measured` follow it.
    pub(super) fn form(loaded: &LoadedModel, picture: &Picture, measured: &mut Measured) -> Self {
        let verdict = loaded.model.judge(&forgeos_learning::describe_picture(picture, &[]));
        let opinion = Self {
            version: loaded.version.clone(),
            measured_severity: measured.severity,
            measured_confidence: measured.confidence,
            verdict,
        };
        let says_good = loaded.model.good_label().map(|good| good == opinion.verdict.label);
        measured.severity = severity(says_good, measured.severity, measured.confidence);
        measured.confidence = confidence(&opinion.verdict, &measured.capture);
        opinion
    }

    /// Adds it to `analyses.metrics`.
    pub(super) fn write(&self, metrics: &mut Value) {
        let verdict = &self.verdict;
        metrics["model_version"] = json!(self.version);
        metrics["label"] = json!(verdict.label);
        metrics["probability"] = json!(rounded(verdict.probability));
        let probabilities =
            verdict.probabilities.iter().map(|(label, p)| (label.clone(), json!(rounded(*p))));
        metrics["probabilities"] = Value::Object(probabilities.collect());
        metrics["novelty"] = json!(rounded(verdict.novelty));
        if let Some(region) = &verdict.region {
            metrics["label_region"] =
                json!({"x": region.x, "y": region.y, "width": region.width, "height": region.height});
        }
        metrics["measured"] = json!({
            "severity": self.measured_severity,
            "confidence": self.measured_confidence,
        });
    }
}

/// The model decides whether something is wrong; how much is for the measuring to say, where that can be trusted.
/// `says_good` is none when none of the labels is a word for a good picture: then the model has no say.
fn severity(says_good: Option<bool>, measured: Severity, confidence: f64) -> Severity {
    let trusted = confidence >= TRUSTED;
    match says_good {
        None => measured,
        Some(true) if trusted && measured == Severity::High => Severity::Medium,
        Some(true) => Severity::Low,
        Some(false) if trusted => measured.max(Severity::Medium),
        Some(false) => Severity::Medium,
    }
}

/// The probability of the label, less the doubts about the photograph: exposure and focus as in the measuring, and how
/// unlike the trained pictures it is.
fn confidence(verdict: &Verdict, capture: &Capture) -> f64 {
    let exposure = (1.0 - (capture.clipped_percent - 2.0).max(0.0) / 40.0).clamp(0.3, 1.0);
    let focus = 0.3 + 0.7 * capture.sharpness.clamp(0.0, 1.0);
    let known = 1.0 - 0.5 * verdict.novelty.clamp(0.0, 1.0);
    rounded((verdict.probability * exposure * focus * known).clamp(0.0, CERTAIN))
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(probability: f64, novelty: f64) -> Verdict {
        Verdict {
            label: "defect".to_owned(),
            probability,
            probabilities: vec![("good".to_owned(), 1.0 - probability), ("defect".to_owned(), probability)],
            margin: 0.0,
            novelty,
            region: None,
        }
    }

    fn capture(clipped_percent: f64, sharpness: f64) -> Capture {
        Capture { glare_percent: 0.0, clipped_percent, sharpness, lighting_evenness: 1.0 }
    }

    #[test]
    fn a_model_decides_whether_and_trusted_figures_how_much() {
        use Severity::{High, Low, Medium};
        for (says_good, measured, confidence, expected) in [
            (Some(true), High, 0.1, Low),
            (Some(true), High, 0.9, Medium),
            (Some(true), Medium, 0.9, Low),
            (Some(false), Low, 0.9, Medium),
            (Some(false), High, 0.9, High),
            (Some(false), High, 0.1, Medium),
            (None, High, 0.1, High),
            (None, Low, 0.9, Low),
        ] {
            let found = severity(says_good, measured, confidence);
            assert_eq!(found, expected, "{says_good:?} {measured:?} {confidence}");
        }
    }

    #[test]
    fn confidence_is_the_probability_less_the_doubts() {
        assert!((confidence(&verdict(0.9, 0.0), &capture(0.0, 1.0)) - 0.9).abs() < 1e-9);
        assert!(confidence(&verdict(1.0, 0.0), &capture(0.0, 1.0)) <= CERTAIN);
        let blurred = confidence(&verdict(0.9, 0.0), &capture(0.0, 0.0));
        let burnt = confidence(&verdict(0.9, 0.0), &capture(80.0, 1.0));
        let strange = confidence(&verdict(0.9, 1.0), &capture(0.0, 1.0));
        assert!(blurred < 0.3 && burnt < 0.3 && strange < 0.5, "{blurred} {burnt} {strange}");
    }

    #[test]
    fn what_the_model_says_stands_beside_what_was_measured() {
        let opinion = Opinion {
            version: "20261121-x".to_owned(),
            verdict: verdict(0.876_54, 0.0),
            measured_severity: Severity::Low,
            measured_confidence: 0.25,
        };
        let mut metrics = json!({"severity": "medium", "confidence": 0.8});
        opinion.write(&mut metrics);
        assert_eq!(
            metrics,
            json!({"severity": "medium", "confidence": 0.8, "model_version": "20261121-x", "label": "defect",
                "probability": 0.8765, "probabilities": {"good": 0.1235, "defect": 0.8765}, "novelty": 0.0,
                "measured": {"severity": "low", "confidence": 0.25}})
        );
    }
}
