//! The rating of each class of defects by the standard that rates it, where a share of area is enough to give one.
//!
//! A rating speaks of the photograph only. Standards that rate by comparison with pictures (ISO 4628-2, -3, -4) get no
//! number here.

use serde::Serialize;

use super::figures::{Class, Figure, list_is_complete};
use crate::{
    language::words,
    model::{Language, Metrics},
};

/// Greatest share of rusted surface in percent for the grades 10 to 1 (ASTM D610, table of rust grades); more than the
/// last is grade 0.
const D610: [f64; 10] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 16.0, 33.0, 50.0];

/// Flaked area in percent for the quantity classes 1 to 5 (ISO 4628-5); none is class 0.
const FLAKING: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 15.0];

/// Rating of the defects of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grade {
    /// `rust`, `crack`, `blister`, `flake`, `streak` or `bead`.
    pub class: &'static str,
    /// Listed defects of the class.
    pub count: u64,
    /// Their area together, in percent of the judged area.
    pub area_percent: f64,
    /// The standard that rates this class, if there is one.
    pub standard: Option<&'static str>,
    /// `Rust grade 6`; `None` where the standard rates by comparison or there is none.
    pub rating: Option<String>,
    /// What the rating means and what it does not.
    pub note: String,
}

/// Rust grade 10 (best) to 0 by ASTM D610. `None` for what is no share.
#[must_use]
pub fn d610_grade(rusted_percent: f64) -> Option<u8> {
    (rusted_percent >= 0.0).then(|| D610.iter().filter(|limit| rusted_percent <= **limit).count() as u8)
}

/// Quantity class of flaking by ISO 4628-5: the lowest class whose area is not exceeded, 6 for more than class 5
/// names. `None` for what is no share.
#[must_use]
pub fn flaking_class(flaked_percent: f64) -> Option<u8> {
    if flaked_percent == 0.0 {
        return Some(0);
    }
    (flaked_percent > 0.0).then(|| 1 + FLAKING.iter().filter(|limit| flaked_percent > **limit).count() as u8)
}

/// One rating for each class that was found, in a fixed order. Empty when no list of defects was recorded.
#[must_use]
pub fn grades(metrics: &Metrics, language: Language) -> Vec<Grade> {
    let Some(defects) = metrics.defects.as_deref() else { return Vec::new() };
    Class::ALL
        .into_iter()
        .filter_map(|class| {
            let count = class.among(defects).count() as u64;
            (count > 0).then(|| {
                let area_percent = Figure::AreaOf(class).of(metrics).unwrap_or(0.0);
                grade(class, count, area_percent, language)
            })
        })
        .collect()
}

/// What all ratings that are numbers have in common, and what they do not tell. `None` where there are no such.
#[must_use]
pub fn grades_note(metrics: &Metrics, language: Language) -> Option<String> {
    let words = words(language);
    let rated = grades(metrics, language).iter().any(|grade| grade.rating.is_some());
    rated.then(|| match list_is_complete(metrics) {
        true => words.get("rating.as_seen").to_owned(),
        false => format!("{} {}", words.get("rating.as_seen"), words.get("rating.at_least")),
    })
}

fn grade(class: Class, count: u64, area_percent: f64, language: Language) -> Grade {
    let words = words(language);
    let numbered = |key, number: u8| words.fill(key, &[("grade", &number.to_string())]);
    let (standard, rating, note) = match class {
        Class::Rust => {
            let rating = d610_grade(area_percent).map(|grade| numbered("rating.rust_grade", grade));
            (Some("ASTM D610"), rating, "rating.rust_note")
        }
        Class::Flake => {
            let rating = flaking_class(area_percent).map(|class| match class {
                6.. => words.get("rating.flaking_beyond").to_owned(),
                class => numbered("rating.flaking", class),
            });
            (Some("ISO 4628-5"), rating, "rating.flake_note")
        }
        Class::Blister => (Some("ISO 4628-2"), None, "rating.blister_note"),
        Class::Crack => (Some("ISO 4628-4"), None, "rating.crack_note"),
        Class::Streak | Class::Bead => (None, None, "rating.no_standard_note"),
    };
    let note = words.get(note).to_owned();
    Grade { class: class.as_str(), count, area_percent, standard, rating, note }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Defect;

    #[test]
    fn rust_grades_change_just_above_the_limits_of_the_standard() {
        assert_eq!(d610_grade(0.0), Some(10));
        for (limit, grade) in [
            (0.01, 10),
            (0.03, 9),
            (0.1, 8),
            (0.3, 7),
            (1.0, 6),
            (3.0, 5),
            (10.0, 4),
            (16.0, 3),
            (33.0, 2),
            (50.0, 1),
        ] {
            assert_eq!(d610_grade(limit), Some(grade), "{limit}");
            assert_eq!(d610_grade(limit * 1.000_001), Some(grade - 1), "just above {limit}");
        }
        assert_eq!(d610_grade(100.0), Some(0));
        assert_eq!(d610_grade(f64::NAN), None);
    }

    #[test]
    fn flaking_classes_change_just_above_the_areas_of_the_standard() {
        for (area, class) in [(0.0, 0), (0.0001, 1), (0.1, 1), (0.3, 2), (1.0, 3), (3.0, 4), (15.0, 5)] {
            assert_eq!(flaking_class(area), Some(class), "{area}");
        }
        assert_eq!(flaking_class(0.100_1), Some(2));
        assert_eq!(flaking_class(15.1), Some(6));
        assert_eq!(flaking_class(f64::NAN), None);
    }

    fn found(classes: &[(&str, f64)], all: u64) -> Metrics {
        let defect = |&(class, area_percent): &(&str, f64)| Defect {
            class: class.to_owned(),
            x: 0,
            y: 0,
            width: 1,
            height: 1,
            area_percent,
            delta_e: 9.0,
        };
        Metrics {
            defects: Some(classes.iter().map(defect).collect()),
            defects_detected: Some(all),
            ..Metrics::default()
        }
    }

    #[test]
    fn each_class_found_is_rated_once_by_its_own_standard() {
        let metrics = found(&[("rust", 0.5), ("rust", 0.4), ("blister", 0.1), ("flake", 20.0)], 4);
        let grades = grades(&metrics, Language::No);
        let seen: Vec<_> =
            grades.iter().map(|g| (g.class, g.count, g.standard, g.rating.as_deref())).collect();
        assert_eq!(
            seen,
            [
                ("rust", 2, Some("ASTM D610"), Some("Rustgrad 6 (10 er best)")),
                ("flake", 1, Some("ISO 4628-5"), Some("Avflassing, ut over mengdeklasse 5")),
                ("blister", 1, Some("ISO 4628-2"), None),
            ]
        );
        let note = grades_note(&metrics, Language::No).unwrap_or_default();
        assert!(note.contains("fotografiet") && !note.contains("ikke fullstendig"), "{note}");
        assert_eq!(grades_note(&found(&[("blister", 0.1)], 1), Language::No), None);
    }

    #[test]
    fn a_list_that_was_cut_says_so() {
        let note = grades_note(&found(&[("rust", 0.5)], 300), Language::En).unwrap_or_default();
        assert!(note.contains("may be larger"), "{note}");
    }
}
