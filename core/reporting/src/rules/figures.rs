//! The figures that a rule may ask for, by name, and how each is read from the metrics and written in a text.

use crate::{
    language::{decimal, index, integer, share, share_covered},
    model::{Defect, Language, Metrics},
};

/// A number that a condition compares or a text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// `analyses.metrics.cqi`, 0 to 1.
    Cqi,
    /// `analyses.metrics.cvi`, 0 to 1.
    Cvi,
    /// 0 to 100.
    CoveragePercent,
    /// 0 to 1.
    EdgeCoverageRatio,
    /// Number of defects.
    DefectsDetected,
    /// 0 to 1.
    Confidence,
    /// Share of the picture that was judged, 0 to 100.
    RoiPercent,
    /// Listed defects together, percent of the judged area.
    DefectAreaPercent,
    /// The largest defect, percent of the judged area.
    LargestDefectPercent,
    /// Neither covered nor defective, percent of the judged area; in profile `standard` with a complete list only.
    UncoveredPercent,
    /// Longer side of the longest crack's box, percent of the picture's longer side.
    LongestCrackPercent,
    /// See [`crate::model::Capture`].
    GlarePercent,
    /// See [`crate::model::Capture`].
    ClippedPercent,
    /// See [`crate::model::Capture`].
    Sharpness,
    /// See [`crate::model::Capture`].
    LightingEvenness,
    /// Listed defects of one class together, percent of the judged area.
    AreaOf(Class),
    /// The largest listed defect of one class, percent of the judged area.
    LargestOf(Class),
    /// Number of listed defects of one class.
    CountOf(Class),
}

/// A class of defects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Rust coloured.
    Rust,
    /// Long and thin.
    Crack,
    /// Round.
    Blister,
    /// A patch.
    Flake,
    /// A streak or a group of them.
    Streak,
    /// A drop.
    Bead,
}

impl Class {
    /// In the order in which reports speak of them.
    pub const ALL: [Self; 6] =
        [Self::Rust, Self::Flake, Self::Blister, Self::Crack, Self::Streak, Self::Bead];

    /// The word in the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Crack => "crack",
            Self::Blister => "blister",
            Self::Flake => "flake",
            Self::Streak => "streak",
            Self::Bead => "bead",
        }
    }

    /// The defects of this class in a list.
    pub fn among(self, defects: &[Defect]) -> impl Iterator<Item = &Defect> {
        defects.iter().filter(move |defect| defect.class == self.as_str())
    }
}

const PLAIN: [(&str, Figure); 15] = [
    ("cqi", Figure::Cqi),
    ("cvi", Figure::Cvi),
    ("coverage_percent", Figure::CoveragePercent),
    ("edge_coverage_ratio", Figure::EdgeCoverageRatio),
    ("defects_detected", Figure::DefectsDetected),
    ("confidence", Figure::Confidence),
    ("roi_percent", Figure::RoiPercent),
    ("defect_area_percent", Figure::DefectAreaPercent),
    ("largest_defect_percent", Figure::LargestDefectPercent),
    ("uncovered_percent", Figure::UncoveredPercent),
    ("longest_crack_percent", Figure::LongestCrackPercent),
    ("glare_percent", Figure::GlarePercent),
    ("clipped_percent", Figure::ClippedPercent),
    ("sharpness", Figure::Sharpness),
    ("lighting_evenness", Figure::LightingEvenness),
];

impl Figure {
    /// The figure of that name: a plain one, or `{class}_area_percent`, `{class}_largest_percent`, `{class}_count`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Some((_, figure)) = PLAIN.iter().find(|(known, _)| *known == name) {
            return Some(*figure);
        }
        let (class, rest) = name.split_once('_')?;
        let class = Class::ALL.into_iter().find(|known| known.as_str() == class)?;
        match rest {
            "area_percent" => Some(Self::AreaOf(class)),
            "largest_percent" => Some(Self::LargestOf(class)),
            "count" => Some(Self::CountOf(class)),
            _ => None,
        }
    }

    /// All names, for a message.
    pub(super) fn names() -> String {
        let plain = PLAIN.map(|(name, _)| format!("`{name}`")).join(", ");
        let classes = Class::ALL.map(Class::as_str).join("|");
        format!("{plain}, `CLASS_area_percent`, `CLASS_largest_percent`, `CLASS_count` with CLASS {classes}")
    }

    /// The value; `None` when it was not measured or is no finite number.
    #[must_use]
    pub fn of(self, metrics: &Metrics) -> Option<f64> {
        let defects = metrics.defects.as_deref();
        let capture = metrics.capture.as_ref();
        let value = match self {
            Self::Cqi => metrics.cqi,
            Self::Cvi => metrics.cvi,
            Self::CoveragePercent => metrics.coverage_percent,
            Self::EdgeCoverageRatio => metrics.edge_coverage_ratio,
            Self::DefectsDetected => metrics.defects_detected.map(|count| count as f64),
            Self::Confidence => metrics.confidence,
            Self::RoiPercent => metrics.roi_percent,
            Self::DefectAreaPercent => defects.map(|all| area(all.iter())),
            Self::LargestDefectPercent => defects.map(|all| largest(all.iter())),
            Self::UncoveredPercent => uncovered(metrics),
            Self::LongestCrackPercent => longest_crack(metrics),
            Self::GlarePercent => capture.and_then(|capture| capture.glare_percent),
            Self::ClippedPercent => capture.and_then(|capture| capture.clipped_percent),
            Self::Sharpness => capture.and_then(|capture| capture.sharpness),
            Self::LightingEvenness => capture.and_then(|capture| capture.lighting_evenness),
            Self::AreaOf(class) => defects.map(|all| area(class.among(all))),
            Self::LargestOf(class) => defects.map(|all| largest(class.among(all))),
            Self::CountOf(class) => defects.map(|all| class.among(all).count() as f64),
        };
        value.filter(|value| value.is_finite())
    }

    /// A value of this figure as it stands in a text.
    #[must_use]
    pub fn written(self, language: Language, value: f64) -> String {
        match self {
            Self::Cqi
            | Self::Cvi
            | Self::EdgeCoverageRatio
            | Self::Confidence
            | Self::Sharpness
            | Self::LightingEvenness => index(language, value),
            Self::CoveragePercent => share_covered(language, value),
            Self::DefectsDetected | Self::CountOf(_) if value >= 0.0 => integer(language, value as u64),
            Self::DefectsDetected | Self::CountOf(_) => decimal(language, value, 0),
            _ => share(language, value),
        }
    }
}

