//! What a model is trained on, how, and who watches.

use std::time::Duration;

use crate::features::Description;

/// One labelled picture.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The picture as numbers, with its marked regions.
    pub description: Description,
    /// What it shows.
    pub label: String,
    /// What it belongs to: a part, a position, a capture run. Pictures of one group never stand on both sides of a
    /// test. Given for all pictures or for none; see [`crate::groups`] for what happens without.
    pub group: Option<String>,
    /// The name of its file, from which groups are inferred when none are given.
    pub name: String,
    /// When it was taken, in seconds since 1970, if known; groups are inferred from it when names say nothing.
    pub captured_at: Option<i64>,
}

/// How a model is trained and tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Of every random choice.
    pub seed: u64,
    /// Share of the pictures that is kept apart for the test, 0 (none) to 0.5; whole groups are kept apart.
    pub test_fraction: f64,
    /// Parts of the cross-validation, 2 to 20.
    pub folds: usize,
    /// After this time no further check is begun, and a model that is not there yet is an error.
    pub time_limit: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 0, test_fraction: 0.2, folds: 5, time_limit: None }
    }
}

/// What training is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Models are trained on parts of the pictures and tried on the rest.
    Evaluating,
    /// The model that is handed out is trained on all pictures.
    Training,
    /// Leaks and shortcuts are looked for.
    Checking,
}

impl Phase {
    /// The word for it: `evaluating`, `training`, `checking`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evaluating => "evaluating",
            Self::Training => "training",
            Self::Checking => "checking",
        }
    }
}

/// Somebody who is told how far training is, and may stop it. Called from several threads.
pub trait Watch: Sync {
    /// `done` of `total` steps of a phase are done.
    fn progress(&self, phase: Phase, done: usize, total: usize);
    /// Asked many times a second; once yes, training ends with [`crate::TrainError::Stopped`].
    fn should_stop(&self) -> bool;
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _: Phase, _: usize, _: usize) {}

    fn should_stop(&self) -> bool {
        false
    }
}
