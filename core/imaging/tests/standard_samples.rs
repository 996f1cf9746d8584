//! The drawn photographs of the demo: what is found must be what was drawn.

use forgeos_imaging::standard::judge;
use forgeos_imaging::{DefectClass, Judgement, Picture, Sensitivity, Severity};
use forgeos_samples::{Sample, demo_set, variant};

fn judged(sample: &Sample) -> Option<Judgement> {
    let decoded = image::load_from_memory(&sample.bytes).ok()?.to_rgb8();
    let picture = Picture { width: decoded.width(), height: decoded.height(), rgb: decoded.into_raw() };
    Some(judge(&picture, Sensitivity::Medium))
}

fn compare(sample: &Sample, seed: u64) {
    let (Some(drawn), Some(affected)) = (sample.defects, sample.affected_percent) else { return };
    let found = judged(sample).expect("a file with a truth can be decoded");
    let allowed = 1 + drawn / 10;
    assert!(
        found.defects_detected.abs_diff(drawn) <= allowed,
        "{} {seed}: {} found, {drawn} drawn",
        sample.name,
        found.defects_detected
    );
    // Soft halos, stains below rust and the flat parts of domes are drawn as affected and not seen as such.
    let missing = affected - (100.0 - found.coverage_percent);
    assert!((-0.8..=2.0).contains(&missing), "{} {seed}: {missing} points missing", sample.name);
    assert!(found.confidence > 0.6, "{} {seed}: confidence {}", sample.name, found.confidence);
}

#[test]
fn every_demo_picture_is_judged_right_in_substance() {
    for sample in demo_set() {
        compare(&sample, 0);
    }
}

#[test]
fn small_variants_are_counted() {
    for seed in 0..24 {
        let sample = variant(seed);
        if let (Some(drawn), Some(found)) = (sample.defects, judged(&sample)) {
            assert!(
                found.defects_detected.abs_diff(drawn) <= 1,
                "{seed}: {} of {drawn}",
                found.defects_detected
            );
        }
    }
}

#[test]
fn classes_and_severity_follow_the_drawing() {
    for sample in demo_set() {
        let Some(found) = judged(&sample) else { continue };
        let most = |class: DefectClass| {
            let of_class = found.defects.iter().filter(|d| d.class == class).count();
            2 * of_class > found.defects.len()
        };
        match sample.name {
            "clean_panel" | "car_panel_clean" => {
                assert_eq!((found.defects_detected, found.severity), (0, Severity::Low), "{}", sample.name);
                assert!(found.coverage_percent > 99.9, "{}", sample.name);
            }
            "rust_spots" => assert!(most(DefectClass::Rust) && found.severity == Severity::High),
            "blisters" => assert!(most(DefectClass::Blister)),
            "cracks" => assert!(most(DefectClass::Crack)),
            "bare_edge" => assert!(found.severity == Severity::High && found.edge_coverage_ratio < 0.9),
            "car_film_streaks" => {
                let count = |class| found.defects.iter().filter(|d| d.class == class).count();
                assert!((1..=2).contains(&count(DefectClass::Streak)), "{:?}", found.defects);
                assert!(count(DefectClass::Bead) >= 6, "{:?}", found.defects);
                assert!(found.roi_percent < 75.0 && found.edge_coverage_ratio < 0.97);
            }
            _ => {}
        }
    }
}
