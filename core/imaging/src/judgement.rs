//! What a measurement says about one photograph, whichever profile made it.

use serde::{Deserialize, Serialize};

use crate::Picture;

/// How small a deviation counts as a defect. Changes detection only, never the cut-offs of [`Severity`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Only what is plain to see.
    Low,
    /// The default.
    #[default]
    Medium,
    /// Also what is faint or tiny.
    High,
}

/// Which definition of the indices is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Local, perceptual, finds the panel first: see [`crate::standard`].
    #[default]
    Standard,
    /// The platform's global colour and texture statistics: see [`crate::reference`]. `cvi`, `cqi` and
    /// `coverage_percent` are those; the other figures come from the standard profile.
    Reference,
}

/// How bad the coating is, by the area cut-offs of ASTM D610 and ISO 4628-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing that calls for action.
    Low,
    /// To be watched or touched up.
    Medium,
    /// To be repaired.
    High,
}

/// What a defect looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefectClass {
    /// Rust coloured (ISO 4628-3).
    Rust,
    /// Long and thin (ISO 4628-4).
    Crack,
    /// Round (ISO 4628-2): a blister, a pit, a pinhole.
    Blister,
    /// A patch that has come off or differs in colour (ISO 4628-5).
    Flake,
    /// A streak or high spot of a film; parallel ones count as one group.
    Streak,
    /// A drop or bead with a highlight of its own.
    Bead,
}

/// A box in pixels of the upright source picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// One defect, in pixels of the upright source picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Defect {
    /// What it looks like.
    pub class: DefectClass,
    /// The smallest box around it.
    pub bounds: Rect,
    /// Share of the judged area, in percent.
    pub area_percent: f64,
    /// Mean colour distance to its surroundings, CIE 1976 ΔE.
    pub delta_e: f32,
}

/// How well the photograph was taken: each says how far the figures can be trusted, none says anything of the coating.
/// Where nothing could be judged all are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// Share of the panel that glare or mirrored lamps hide, in percent: that part is in no figure.
    /// `100 glare / judged`, in pixels of the work image.
    pub glare_percent: f64,
    /// Share of the judged area that is black or white to the limit (brightest channel at most 5 or at least 250 of
    /// 255), in percent; glare is white and counts. `100 clipped / judged`.
    pub clipped_percent: f64,
    /// 0 (blurred) to 1 (sharp): `smooth(0.02, 0.12, d / (d + v))`, where d is the median variance of what a 3x3 mean
    /// takes away from L*, v the median variance that is left, both within blocks of 16 pixels of the work image, and
    /// `smooth` the cubic step. Where hardly anything varies (`d + v < 0.12`) there is nothing to focus on, and it
    /// lies between 0.43 (not even grain) and 0.86 (grain): `(3 + 3 smooth(0.005, 0.025, d)) / 7`.
    pub sharpness: f64,
    /// 0 (the light ramps by 60 L* or more) to 1 (even): `1 - min(1, range / 60)`, where range is what lies between the
    /// 2nd and the 98th percentile of the expected L* over the panel. A shaded or curved panel is uneven too.
    pub lighting_evenness: f64,
}

/// What a pixel of the work image was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Region {
    /// Floor, tape, hands, gaps: not part of the panel, not judged.
    Outside = 0,
    /// Coating without a finding.
    Coat = 1,
    /// Substrate or area that the film does not cover.
    Uncovered = 2,
    /// Glare, mirrored lamps: part of the panel that cannot be judged.
    Glare = 3,
    /// Inside the defect of that class.
    Rust = 4,
    /// See [`DefectClass::Crack`].
    Crack = 5,
    /// See [`DefectClass::Blister`].
    Blister = 6,
    /// See [`DefectClass::Flake`].
    Flake = 7,
    /// See [`DefectClass::Streak`].
    Streak = 8,
    /// See [`DefectClass::Bead`].
    Bead = 9,
}

/// A [`Region`] for every pixel of the work image, which is the source scaled down to a long side of at most
/// 1600 pixels: `cells.len() == width * height`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionMap {
    /// Columns of the work image.
    pub width: u32,
    /// Rows of the work image.
    pub height: u32,
    /// Row by row from the top.
    pub cells: Vec<Region>,
}

/// The figures of one photograph, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Which definition the indices follow.
    pub profile: Profile,
    /// Columns of the upright source picture.
    pub width: u32,
    /// Rows of the upright source picture.
    pub height: u32,
    /// Coating visual index, 0 to 1.
    pub cvi: f64,
    /// Coating quality index, 0 to 1.
    pub cqi: f64,
    /// Covered share of the judged area, 0 to 100.
    pub coverage_percent: f64,
    /// Coverage of the margin over that of the interior, 0 to 1.
    pub edge_coverage_ratio: f64,
    /// Number of defects; parallel streaks are one.
    pub defects_detected: u32,
    /// By area, size and number.
    pub severity: Severity,
    /// How far the figures may be trusted, 0 to 1.
    pub confidence: f64,
    /// Share of the picture that was judged, 0 to 100.
    pub roi_percent: f64,
    /// How well the photograph was taken.
    pub capture: Capture,
    /// The defects, largest first.
    pub defects: Vec<Defect>,
    /// What every pixel was taken for.
    pub regions: RegionMap,
}

/// What the caller may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// How small a deviation counts.
    pub sensitivity: Sensitivity,
    /// Which definition of the indices.
    pub profile: Profile,
}

/// Measures one picture. The reference profile replaces `cvi`, `cqi` and `coverage_percent` of the standard one.
#[must_use]
pub fn judge(picture: &Picture, options: Options) -> Judgement {
    let mut judgement = crate::standard::judge(picture, options.sensitivity);
    if options.profile == Profile::Reference {
        let indices = crate::reference::measure(picture);
        judgement.profile = Profile::Reference;
        judgement.cvi = indices.cvi;
        judgement.cqi = indices.cqi;
        judgement.coverage_percent = 100.0 * indices.coverage;
    }
    judgement
}
