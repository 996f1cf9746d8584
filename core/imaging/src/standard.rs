//! Placeholder: the standard profile.

use crate::{Judgement, Picture, Profile, Region, RegionMap, Sensitivity, Severity};

/// Measures one picture.
#[must_use]
pub fn judge(picture: &Picture, _sensitivity: Sensitivity) -> Judgement {
    Judgement {
        profile: Profile::Standard,
        width: picture.width,
        height: picture.height,
        cvi: 0.0,
        cqi: 0.0,
        coverage_percent: 0.0,
        edge_coverage_ratio: 0.0,
        defects_detected: 0,
        severity: Severity::Low,
        confidence: 0.0,
        roi_percent: 0.0,
        defects: Vec::new(),
        regions: RegionMap { width: 1, height: 1, cells: vec![Region::Coat] },
    }
}
