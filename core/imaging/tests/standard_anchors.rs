//! Truths that the standard profile must keep on plain drawn panels.

mod drawing;

use drawing::{Canvas, Dice, through_jpeg};
use forgeos_imaging::standard::judge;
use forgeos_imaging::{Picture, Region, Sensitivity, Severity};

const BLUE: [f32; 3] = [40.0, 70.0, 150.0];
const RED: [f32; 3] = [150.0, 25.0, 35.0];
const GREY: [f32; 3] = [120.0, 122.0, 121.0];
/// About ΔE 20 from `GREY`.
const GREY_SPOT: [f32; 3] = [70.0, 73.0, 71.0];

fn noisy(colour: [f32; 3], seed: u64) -> Picture {
    Canvas::flat(1200, 900, colour).noise(2.0, seed).picture()
}

/// Centres of discs that do not touch.
fn places(count: usize, width: f32, height: f32) -> Vec<(f32, f32)> {
    let mut dice = Dice(7);
    let mut found: Vec<(f32, f32)> = Vec::new();
    while found.len() < count {
        let p = (40.0 + dice.unit() * (width - 80.0), 40.0 + dice.unit() * (height - 80.0));
        if found.iter().all(|q| (p.0 - q.0).hypot(p.1 - q.1) > 70.0) {
            found.push(p);
        }
    }
    found
}

fn spotted(count: usize, radius: f32) -> (Canvas, f64) {
    let mut canvas = Canvas::flat(1200, 900, GREY);
    let centres = places(count, 1200.0, 900.0);
    for &centre in &centres {
        canvas.disc(centre, radius, GREY_SPOT);
    }
    let spots = canvas.pixels.iter().filter(|p| **p == GREY_SPOT).count();
    let truth = 100.0 - 100.0 * spots as f64 / (1200.0 * 900.0);
    (canvas, truth)
}

#[test]
fn a_uniform_panel_with_noise_is_covered_and_without_defects() {
    for colour in [GREY, BLUE, RED, [245.0, 245.0, 240.0], [18.0, 18.0, 20.0], [200.0, 180.0, 40.0]] {
        for seed in 0..3 {
            let judged = judge(&noisy(colour, seed), Sensitivity::Medium);
            assert_eq!(judged.defects_detected, 0, "{colour:?}");
            assert!(judged.coverage_percent >= 99.9, "{colour:?}: {}", judged.coverage_percent);
            assert_eq!(judged.severity, Severity::Low);
            assert!(judged.roi_percent > 99.9, "{colour:?}: {}", judged.roi_percent);
            assert!(judged.confidence > 0.7, "{colour:?}: {}", judged.confidence);
        }
    }
}

#[test]
fn a_red_panel_is_as_even_as_a_blue_one() {
    let (red, blue) =
        (judge(&noisy(RED, 1), Sensitivity::Medium), judge(&noisy(BLUE, 1), Sensitivity::Medium));
    assert_eq!(red.defects_detected, blue.defects_detected);
    assert!((red.coverage_percent - blue.coverage_percent).abs() <= 0.01);
    assert!((red.cvi - blue.cvi).abs() < 0.03, "{} {}", red.cvi, blue.cvi);
    assert!((red.cqi - blue.cqi).abs() < 0.01, "{} {}", red.cqi, blue.cqi);
}

#[test]
fn painted_discs_are_counted_and_measured() {
    for (count, radius) in [(1, 4.0), (4, 4.0), (12, 5.0), (12, 9.0), (30, 14.0), (8, 25.0)] {
        let (mut canvas, truth) = spotted(count, radius);
        let judged = judge(&canvas.noise(2.0, 3).picture(), Sensitivity::Medium);
        assert_eq!(judged.defects_detected as usize, count, "radius {radius}");
        let error = judged.coverage_percent - truth;
        assert!(error.abs() <= 0.1, "{count} of {radius}: {} wanted {truth}", judged.coverage_percent);
    }
}

