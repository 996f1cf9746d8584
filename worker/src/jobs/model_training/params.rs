//! What a `model_training` job may be asked for.

use forgeos_core::JobError;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::data::TrainingData;
use crate::jobs::params::optional_id;

/// Most characters of the notes of a session.
const MAX_NOTES: usize = 10_000;
/// A training of more than a day is a mistake.
const MAX_TIME_LIMIT_SECONDS: u32 = 86_400;

/// Trains a model on labelled images. Exactly one of `training_session_id` and `data` says on which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelTraining {
    /// A row of `training_sessions`. One that is completed is trained anew.
    #[serde(default, deserialize_with = "optional_id")]
    pub training_session_id: Option<Uuid>,
    /// The labelled images; a row of `training_sessions` is made.
    #[serde(default)]
    pub data: Option<TrainingData>,
    /// Notes for that row.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    pub notes: Option<String>,
    /// How it is trained and tested.
    #[serde(default)]
    pub options: TrainingOptions,
}

/// How a model is trained and tested.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingOptions {
    /// The seed of every random choice: the same images with the same seed give the same model.
    pub seed: u64,
    /// The share of images kept apart for the test, 0 (none) to 0.5; whole groups are kept apart.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub test_fraction: f64,
    /// The parts of the cross-validation, 2 to 20.
    #[schemars(range(min = 2, max = 20))]
    pub folds: u32,
    /// How long reading and training may take, 1 to 86400 seconds; the job's own time limit holds besides.
    #[schemars(range(min = 1, max = 86_400))]
    pub time_limit_seconds: Option<u32>,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self { seed: 0, test_fraction: 0.2, folds: 5, time_limit_seconds: None }
    }
}

impl ModelTraining {
    pub(super) fn check(&self) -> Result<(), JobError> {
        match (&self.training_session_id, &self.data) {
            (Some(_), Some(_)) => {
                return Err(JobError::bad_params(
                    "both `training_session_id` and `data` are given; exactly one is allowed",
                ));
            }
            (None, None) => {
                return Err(JobError::bad_params("one of `training_session_id` and `data` is needed"));
            }
            (Some(_), None) if self.notes.is_some() => {
                return Err(JobError::bad_params("`notes` goes with `data`; a training session has its own"));
            }
            (Some(_), None) => {}
            (None, Some(data)) => data.check()?,
        }
        if self.notes.as_ref().is_some_and(|notes| notes.chars().count() > MAX_NOTES) {
            return Err(JobError::bad_params(format!("`notes` may have at most {MAX_NOTES} characters")));
        }
        self.options.check()
    }
}

impl TrainingOptions {
    fn check(&self) -> Result<(), JobError> {
        if !(0.0..=0.5).contains(&self.test_fraction) {
            return Err(JobError::bad_params("`options.test_fraction` must be from 0 to 0.5"));
        }
        if !(2..=20).contains(&self.folds) {
            return Err(JobError::bad_params("`options.folds` must be from 2 to 20"));
        }
        if self.time_limit_seconds.is_some_and(|limit| !(1..=MAX_TIME_LIMIT_SECONDS).contains(&limit)) {
            return Err(JobError::bad_params(format!(
                "`options.time_limit_seconds` must be from 1 to {MAX_TIME_LIMIT_SECONDS}"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn check(params: Value) -> Result<(), String> {
        crate::dispatch::decode_params::<ModelTraining>(Some(&params.to_string()))
            .and_then(|params| params.check())
            .map_err(|error| error.message)
    }

    #[test]
    fn a_session_or_data_is_needed_and_not_both() {
        let session = Uuid::from_u128(1);
        let data = json!({"images": [session, Uuid::from_u128(2)], "labels": ["good", "bad"]});
        assert_eq!(check(json!({"training_session_id": session})), Ok(()));
        assert_eq!(check(json!({"data": data, "notes": "ten panels"})), Ok(()));
        assert!(check(json!({"training_session_id": session, "data": data})).is_err());
        assert!(check(json!({"training_session_id": session, "notes": "x"})).is_err());
        assert!(check(json!({})).is_err());
    }

    #[test]
    fn options_have_ranges_that_their_errors_name() {
        for (options, words) in [
            (json!({"test_fraction": 0.6}), "`options.test_fraction` must be from 0 to 0.5"),
            (json!({"test_fraction": -0.1}), "from 0 to 0.5"),
            (json!({"folds": 1}), "`options.folds` must be from 2 to 20"),
            (json!({"folds": 21}), "from 2 to 20"),
            (json!({"time_limit_seconds": 0}), "`options.time_limit_seconds` must be from 1 to 86400"),
            (json!({"seed": -1}), "params.options.seed: must be a whole number"),
            (json!({"seed": "1"}), "params.options.seed"),
            (json!({"epochs": 3}), "unknown key `epochs`"),
        ] {
            let session = Uuid::from_u128(1);
            let error = check(json!({"training_session_id": session, "options": options})).unwrap_err();
            assert!(error.contains(words), "{options}: {error}");
        }
    }
}
