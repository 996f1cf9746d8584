//! What the standard profile makes of photographs as they are really taken: dark glossy panels with flake, mirrored
//! lamps, a film, and a floor around.

mod drawing;

use drawing::{Canvas, Dice, through_jpeg};
use forgeos_imaging::standard::judge;
use forgeos_imaging::{DefectClass, Judgement, Picture, Region, Sensitivity, Severity};

const WIDTH: f32 = 1200.0;
const HEIGHT: f32 = 1600.0;
const DARK_PAINT: [f32; 3] = [26.0, 32.0, 46.0];
const CONCRETE: [f32; 3] = [128.0, 124.0, 116.0];

/// Dark metallic paint under two lamps, filling the picture.
fn glossy(seed: u64) -> Canvas {
    let mut canvas = Canvas::flat(WIDTH as usize, HEIGHT as usize, DARK_PAINT);
    canvas.each(|x, y, p| {
        let light = 1.15 - 0.35 * (x / WIDTH) - 0.25 * (y / HEIGHT);
        p.iter_mut().for_each(|v| *v *= light);
    });
    canvas.flake(1.6, seed).lamp((380.0, 250.0), (330.0, 900.0), 26.0, 330.0).lamp(
        (740.0, 200.0),
        (830.0, 850.0),
        24.0,
        330.0,
    );
    canvas
}

/// The lower right corner without film: duller and a little lighter, behind a matt line.
fn without_film_in_the_corner(canvas: &mut Canvas) -> f64 {
    let mut missed = 0;
    canvas.each(|x, y, p| {
        let beyond = 0.62 * (x - 0.70 * WIDTH) + 0.78 * (y - 0.86 * HEIGHT) + 9.0 * (x / 90.0).sin();
        if beyond > 0.0 {
            missed += 1;
            let mean = (p[0] + p[1] + p[2]) / 3.0;
            p.iter_mut().for_each(|v| *v = 0.55 * *v + 0.45 * mean + 3.0);
        }
        let line = 9.0 * (-(beyond / 7.0).powi(2)).exp();
        p.iter_mut().for_each(|v| *v += line);
    });
    100.0 * f64::from(missed) / f64::from(WIDTH * HEIGHT)
}

fn with_streaks(canvas: &mut Canvas) {
    canvas.each(|x, y, p| {
        for i in 0..4 {
            let aside = x - 470.0 - 52.0 * i as f32 - 0.35 * (y - 1000.0);
            let along = (y - 1130.0) / 170.0;
            let light = 9.0 * (-(aside / 9.0).powi(2)).exp() * (1.0 - along.powi(4)).max(0.0);
            p.iter_mut().for_each(|v| *v += light);
        }
    });
}

/// The panel as it is, but only within the middle; concrete and tape around it.
fn on_the_floor(canvas: &mut Canvas) {
    let mut dice = Dice(99);
    let (left, right, bottom) = (130.0, 1060.0, 1420.0);
    canvas.each(|x, y, p| {
        let grain = dice.normal();
        let out = (left - x).max(x - right).max(y - bottom);
        if out > 0.0 && out < 34.0 && x < 700.0 {
            *p = [205.0 + 6.0 * grain, 186.0 + 6.0 * grain, 135.0 + 6.0 * grain];
        } else if out > 0.0 {
            let shade = 1.0 - 0.7 * (-out / 40.0).exp();
            let blotch = 10.0 * ((x / 31.0).sin() * (y / 47.0).cos());
            *p = CONCRETE.map(|v| (v + blotch + 9.0 * grain) * shade);
        }
    });
}

fn finished(canvas: &mut Canvas, seed: u64) -> Picture {
    through_jpeg(&canvas.noise(1.6, seed).picture(), 88)
}

fn uncovered(judged: &Judgement) -> f64 {
    let cells = &judged.regions.cells;
    let inside = cells.iter().filter(|c| **c != Region::Outside).count();
    100.0 * cells.iter().filter(|c| **c == Region::Uncovered).count() as f64 / inside as f64
}

fn count(judged: &Judgement, class: DefectClass) -> usize {
    judged.defects.iter().filter(|d| d.class == class).count()
}

#[test]
fn flake_and_lamps_are_not_defects() {
    for seed in 0..4 {
        let judged = judge(&finished(&mut glossy(seed), seed), Sensitivity::Medium);
        assert!(judged.defects_detected <= 2, "{:?}", judged.defects);
        assert_ne!(judged.severity, Severity::High);
        assert!(uncovered(&judged) < 0.1);
        assert!(judged.coverage_percent > 99.5);
        assert!(judged.regions.cells.contains(&Region::Glare));
    }
}

#[test]
fn a_corner_without_film_is_found() {
    for seed in 0..3 {
        let mut canvas = glossy(seed);
        let truth = without_film_in_the_corner(&mut canvas);
        let judged = judge(&finished(&mut canvas, seed), Sensitivity::Medium);
        let found = uncovered(&judged);
        assert!((found - truth).abs() < 1.5, "found {found}, drawn {truth}");
        assert!(judged.defects_detected <= 2, "{:?}", judged.defects);
        assert!(judged.edge_coverage_ratio < 0.97);
    }
}

#[test]
fn streaks_of_a_film_are_one_group() {
    for seed in 0..3 {
        let mut canvas = glossy(seed);
        with_streaks(&mut canvas);
        let judged = judge(&finished(&mut canvas, seed), Sensitivity::Medium);
        assert_eq!(count(&judged, DefectClass::Streak), 1, "{:?}", judged.defects);
        assert!(judged.defects_detected <= 3, "{:?}", judged.defects);
    }
}