#[test]
fn a_lighting_ramp_changes_nothing() {
    for (count, radius) in [(0, 1.0), (12, 9.0)] {
        let (mut canvas, _) = spotted(count, radius);
        let plain = judge(&canvas.noise(1.5, 5).picture(), Sensitivity::Medium);
        canvas.each(|x, _, p| p.iter_mut().for_each(|v| *v *= 0.6 + 0.8 * x / 1200.0));
        let ramp = judge(&canvas.picture(), Sensitivity::Medium);
        let change = ramp.coverage_percent - plain.coverage_percent;
        assert!(change.abs() <= 0.1, "{change}");
        assert_eq!(ramp.defects_detected, plain.defects_detected);
        assert!(ramp.roi_percent > 99.0, "{}", ramp.roi_percent);
    }
}

#[test]
fn jpeg_changes_the_count_by_a_tenth_at_most() {
    let (mut canvas, _) = spotted(30, 6.0);
    let picture = canvas.noise(2.0, 11).picture();
    let before = judge(&picture, Sensitivity::Medium).defects_detected;
    let after = judge(&through_jpeg(&picture, 70), Sensitivity::Medium).defects_detected;
    assert_eq!(before, 30);
    assert!(before.abs_diff(after) <= 3, "{before} {after}");
}

#[test]
fn no_size_is_too_small_or_too_odd() {
    for (w, h) in [
        (1, 1),
        (1, 2),
        (2, 1),
        (3, 3),
        (15, 16),
        (17, 33),
        (1, 5000),
        (5000, 1),
        (100_001, 2),
        (7, 4001),
        (640, 480),
    ] {
        let rgb = (0..w * h * 3).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let picture = Picture::new(w, h, rgb).expect("size fits");
        for sensitivity in [Sensitivity::Low, Sensitivity::Medium, Sensitivity::High] {
            let judged = judge(&picture, sensitivity);
            assert_eq!(judged.regions.cells.len() as u32, judged.regions.width * judged.regions.height);
            for figure in [judged.cvi, judged.cqi, judged.confidence, judged.edge_coverage_ratio] {
                assert!((0.0..=1.0).contains(&figure), "{w}x{h}: {judged:?}");
            }
            assert!((0.0..=100.0).contains(&judged.coverage_percent));
            assert!((0.0..=100.0).contains(&judged.roi_percent));
            if w * h < 10_000 {
                assert!(judged.confidence < 0.1);
            }
        }
    }
    let empty = Picture { width: 0, height: 0, rgb: Vec::new() };
    assert!(judge(&empty, Sensitivity::Medium).confidence <= 0.0);
}

#[test]
fn black_and_white_are_not_trusted() {
    for value in [0.0, 255.0] {
        let judged = judge(&Canvas::flat(800, 600, [value; 3]).picture(), Sensitivity::Medium);
        assert!(judged.confidence < 0.35, "{value}: {}", judged.confidence);
    }
}

#[test]
fn the_same_picture_gives_the_same_judgement() {
    let (mut canvas, _) = spotted(12, 9.0);
    let picture = canvas.noise(3.0, 1).picture();
    assert_eq!(judge(&picture, Sensitivity::High), judge(&picture, Sensitivity::High));
}

#[test]
fn defects_are_given_in_pixels_of_the_source() {
    let mut canvas = Canvas::flat(3000, 2000, GREY);
    canvas.disc((2000.0, 500.0), 40.0, GREY_SPOT);
    let judged = judge(&canvas.noise(2.0, 2).picture(), Sensitivity::Medium);
    assert_eq!(judged.defects.len(), 1, "{:?}", judged.defects);
    let bounds = judged.defects[0].bounds;
    for (found, wanted) in [(bounds.x, 1960), (bounds.y, 460), (bounds.width, 80), (bounds.height, 80)] {
        assert!(found.abs_diff(wanted) <= 4, "{bounds:?}");
    }
    assert!((judged.defects[0].delta_e - 20.0).abs() < 3.0, "{:?}", judged.defects[0]);
    assert_eq!(judged.regions.width, 1600);
    let painted = judged.regions.cells.iter().filter(|c| **c == Region::Blister).count();
    assert!(painted > 1000, "{painted}");
}
