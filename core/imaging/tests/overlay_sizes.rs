//! The overlay of any picture: tiny, huge, narrow, full of defects, with a map that does not fit.

mod overlay_support;

use forgeos_imaging::overlay::{compose, photograph_part, render};
use forgeos_imaging::{DefectClass, Region};
use overlay_support::{disc, faultless, flat, pixel};

#[test]
fn a_lying_photograph_gets_its_strip_below_and_an_upright_one_beside() {
    let lying = compose(&flat(1600, 1200, [90; 3]), &faultless(1600, 1200));
    assert_eq!(lying.width, 1600);
    assert!(lying.height > 1200);
    let upright = compose(&flat(1200, 1600, [90; 3]), &faultless(1200, 1600));
    assert_eq!(upright.height, 1600);
    assert!(upright.width > 1200);
}

#[test]
fn the_photograph_is_found_in_every_overlay_of_its_size_and_in_no_other() {
    for (width, height) in
        [(1600, 1200), (1200, 1600), (1001, 1001), (40, 30), (30, 40), (4001, 2999), (3, 2000)]
    {
        let drawn = compose(&flat(width, height, [90; 3]), &faultless(width, height));
        let part = photograph_part((drawn.width, drawn.height), (width, height)).expect("its size is known");
        // All of the photograph, and nothing of the strip.
        assert_eq!(pixel(&drawn, part.0 - 1, part.1 - 1), [90; 3], "{width}x{height}");
        let beyond = if part.1 > part.0 { (part.0, 0) } else { (0, part.1) };
        assert_ne!(pixel(&drawn, beyond.0, beyond.1), [90; 3], "{width}x{height}");
        assert!(photograph_part(part, (width, height)).is_none(), "there is no strip");
        assert!(photograph_part((drawn.width + 1, drawn.height + 1), (width, height)).is_none());
        assert!(photograph_part((drawn.width, drawn.height), (0, 0)).is_none());
    }
}

#[test]
fn every_size_is_drawn_and_stays_within_bounds() {
    for (width, height) in [
        (1, 1),
        (40, 30),
        (30, 40),
        (640, 480),
        (999, 10),
        (10, 999),
        (1001, 1001),
        (4000, 20),
        (20, 4000),
        (3000, 4000),
    ] {
        let mut judgement = faultless(width, height);
        disc(&mut judgement, DefectClass::Rust, width / 2, height / 2, 3);
        let drawn = compose(&flat(width, height, [90; 3]), &judgement);
        assert_eq!(drawn.rgb.len(), 3 * (drawn.width * drawn.height) as usize);
        let long = drawn.width.max(drawn.height);
        assert!((1000..=2500).contains(&long), "{width}x{height} became {}x{}", drawn.width, drawn.height);
        let encoded = render(&flat(width, height, [90; 3]), &judgement);
        let read = image::load_from_memory(&encoded).expect("the overlay is a picture");
        assert_eq!((read.width(), read.height()), (drawn.width, drawn.height));
    }
}

#[test]
fn five_thousand_defects_are_drawn() {
    let mut judgement = faultless(1600, 1200);
    for number in 0..5000 {
        disc(&mut judgement, DefectClass::Blister, 10 + 16 * (number % 98), 10 + 22 * (number / 98), 3);
    }
    let drawn = compose(&flat(1600, 1200, [90; 3]), &judgement);
    assert_eq!(drawn.width, 1600);
}

#[test]
fn a_region_map_that_does_not_fit_marks_nothing() {
    let mut judgement = faultless(1200, 900);
    judgement.regions.cells = vec![Region::Uncovered; 7];
    let drawn = compose(&flat(1200, 900, [90; 3]), &judgement);
    assert_eq!(pixel(&drawn, 600, 450), [90; 3]);
}

#[test]
fn no_text_leaves_the_strip() {
    // The longest words and numbers that can stand there.
    for (width, height) in [(1600, 1200), (1200, 1600), (1000, 700), (700, 1000)] {
        let mut judgement = faultless(width, height);
        for (number, class) in [
            DefectClass::Rust,
            DefectClass::Crack,
            DefectClass::Blister,
            DefectClass::Flake,
            DefectClass::Streak,
            DefectClass::Bead,
        ]
        .into_iter()
        .cycle()
        .take(600)
        .enumerate()
        {
            let number = number as u32;
            disc(&mut judgement, class, 20 + 23 * (number % 28), 20 + 23 * (number / 28), 4);
        }
        judgement.defects_detected = 4_000_000_000;
        judgement.severity = forgeos_imaging::Severity::Medium;
        judgement.profile = forgeos_imaging::Profile::Reference;
        judgement.confidence = 0.2;
        judgement.roi_percent = 1.0;
        for cell in &mut judgement.regions.cells[..3000] {
            *cell = Region::Glare;
        }
        for cell in &mut judgement.regions.cells[3000..6000] {
            *cell = Region::Uncovered;
        }
        let drawn = compose(&flat(width, height, [90; 3]), &judgement);
        // The outer border of the strip is empty: nothing was cut off there.
        let background = pixel(&drawn, drawn.width - 1, drawn.height - 1);
        let right = (0..drawn.height).filter(|&y| height > width || y >= height);
        assert!(right.into_iter().all(|y| pixel(&drawn, drawn.width - 1, y) == background));
        let bottom = (0..drawn.width).filter(|&x| height <= width || x >= width);
        assert!(bottom.into_iter().all(|x| pixel(&drawn, x, drawn.height - 1) == background));
    }
}
