//! How well a model does on pictures that it has not seen, and how sure that is.

pub(crate) mod curves;
pub(crate) mod figures;
mod intervals;
mod ranking;

use serde::Serialize;

pub use figures::{Figures, Interval, Intervals, LabelFigures};

use crate::groups::GroupSource;

/// What is known of a model. Shapes follow the contract of `accuracy_metrics`: the first five figures are those of the
/// cross-validation by groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Share of pictures that were labelled right.
    pub accuracy: f64,
    /// Of the pictures that were given the positive label, the share that have it; without a positive label the mean
    /// over the labels.
    pub precision: f64,
    /// Of the pictures that have the positive label, the share that were given it; without one the mean.
    pub recall: f64,
    /// The harmonic mean of both; without a positive label the mean over the labels.
    pub f1_score: f64,
    /// Rows are what pictures show, columns what they were given, in the order of `labels`.
    pub confusion_matrix: Vec<Vec<u32>>,
    /// The words.
    pub labels: Vec<String>,
    /// The label that `precision` and `recall` speak of, when there are two and one is a word for what is good.
    pub positive_label: Option<String>,
    /// Pictures of each label that the figures here are of, in the order of `labels`; those kept apart are not counted.
    pub support: Vec<u32>,
    /// Accuracy of always giving the most frequent label.
    pub baseline_accuracy: f64,
    /// 95 % intervals of the figures above.
    pub intervals: Intervals,
    /// Every picture judged by a model that saw no picture of its group.
    pub cross_validation: Figures,
    /// Pictures that took no part in any choice, judged once.
    pub hold_out: Option<Figures>,
    /// How the pictures were parted.
    pub split: Split,
    /// The learners that were chosen.
    pub learners: String,
    /// What was tried to find leaks and shortcuts.
    pub checks: Checks,
    /// What a reader must know before believing the figures; sentences.
    pub warnings: Vec<String>,
}

/// How pictures were parted for the tests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Split {
    /// From what the groups are known.
    pub groups_from: GroupSource,
    /// Number of groups.
    pub groups: usize,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Pictures in the cross-validation.
    pub pictures: usize,
    /// Pictures kept apart.
    pub held_out_pictures: usize,
    /// Groups kept apart.
    pub held_out_groups: usize,
    /// Of every random choice.
    pub seed: u64,
}

/// Accuracies that should differ, or should not. Absent when there was no time, or nothing to compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Checks {
    /// With parts that do not respect groups, balanced over the labels.
    pub random_folds_accuracy: Option<f64>,
    /// The same learners with groups kept together, balanced over the labels.
    pub group_folds_accuracy: Option<f64>,
    /// With brightness and colour alone, balanced over the labels.
    pub tone_only_accuracy: Option<f64>,
}
