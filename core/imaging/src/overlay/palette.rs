//! The colours and words of an overlay. The class colours follow Okabe and Ito's set for all kinds of colour
//! vision, made a little brighter since they lie on photographs.

use crate::{DefectClass, Region, Severity};

/// 8-bit sRGB.
pub(crate) type Rgb = [u8; 3];

pub(crate) const INK: Rgb = [236, 240, 243];
pub(crate) const FAINT: Rgb = [150, 161, 171];
pub(crate) const BACKGROUND: Rgb = [19, 23, 28];
pub(crate) const RAISED: Rgb = [41, 48, 56];
pub(crate) const CASING: Rgb = [12, 14, 17];
/// What tints and hatches area without coating.
pub const UNCOVERED: [u8; 3] = [255, 92, 77];
/// What hatches glare.
pub const GLARE: [u8; 3] = [186, 200, 214];

/// Every class, in the order of the legend.
pub(crate) const CLASSES: [DefectClass; 6] = [
    DefectClass::Rust,
    DefectClass::Crack,
    DefectClass::Blister,
    DefectClass::Flake,
    DefectClass::Streak,
    DefectClass::Bead,
];

/// The colour a class is outlined in.
#[must_use]
pub fn class_color(class: DefectClass) -> [u8; 3] {
    match class {
        DefectClass::Rust => [255, 159, 28],
        DefectClass::Crack => [92, 200, 255],
        DefectClass::Blister => [32, 214, 160],
        DefectClass::Flake => [250, 234, 80],
        DefectClass::Streak => [244, 130, 212],
        DefectClass::Bead => [98, 142, 255],
    }
}

pub(crate) fn class_name(class: DefectClass) -> &'static str {
    match class {
        DefectClass::Rust => "Rust",
        DefectClass::Crack => "Crack",
        DefectClass::Blister => "Blister",
        DefectClass::Flake => "Flake",
        DefectClass::Streak => "Streak",
        DefectClass::Bead => "Bead",
    }
}

pub(crate) fn severity_color(severity: Severity) -> Rgb {
    match severity {
        Severity::Low => [74, 201, 126],
        Severity::Medium => [255, 190, 61],
        Severity::High => [255, 104, 92],
    }
}

pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low severity",
        Severity::Medium => "Medium severity",
        Severity::High => "High severity",
    }
}

/// The class a region belongs to, if it is a defect.
pub(crate) fn class_of(region: Region) -> Option<DefectClass> {
    match region {
        Region::Rust => Some(DefectClass::Rust),
        Region::Crack => Some(DefectClass::Crack),
        Region::Blister => Some(DefectClass::Blister),
        Region::Flake => Some(DefectClass::Flake),
        Region::Streak => Some(DefectClass::Streak),
        Region::Bead => Some(DefectClass::Bead),
        Region::Outside | Region::Coat | Region::Uncovered | Region::Glare => None,
    }
}
