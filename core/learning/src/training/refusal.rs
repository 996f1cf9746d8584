//! What cannot be trained on, said before any time is spent.

use std::collections::BTreeMap;

use super::Lesson;
use crate::folds;
use crate::groups::GroupSource;
use crate::sample::{Options, Sample};

/// Pictures of a label that training needs.
pub const FEWEST_PER_LABEL: usize = 10;
/// Pictures that are trained on at most.
pub const MOST_SAMPLES: usize = 10_000;
/// Different labels at most.
pub(crate) const MOST_LABELS: usize = 32;
/// Length of a label at most, in bytes.
pub(crate) const MOST_LABEL_BYTES: usize = 256;

/// Why there is no model.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum TrainError {
    /// A label has too few pictures.
    #[error("a class needs at least {FEWEST_PER_LABEL} images: {counts}")]
    TooFewImages {
        /// Every label with its number of pictures.
        counts: String,
    },
    /// All pictures have the same label, or there are none.
    #[error("training needs at least 2 different labels, there is {found}")]
    OneLabel {
        /// Number of labels.
        found: usize,
    },
    /// More labels than are told apart.
    #[error("training takes at most {MOST_LABELS} different labels, there are {found}")]
    TooManyLabels {
        /// Number of labels.
        found: usize,
    },
    /// A label without letters, or too long.
    #[error("a label must have 1 to {MOST_LABEL_BYTES} bytes")]
    BadLabel,
    /// More pictures than are trained on.
    #[error("training takes at most {MOST_SAMPLES} images, there are {found}")]
    TooManyImages {
        /// Number of pictures.
        found: usize,
    },
    /// All pictures of a label belong to one of the groups that the caller named.
    #[error(
        "all images of `{label}` belong to one group; a fair test needs at least 2 groups of every label"
    )]
    OneGroup {
        /// The label.
        label: String,
    },
    /// An option out of its range.
    #[error("`{option}` must be {allowed}")]
    BadOption {
        /// Its name.
        option: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The watch said stop.
    #[error("training was stopped")]
    Stopped,
    /// The time limit came before the model was there.
    #[error("the time limit was reached before the model was trained; allow more time or use fewer images")]
    TimeLimit,
}

/// Checks samples and options, but not yet groups.
pub(super) fn check(samples: &[Sample], options: &Options) -> Result<(), TrainError> {
    if !(2..=20).contains(&options.folds) {
        return Err(TrainError::BadOption { option: "folds", allowed: "2 to 20" });
    }
    if !(0.0..=0.5).contains(&options.test_fraction) {
        return Err(TrainError::BadOption { option: "test_fraction", allowed: "0 to 0.5" });
    }
    if samples.len() > MOST_SAMPLES {
        return Err(TrainError::TooManyImages { found: samples.len() });
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    samples.iter().for_each(|s| *counts.entry(&s.label).or_default() += 1);
    if counts.keys().any(|label| label.trim().is_empty() || label.len() > MOST_LABEL_BYTES) {
        return Err(TrainError::BadLabel);
    }
    if counts.len() < 2 {
        return Err(TrainError::OneLabel { found: counts.len() });
    }
    if counts.len() > MOST_LABELS {
        return Err(TrainError::TooManyLabels { found: counts.len() });
    }
    if counts.values().any(|&n| n < FEWEST_PER_LABEL) {
        let list: Vec<String> = counts.iter().map(|(label, n)| format!("`{label}` has {n}")).collect();
        return Err(TrainError::TooFewImages { counts: list.join(", ") });
    }
    Ok(())
}

/// Refuses groups that leave no fair test; only a caller's groups can, guessed ones are not used then.
pub(super) fn check_groups(lesson: &Lesson<'_>) -> Result<(), TrainError> {
    if lesson.groups.source != GroupSource::Given {
        return Ok(());
    }
    let alone = (0..lesson.labels.len())
        .find(|&class| folds::groups_of(&lesson.classes, &lesson.groups.of, class) < 2);
    match alone {
        Some(class) => Err(TrainError::OneGroup { label: lesson.labels[class].clone() }),
        None => Ok(()),
    }
}
