//! Why a severity is what it is: the rule of the measurement that the recorded figures are beyond, in one sentence.
//!
//! The cut-offs are those of `forgeos-imaging` (`standard::indices`). A rule is named only where the row itself shows that
//! it holds; where the row does not carry what decided, nothing is said.

use super::figures::{Class, Figure};
use super::verdict::overruled;
use crate::language::words;
use crate::model::{Language, Metrics};

/// A figure, the value from which on it decides, and the key of its words.
type Cut = (Figure, f64, &'static str);

/// Beyond any of these a severity is high.
const HIGH: [Cut; 4] = [
    (Figure::LargestOf(Class::Rust), 0.5, "reason.largest_rust"),
    (Figure::LargestDefectPercent, 1.0, "reason.largest"),
    (Figure::UncoveredPercent, 5.0, "reason.uncovered"),
    (Figure::DefectAreaPercent, 3.0, "reason.area_high"),
];

/// Beyond any of these it is medium.
const MEDIUM: [Cut; 3] = [
    (Figure::DefectAreaPercent, 0.1, "reason.area_medium"),
    // The cut-off is 10 defects or more.
    (Figure::DefectsDetected, 9.0, "reason.count"),
    (Figure::LongestCrackPercent, 10.0, "reason.crack"),
];

/// The rule that decides, as a sentence; none for a severity that is low or unknown. Where it was the model, its `label` as
/// it may be shown.
#[must_use]
pub fn reason(metrics: &Metrics, label: Option<&str>, language: Language) -> Option<String> {
    let words = words(language);
    let severity = metrics.severity.as_deref()?;
    if let Some(measured) = overruled(metrics) {
        let measured = words.find(&format!("severity.{measured}"))?.to_lowercase();
        return Some(match label {
            Some(label) => words.fill("reason.model_label", &[("severity", &measured), ("label", label)]),
            None => words.fill("reason.model", &[("severity", &measured)]),
        });
    }
    let cuts: &[Cut] = match severity {
        "high" => &HIGH,
        "medium" => &MEDIUM,
        _ => return None,
    };
    cuts.iter().find_map(|(figure, cut, key)| {
        let value = figure.of(metrics).filter(|value| value > cut)?;
        let value = figure.written(language, value);
        Some(words.fill(key, &[("value", &value), ("limit", &figure.written(language, *cut))]))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::{Defect, Measured};

    fn of(severity: &str, areas: &[(&str, f64)]) -> Metrics {
        let defect = |(class, area_percent): &(&str, f64)| Defect {
            class: (*class).to_owned(),
            x: 0,
            y: 0,
            width: 9,
            height: 9,
            area_percent: *area_percent,
            delta_e: 9.0,
        };
        Metrics {
            severity: Some(severity.to_owned()),
            width: Some(1000),
            height: Some(800),
            defects_detected: Some(areas.len() as u64),
            defects: Some(areas.iter().map(defect).collect()),
            ..Metrics::default()
        }
    }

    fn said(metrics: &Metrics) -> Option<String> {
        reason(metrics, Some("worn"), Language::En)
    }

    #[test]
    fn the_rule_that_the_figures_are_beyond_is_named_with_its_limit() {
        let rust = said(&of("high", &[("rust", 0.72)])).unwrap();
        assert!(rust.contains("rust") && rust.contains("0.72") && rust.contains("0.50"), "{rust}");
        let flake = said(&of("high", &[("flake", 2.0), ("rust", 0.1)])).unwrap();
        assert!(flake.contains("2.0") && flake.contains("largest defect"), "{flake}");
        let many = said(&of("high", &[("flake", 0.9); 4])).unwrap();
        assert!(many.contains("3.6"), "{many}");
        let specks = said(&of("medium", &[("bead", 0.001); 12])).unwrap();
        assert!(specks.contains("12 defects"), "{specks}");
    }

    #[test]
    fn nothing_is_said_where_the_row_does_not_show_what_decided() {
        assert_eq!(said(&of("high", &[("flake", 0.3)])), None);
        assert_eq!(said(&of("medium", &[("flake", 0.05)])), None);
        assert_eq!(said(&of("low", &[("flake", 2.0)])), None);
        assert_eq!(said(&of("grave", &[("flake", 2.0)])), None);
        assert_eq!(said(&Metrics { defects: None, ..of("high", &[]) }), None);
    }

    #[test]
    fn a_model_that_changed_the_severity_is_named_as_the_reason() {
        let measured = Measured { severity: Some("low".to_owned()), confidence: None };
        let metrics = Metrics { measured: Some(measured), ..of("high", &[("rust", 0.9)]) };
        let said = said(&metrics).unwrap();
        assert!(said.contains("“worn”") && said.contains("low"), "{said}");
        let unnamed = reason(&metrics, None, Language::No).unwrap();
        assert_eq!(unnamed, "Etter måletallene alene er alvorlighetsgraden lav.");
    }
}