/// Whether the list holds every defect that was counted.
pub(super) fn list_is_complete(metrics: &Metrics) -> bool {
    let listed = metrics.defects.as_ref().map(Vec::len);
    matches!((listed, metrics.defects_detected), (Some(listed), Some(all)) if listed as u64 >= all)
}

fn area<'a>(defects: impl Iterator<Item = &'a Defect>) -> f64 {
    defects.map(|defect| defect.area_percent).filter(|area| area.is_finite()).sum::<f64>() + 0.0
}

fn largest<'a>(defects: impl Iterator<Item = &'a Defect>) -> f64 {
    defects.map(|defect| defect.area_percent).filter(|area| area.is_finite()).fold(0.0, f64::max)
}

/// Profile `reference` defines coverage in another way, so that nothing can be taken from it.
fn uncovered(metrics: &Metrics) -> Option<f64> {
    if metrics.profile.as_deref() != Some("standard") || !list_is_complete(metrics) {
        return None;
    }
    let rest = 100.0 - metrics.coverage_percent? - area(metrics.defects.as_deref()?.iter());
    // Both terms are rounded.
    Some(if rest < 0.02 { 0.0 } else { rest })
}

fn longest_crack(metrics: &Metrics) -> Option<f64> {
    let side = metrics.width?.max(metrics.height?);
    let longest = Class::Crack
        .among(metrics.defects.as_deref()?)
        .map(|crack| crack.width.max(crack.height))
        .max()
        .unwrap_or(0);
    (side > 0).then(|| 100.0 * f64::from(longest) / f64::from(side))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn defect(class: &str, area_percent: f64, width: u32) -> Defect {
        Defect { class: class.into(), x: 0, y: 0, width, height: 2, area_percent, delta_e: 9.0 }
    }

    #[test]
    fn figures_are_taken_from_the_list_of_defects() {
        let metrics = Metrics {
            profile: Some("standard".into()),
            coverage_percent: Some(90.0),
            defects_detected: Some(3),
            width: Some(400),
            height: Some(1000),
            defects: Some(vec![
                defect("rust", 2.0, 20),
                defect("rust", 1.0, 20),
                defect("crack", f64::NAN, 150),
            ]),
            ..Metrics::default()
        };
        let value = |name| Figure::named(name).unwrap().of(&metrics);
        assert_eq!(value("rust_area_percent"), Some(3.0));
        assert_eq!(value("rust_largest_percent"), Some(2.0));
        assert_eq!(value("crack_count"), Some(1.0));
        assert_eq!(value("bead_count"), Some(0.0));
        assert_eq!(value("longest_crack_percent"), Some(15.0));
        assert_eq!(value("uncovered_percent"), Some(7.0));
        assert_eq!(value("glare_percent"), None);
        assert_eq!(Figure::named("mould_count"), None);
    }

    #[test]
    fn nothing_is_said_of_uncovered_area_when_it_cannot_be_known() {
        let mut metrics = Metrics {
            profile: Some("standard".into()),
            coverage_percent: Some(90.0),
            defects_detected: Some(2),
            defects: Some(vec![defect("rust", 1.0, 2)]),
            ..Metrics::default()
        };
        assert_eq!(Figure::UncoveredPercent.of(&metrics), None, "the list is cut");
        metrics.defects_detected = Some(1);
        assert_eq!(Figure::UncoveredPercent.of(&metrics), Some(9.0));
        metrics.profile = Some("reference".into());
        assert_eq!(Figure::UncoveredPercent.of(&metrics), None, "another definition");
    }
}
