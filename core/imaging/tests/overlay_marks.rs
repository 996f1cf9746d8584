//! What the overlay does to the photograph itself.

mod overlay_support;

use forgeos_imaging::overlay::{class_color, compose};
use forgeos_imaging::{DefectClass, Rect, Region};
use overlay_support::{disc, faultless, fill, flat, pixel};

const COAT: [u8; 3] = [120, 140, 160];

#[test]
fn a_defect_is_outlined_in_the_colour_of_its_class_and_keeps_its_pixels() {
    for class in [
        DefectClass::Rust,
        DefectClass::Crack,
        DefectClass::Blister,
        DefectClass::Flake,
        DefectClass::Streak,
        DefectClass::Bead,
    ] {
        let mut judgement = faultless(1200, 900);
        disc(&mut judgement, class, 600, 450, 40);
        let drawn = compose(&flat(1200, 900, COAT), &judgement);
        for (x, y) in [(600 + 43, 450), (600 - 43, 450), (600, 450 + 43), (600, 450 - 43)] {
            assert_eq!(pixel(&drawn, x, y), class_color(class), "{class:?} at {x}, {y}");
        }
        assert_eq!(pixel(&drawn, 600, 450), COAT, "the defect itself stays visible");
        assert_eq!(pixel(&drawn, 600 + 39, 450), COAT, "up to its border");
    }
}

#[test]
fn coat_without_a_finding_keeps_its_pixels() {
    let mut judgement = faultless(1200, 900);
    disc(&mut judgement, DefectClass::Rust, 300, 300, 30);
    let drawn = compose(&flat(1200, 900, COAT), &judgement);
    let untouched = (0..900)
        .flat_map(|y| (0..1200).map(move |x| (x, y)))
        .filter(|&(x, y): &(u32, u32)| x.abs_diff(300).max(y.abs_diff(300)) > 80)
        .all(|(x, y)| pixel(&drawn, x, y) == COAT);
    assert!(untouched);
}

#[test]
fn the_uncovered_area_is_tinted_and_hatched() {
    let mut judgement = faultless(1200, 900);
    fill(&mut judgement, Rect { x: 900, y: 0, width: 300, height: 900 }, Region::Uncovered);
    let drawn = compose(&flat(1200, 900, COAT), &judgement);
    let row: Vec<[u8; 3]> = (950..1150).map(|x| pixel(&drawn, x, 450)).collect();
    assert!(row.iter().all(|p| p[0] > COAT[0] && p[2] < COAT[2]), "every pixel is tinted");
    let strongest = row.iter().map(|p| p[0]).max();
    let weakest = row.iter().map(|p| p[0]).min();
    assert!(strongest > weakest.map(|w| w + 20), "hatching has lines and gaps");
}

#[test]
fn what_lies_outside_of_the_panel_is_dimmed() {
    let mut judgement = faultless(1200, 900);
    fill(&mut judgement, Rect { x: 0, y: 0, width: 200, height: 900 }, Region::Outside);
    let drawn = compose(&flat(1200, 900, COAT), &judgement);
    assert!(pixel(&drawn, 100, 450).iter().all(|&c| c < 80));
    assert_eq!(pixel(&drawn, 700, 450), COAT);
}

#[test]
fn glare_is_marked_lightly() {
    let mut judgement = faultless(1200, 900);
    fill(&mut judgement, Rect { x: 400, y: 300, width: 200, height: 200 }, Region::Glare);
    let drawn = compose(&flat(1200, 900, [255; 3]), &judgement);
    let inside = (420..580).filter(|&x| pixel(&drawn, x, 400) != [255; 3]).count();
    assert!((10..60).contains(&inside), "{inside} of 160 pixels are hatched");
}

#[test]
fn a_defect_of_two_pixels_is_ringed() {
    let mut judgement = faultless(1200, 900);
    disc(&mut judgement, DefectClass::Bead, 600, 450, 1);
    let drawn = compose(&flat(1200, 900, COAT), &judgement);
    // Bounds are 3 px wide, so the ring stands 14.5 px from their middle at 600.5.
    let on_ring = (612..=618).any(|x| pixel(&drawn, x, 450) == class_color(DefectClass::Bead));
    assert!(on_ring);
}

#[test]
fn the_outline_follows_the_map_when_the_photograph_is_reduced() {
    let mut judgement = faultless(1600, 1200);
    disc(&mut judgement, DefectClass::Flake, 800, 600, 50);
    (judgement.width, judgement.height) = (3200, 2400);
    let drawn = compose(&flat(3200, 2400, COAT), &judgement);
    assert_eq!(drawn.width, 1600);
    assert_eq!(pixel(&drawn, 853, 600), class_color(DefectClass::Flake));
    assert_eq!(pixel(&drawn, 800, 600), COAT);
}
