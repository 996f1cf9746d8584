//! The figures of a judgement from what was counted and measured.
//!
//! The severity follows ASTM D610 and ISO 4628; the two indices weigh area, evenness and number into 0 to 1.

use crate::{DefectClass, Severity};

/// What the indices are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// 0 to 100.
    pub coverage: f64,
    /// 0 to 1.
    pub edge_ratio: f64,
    /// Area of all defects, of the largest, of the largest rusty one, in percent of the valid area.
    pub defect_area: f64,
    pub largest: f64,
    pub largest_rust: f64,
    /// Uncovered area in percent of the valid area.
    pub uncovered: f64,
    /// Number of defects.
    pub count: usize,
    /// Longest crack as a share of the long side.
    pub longest_crack: f64,
    /// 95th percentile of ΔE from the background.
    pub delta_e_p95: f64,
    /// Noise of L* and range of the background's L*.
    pub sigma_lightness: f64,
    pub lightness_range: f64,
}

/// Share of sound pixels in percent, to 0.01 (the limit of ASTM D610 grade 10).
pub(super) fn coverage(sound: usize, valid: usize) -> f64 {
    if valid == 0 { 0.0 } else { (10_000.0 * sound as f64 / valid as f64).round() / 100.0 }
}

pub(super) fn severity(e: &Evidence) -> Severity {
    if e.defect_area > 3.0 || e.largest > 1.0 || e.largest_rust > 0.5 || e.uncovered > 5.0 {
        Severity::High
    } else if e.defect_area > 0.1 || e.count >= 10 || e.longest_crack > 0.1 {
        Severity::Medium
    } else {
        Severity::Low
    }
}

/// Coating visual index.
pub(super) fn cvi(e: &Evidence) -> f64 {
    let part = |value: f64, worst: f64| 1.0 - (value / worst).min(1.0);
    0.45 * (-e.defect_area / 3.0).exp()
        + 0.25 * part(e.delta_e_p95, 20.0)
        + 0.15 * part(e.sigma_lightness, 12.0)
        + 0.15 * part(e.lightness_range, 60.0)
}

/// Coating quality index.
pub(super) fn cqi(e: &Evidence) -> f64 {
    0.50 * e.coverage / 100.0
        + 0.20 * e.edge_ratio
        + 0.20 * (-(e.count as f64) / 20.0).exp()
        + 0.10 * (1.0 - (e.largest / 3.0).min(1.0))
}

/// The class that a pixel of this class is painted as.
pub(super) fn region(class: DefectClass) -> crate::Region {
    match class {
        DefectClass::Rust => crate::Region::Rust,
        DefectClass::Crack => crate::Region::Crack,
        DefectClass::Blister => crate::Region::Blister,
        DefectClass::Flake => crate::Region::Flake,
        DefectClass::Streak => crate::Region::Streak,
        DefectClass::Bead => crate::Region::Bead,
    }
}
