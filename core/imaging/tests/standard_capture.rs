//! How well a photograph was taken: each figure reacts to its own fault.

mod drawing;

use drawing::Canvas;
use forgeos_imaging::{Capture, Options, Profile, judge};

/// An even grey panel with the grain of a sensor.
fn panel() -> Canvas {
    let mut canvas = Canvas::flat(1000, 800, [120.0, 124.0, 130.0]);
    canvas.noise(2.0, 7);
    canvas
}

fn capture(canvas: &Canvas) -> Capture {
    judge(&canvas.picture(), Options::default()).capture
}

#[test]
fn a_good_photograph_has_no_fault() {
    let good = capture(&panel());
    assert_eq!((good.glare_percent, good.clipped_percent), (0.0, 0.0));
    assert!(good.sharpness > 0.8, "{good:?}");
    assert!(good.lighting_evenness > 0.97, "{good:?}");
}

#[test]
fn a_mirrored_lamp_is_glare_and_clipped() {
    let lit = capture(panel().lamp((300.0, 200.0), (300.0, 600.0), 30.0, 330.0));
    // A tube of 400 by about 60 of 800 000 pixels, and its halo.
    assert!((1.0..8.0).contains(&lit.glare_percent), "{lit:?}");
    assert!(lit.clipped_percent > 0.5, "{lit:?}");
}

#[test]
fn too_dark_a_photograph_is_clipped_without_glare() {
    let black = capture(Canvas::flat(1000, 800, [1.0; 3]).noise(0.5, 3));
    assert!(black.clipped_percent > 99.0 && black.glare_percent == 0.0, "{black:?}");
}

#[test]
fn blur_lowers_the_sharpness() {
    let mut flaked = Canvas::flat(1000, 800, [60.0, 70.0, 90.0]);
    flaked.flake(6.0, 5);
    let sharp = capture(&flaked);
    let soft = capture(&flaked.softened().softened());
    let softer = capture(&(0..5).fold(flaked, |canvas, _| canvas.softened()));
    assert!(sharp.sharpness > 0.9, "{sharp:?}");
    assert!(
        soft.sharpness < sharp.sharpness - 0.1 && softer.sharpness < soft.sharpness - 0.1,
        "{soft:?} {softer:?}"
    );
    assert!((sharp.lighting_evenness - soft.lighting_evenness).abs() < 0.05);
}

#[test]
fn a_ramp_of_light_lowers_the_evenness_alone() {
    let ramped = |strength: f32| {
        let mut canvas = panel();
        canvas.each(|x, _, p| p.iter_mut().for_each(|v| *v *= 1.0 + strength * (x / 500.0 - 1.0)));
        capture(&canvas)
    };
    let (some, much) = (ramped(0.2), ramped(0.6));
    assert!(some.lighting_evenness < 0.8 && much.lighting_evenness < some.lighting_evenness - 0.2);
    assert_eq!((much.glare_percent, much.clipped_percent), (0.0, 0.0));
    assert!(much.sharpness > 0.8, "{much:?}");
}

#[test]
fn both_profiles_tell_the_same_of_the_capture() {
    let picture = panel().picture();
    let of = |profile| judge(&picture, Options { profile, ..Options::default() }).capture;
    assert_eq!(of(Profile::Standard), of(Profile::Reference));
}

#[test]
fn every_figure_is_within_its_range_even_of_odd_pictures() {
    for (width, height, colour) in [(1, 1, 0.0), (3, 900, 255.0), (40, 40, 128.0), (2000, 5, 0.0)] {
        let c = capture(&Canvas::flat(width, height, [colour; 3]));
        assert!(
            (0.0..=100.0).contains(&c.glare_percent) && (0.0..=100.0).contains(&c.clipped_percent),
            "{c:?}"
        );
        assert!((0.0..=1.0).contains(&c.sharpness) && (0.0..=1.0).contains(&c.lighting_evenness), "{c:?}");
    }
}
