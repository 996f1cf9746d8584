//! `analyses.metrics` of a completed analysis: the figures, and what a report needs beside them.
//!
//! It names and rounds what the judgement says and measures nothing. A row stays small: defects beyond the largest
//! [`MAX_DEFECTS`] are counted, not listed.

use std::time::Duration;

use forgeos_core::ErrorCode;
use forgeos_imaging::{Defect, Judgement, Sensitivity};
use serde_json::{Value, json};

use crate::jobs::photographs::ImageFailure;

/// How many defects a row lists.
const MAX_DEFECTS: usize = 200;

/// `took` holds decoding, judging and drawing together.
///
/// # Errors
/// A figure is not finite: JSON has no word for it, and a null would be read as a measurement by nobody.
pub(super) fn metrics_of(
    judgement: &Judgement,
    sensitivity: Sensitivity,
    took: Duration,
) -> Result<Value, ImageFailure> {
    let capture = &judgement.capture;
    let figures = [
        judgement.cvi,
        judgement.cqi,
        judgement.coverage_percent,
        judgement.edge_coverage_ratio,
        judgement.confidence,
        judgement.roi_percent,
        capture.glare_percent,
        capture.clipped_percent,
        capture.sharpness,
        capture.lighting_evenness,
    ];
    let listed = &judgement.defects[..judgement.defects.len().min(MAX_DEFECTS)];
    let sizes = listed.iter().flat_map(|defect| [defect.area_percent, f64::from(defect.delta_e)]);
    if !figures.into_iter().chain(sizes).all(f64::is_finite) {
        return Err(ImageFailure::new(
            ErrorCode::Internal,
            "the analysis gave no finite figures; please report it",
        ));
    }
    Ok(json!({
        "cvi": judgement.cvi,
        "cqi": judgement.cqi,
        "coverage_percent": judgement.coverage_percent,
        "edge_coverage_ratio": judgement.edge_coverage_ratio,
        "defects_detected": judgement.defects_detected,
        "severity": judgement.severity,
        "confidence": judgement.confidence,
        "processing_time_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "profile": judgement.profile,
        "sensitivity": sensitivity,
        "width": judgement.width,
        "height": judgement.height,
        "roi_percent": judgement.roi_percent,
        "defects": listed.iter().map(entry).collect::<Vec<_>>(),
        "capture": {
            "glare_percent": rounded(capture.glare_percent, 2),
            "clipped_percent": rounded(capture.clipped_percent, 2),
            "sharpness": rounded(capture.sharpness, 3),
            "lighting_evenness": rounded(capture.lighting_evenness, 3),
        },
    }))
}

fn entry(defect: &Defect) -> Value {
    json!({
        "class": defect.class,
        "x": defect.bounds.x,
        "y": defect.bounds.y,
        "width": defect.bounds.width,
        "height": defect.bounds.height,
        "area_percent": rounded(defect.area_percent, 4),
        "delta_e": rounded(f64::from(defect.delta_e), 2),
    })
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use forgeos_imaging::{DefectClass, Options, Picture, Rect, judge};

    use super::*;

    fn judgement() -> Judgement {
        judge(&Picture { width: 2, height: 1, rgb: vec![9; 6] }, Options::default())
    }

    fn defects(count: u32) -> Vec<Defect> {
        let one = |i: u32| Defect {
            class: DefectClass::Blister,
            bounds: Rect { x: 3000 + i, y: 2000 + i, width: 48, height: 39 },
            area_percent: 0.123_456 / f64::from(i + 1),
            delta_e: 12.345_6,
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn metrics_have_every_key_and_no_null() {
        let metrics = metrics_of(&judgement(), Sensitivity::High, Duration::from_millis(12)).unwrap();
        for key in [
            "cvi",
            "cqi",
            "coverage_percent",
            "edge_coverage_ratio",
            "defects_detected",
            "severity",
            "confidence",
            "processing_time_ms",
            "profile",
            "sensitivity",
            "width",
            "height",
            "roi_percent",
            "defects",
            "capture",
        ] {
            assert!(!metrics[key].is_null(), "{key}");
        }
        for key in ["glare_percent", "clipped_percent", "sharpness", "lighting_evenness"] {
            assert!(metrics["capture"][key].is_number(), "{key}");
        }
        assert_eq!(metrics["processing_time_ms"], 12);
        assert_eq!(metrics["profile"], "standard");
        assert_eq!(metrics["sensitivity"], "high");
    }

    #[test]
    fn what_is_not_finite_is_no_metric() {
        let refused = |spoil: fn(&mut Judgement)| {
            let mut judgement = judgement();
            spoil(&mut judgement);
            metrics_of(&judgement, Sensitivity::Medium, Duration::ZERO).unwrap_err().code
        };
        assert_eq!(refused(|j| j.cvi = f64::NAN), ErrorCode::Internal);
        assert_eq!(refused(|j| j.capture.sharpness = f64::INFINITY), ErrorCode::Internal);
        assert_eq!(
            refused(|j| {
                j.defects = defects(1);
                j.defects[0].delta_e = f32::NAN;
            }),
            ErrorCode::Internal
        );
    }

    #[test]
    fn the_largest_defects_are_listed_rounded_and_all_are_counted() {
        let mut judgement = judgement();
        judgement.defects = defects(350);
        judgement.defects_detected = 350;
        let metrics = metrics_of(&judgement, Sensitivity::Medium, Duration::ZERO).unwrap();
        let listed = metrics["defects"].as_array().unwrap();
        assert_eq!((listed.len(), &metrics["defects_detected"]), (MAX_DEFECTS, &json!(350)));
        assert_eq!(
            listed[0],
            json!({"class": "blister", "x": 3000, "y": 2000, "width": 48, "height": 39,
                "area_percent": 0.1235, "delta_e": 12.35})
        );
    }

    #[test]
    fn a_row_stays_small() {
        let bytes = |count| {
            let mut judgement = judgement();
            judgement.defects = defects(count);
            metrics_of(&judgement, Sensitivity::Medium, Duration::ZERO).unwrap().to_string().len()
        };
        assert!(bytes(0) < 600, "{}", bytes(0));
        assert!(bytes(1000) < 24_000, "{}", bytes(1000));
    }
}