#[test]
fn the_floor_around_a_panel_changes_nothing() {
    let mut bare = glossy(1);
    let mut laid = glossy(1);
    on_the_floor(&mut laid);
    let alone = judge(&finished(&mut bare, 1), Sensitivity::Medium);
    let judged = judge(&finished(&mut laid, 1), Sensitivity::Medium);
    let panel = 100.0 * 930.0 * 1420.0 / f64::from(WIDTH * HEIGHT);
    assert!(
        judged.roi_percent <= panel + 0.5 && judged.roi_percent > panel - 7.0,
        "{} of {panel}",
        judged.roi_percent
    );
    assert!((judged.coverage_percent - alone.coverage_percent).abs() < 0.3, "{}", judged.coverage_percent);
    assert!(judged.defects_detected <= alone.defects_detected + 1, "{:?}", judged.defects);
    assert!((judged.cvi - alone.cvi).abs() < 0.08 && (judged.cqi - alone.cqi).abs() < 0.05);
    let corner = judged.regions.cells[3];
    assert_eq!(corner, Region::Outside);
}

#[test]
fn two_views_of_one_panel_agree() {
    let mut canvas = glossy(2);
    without_film_in_the_corner(&mut canvas);
    with_streaks(&mut canvas);
    let near = judge(&finished(&mut canvas, 2), Sensitivity::Medium);
    let far = judge(&finished(&mut canvas.scaled(0.8, 1.1), 3), Sensitivity::Medium);
    let allowed = 1.0 + 4.0 * (1.0 - near.confidence.min(far.confidence));
    let change = (near.coverage_percent - far.coverage_percent).abs();
    assert!(change <= allowed, "{change} with confidence {} and {}", near.confidence, far.confidence);
    assert!(
        near.defects_detected.abs_diff(far.defects_detected) <= 2,
        "{:?} {:?}",
        near.defects,
        far.defects
    );
    assert_eq!(near.severity, far.severity);
}

#[test]
fn much_glare_is_not_trusted() {
    let clear = judge(&finished(&mut glossy(5), 5), Sensitivity::Medium);
    let mut canvas = glossy(5);
    for i in 0..5 {
        let x = 120.0 + 240.0 * i as f32;
        canvas.lamp((x, 100.0), (x + 60.0, 1500.0), 70.0, 420.0);
    }
    let glaring = judge(&finished(&mut canvas, 5), Sensitivity::Medium);
    assert!(clear.confidence > 0.6, "{}", clear.confidence);
    assert!(glaring.confidence < 0.45, "{}", glaring.confidence);
    assert!(glaring.confidence < 0.6 * clear.confidence);
}

#[test]
fn a_picture_without_a_panel_is_not_trusted() {
    let mut dice = Dice(4);
    let mut canvas = Canvas::flat(1200, 900, [90.0; 3]);
    for _ in 0..160 {
        let colour = [dice.unit() * 220.0, dice.unit() * 220.0, dice.unit() * 220.0];
        let centre = (dice.unit() * 1200.0, dice.unit() * 900.0);
        canvas.disc(centre, 30.0 + 60.0 * dice.unit(), colour);
    }
    let judged = judge(&finished(&mut canvas, 4), Sensitivity::Medium);
    assert!(judged.confidence < 0.4, "{}", judged.confidence);
}

#[test]
fn a_structured_surface_is_not_trusted() {
    let mut canvas = Canvas::flat(1200, 900, [130.0; 3]);
    canvas.each(|x, y, p| {
        let ridge = 45.0 * (0.13 * x + 0.02 * y).sin().powi(7);
        p.iter_mut().for_each(|v| *v += ridge);
    });
    let judged = judge(&finished(&mut canvas, 4), Sensitivity::Medium);
    assert!(judged.confidence < 0.5, "{} {}", judged.confidence, judged.defects_detected);
}

#[test]
fn a_blurred_picture_is_trusted_less_than_a_sharp_one() {
    let mut canvas = glossy(6);
    let sharp = judge(&canvas.noise(1.2, 6).picture(), Sensitivity::Medium);
    for _ in 0..6 {
        canvas = canvas.softened();
    }
    let blurred = judge(&canvas.picture(), Sensitivity::Medium);
    assert!(blurred.confidence < 0.8 * sharp.confidence, "{} {}", blurred.confidence, sharp.confidence);
}

#[test]
fn the_size_of_the_photograph_hardly_matters() {
    let mut canvas = glossy(8);
    without_film_in_the_corner(&mut canvas);
    with_streaks(&mut canvas);
    let plain = judge(&canvas.picture(), Sensitivity::Medium);
    for factor in [0.7, 1.6, 2.6] {
        let judged = judge(&canvas.scaled(factor, 1.0).picture(), Sensitivity::Medium);
        assert!(
            (judged.coverage_percent - plain.coverage_percent).abs() < 1.0,
            "{factor}: {}",
            judged.coverage_percent
        );
        assert!(
            judged.defects_detected.abs_diff(plain.defects_detected) <= 1,
            "{factor}: {:?}",
            judged.defects
        );
        assert!((uncovered(&judged) - uncovered(&plain)).abs() < 1.0, "{factor}");
    }
}

#[test]
fn a_brushed_surface_is_not_trusted() {
    let mut dice = Dice(12);
    let lines: Vec<f32> = (0..1200).map(|_| 9.0 * dice.normal()).collect();
    let mut canvas = Canvas::flat(1200, 900, [120.0; 3]);
    canvas.each(|x, _, p| p.iter_mut().for_each(|v| *v += lines[x as usize]));
    let judged = judge(&finished(&mut canvas, 4), Sensitivity::Medium);
    assert!(judged.confidence < 0.55, "{}", judged.confidence);
}
