//! Judgements made by hand, so that the overlay is tested apart from any measuring.
#![allow(dead_code)] // Every test file uses its own part.

use forgeos_imaging::{
    Capture, Defect, DefectClass, Judgement, Picture, Profile, Rect, Region, RegionMap, Severity,
};

/// A picture of one colour.
pub(crate) fn flat(width: u32, height: u32, color: [u8; 3]) -> Picture {
    Picture { width, height, rgb: color.repeat((width * height) as usize) }
}

/// A judgement without a finding, its region map as large as the picture.
pub(crate) fn faultless(width: u32, height: u32) -> Judgement {
    Judgement {
        profile: Profile::Standard,
        width,
        height,
        cvi: 0.912,
        cqi: 0.874,
        coverage_percent: 100.0,
        edge_coverage_ratio: 1.0,
        defects_detected: 0,
        severity: Severity::Low,
        confidence: 0.91,
        roi_percent: 100.0,
        capture: Capture::default(),
        defects: Vec::new(),
        regions: RegionMap { width, height, cells: vec![Region::Coat; (width * height) as usize] },
    }
}

/// Fills a box of the region map.
pub(crate) fn fill(judgement: &mut Judgement, area: Rect, region: Region) {
    let width = judgement.regions.width;
    for y in area.y..(area.y + area.height).min(judgement.regions.height) {
        for x in area.x..(area.x + area.width).min(width) {
            judgement.regions.cells[(y * width + x) as usize] = region;
        }
    }
}

/// Adds a round defect.
pub(crate) fn disc(judgement: &mut Judgement, class: DefectClass, x: u32, y: u32, radius: u32) {
    let region = match class {
        DefectClass::Rust => Region::Rust,
        DefectClass::Crack => Region::Crack,
        DefectClass::Blister => Region::Blister,
        DefectClass::Flake => Region::Flake,
        DefectClass::Streak => Region::Streak,
        DefectClass::Bead => Region::Bead,
    };
    let (width, height) = (judgement.regions.width, judgement.regions.height);
    let mut cells = 0;
    for cy in y.saturating_sub(radius)..(y + radius + 1).min(height) {
        for cx in x.saturating_sub(radius)..(x + radius + 1).min(width) {
            if cx.abs_diff(x).pow(2) + cy.abs_diff(y).pow(2) <= radius * radius {
                judgement.regions.cells[(cy * width + cx) as usize] = region;
                cells += 1;
            }
        }
    }
    let bounds = Rect {
        x: x.saturating_sub(radius),
        y: y.saturating_sub(radius),
        width: 2 * radius + 1,
        height: 2 * radius + 1,
    };
    let area_percent = 100.0 * f64::from(cells) / f64::from(width * height);
    judgement.defects.push(Defect { class, bounds, area_percent, delta_e: 21.4 });
    judgement.defects_detected += 1;
}

/// The pixel of a composed overlay.
pub(crate) fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let start = 3 * (y * picture.width + x) as usize;
    [picture.rgb[start], picture.rgb[start + 1], picture.rgb[start + 2]]
}
