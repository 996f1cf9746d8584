//! `model_training`: its params are read and checked; the work itself is not there yet.

use forgeos_core::{ErrorCode, Job, JobContext, JobError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::params::optional_id;

/// Trains a model on labelled images. Exactly one of `training_session_id` and `data` says on which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelTraining {
    /// A row of `training_sessions`.
    #[serde(default, deserialize_with = "optional_id")]
    pub training_session_id: Option<Uuid>,
    /// The labelled images; a row of `training_sessions` is made.
    #[serde(default)]
    pub data: Option<TrainingData>,
    /// Notes for that row.
    #[serde(default)]
    pub notes: Option<String>,
    /// How it is trained and tested.
    #[serde(default)]
    pub options: TrainingOptions,
}

/// Labelled images, the lists in the same order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// The images.
    pub images: Vec<String>,
    /// The label of each image; two different words at least.
    pub labels: Vec<String>,
    /// Marks on the images, kept as they are.
    #[serde(default)]
    pub annotations: Option<Value>,
    /// What each image belongs to (a part, a day): no group is split between training and test.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
}

/// How a model is trained and tested.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingOptions {
    /// The seed of every random choice.
    pub seed: u64,
    /// The share of images kept apart for the test, above 0 and below 1.
    pub test_fraction: f64,
    /// The parts of the cross-validation, 2 to 20.
    pub folds: u32,
    /// When to stop with what has been found.
    pub time_limit_seconds: Option<u32>,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self { seed: 0, test_fraction: 0.2, folds: 5, time_limit_seconds: None }
    }
}

/// `jobs.results` of a `model_training` job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TrainingResults {
    /// The row of `training_sessions`.
    pub training_session_id: Uuid,
    /// What a `batch_analysis` may name.
    pub model_version: String,
    /// As in `training_sessions.accuracy_metrics`.
    pub accuracy_metrics: Value,
    /// The rows of `artifacts`.
    pub artifacts: Vec<Uuid>,
}

impl Job for ModelTraining {
    const NAME: &'static str = "model_training";
    type Results = TrainingResults;

    fn validate(&self) -> Result<(), JobError> {
        match (&self.training_session_id, &self.data) {
            (Some(_), Some(_)) => Err(JobError::bad_params(
                "both `training_session_id` and `data` are given; exactly one is allowed",
            )),
            (None, None) => Err(JobError::bad_params("one of `training_session_id` and `data` is needed")),
            (Some(_), None) if self.notes.is_some() => {
                Err(JobError::bad_params("`notes` goes with `data`; a training session has its own"))
            }
            (_, data) => {
                data.as_ref().map_or(Ok(()), TrainingData::check)?;
                self.options.check()
            }
        }
    }

    async fn run(&self, _ctx: &JobContext) -> Result<TrainingResults, JobError> {
        Err(JobError::permanent(
            ErrorCode::NotImplemented,
            "model_training is not implemented in this version of the worker yet",
        ))
    }
}

impl TrainingData {
    fn check(&self) -> Result<(), JobError> {
        if self.images.is_empty() {
            return Err(JobError::bad_params("`data.images` is empty"));
        }
        if self.labels.len() != self.images.len() {
            return Err(JobError::bad_params(format!(
                "`data.labels` has {} entries for {} images; one for each is needed",
                self.labels.len(),
                self.images.len()
            )));
        }
        if self.labels.iter().all(|label| Some(label) == self.labels.first()) {
            return Err(JobError::bad_params("`data.labels` has only one word; two or more are needed"));
        }
        match &self.groups {
            Some(groups) if groups.len() != self.images.len() => Err(JobError::bad_params(format!(
                "`data.groups` has {} entries for {} images; one for each is needed",
                groups.len(),
                self.images.len()
            ))),
            _ => Ok(()),
        }
    }
}

impl TrainingOptions {
    fn check(&self) -> Result<(), JobError> {
        if !(self.test_fraction > 0.0 && self.test_fraction < 1.0) {
            return Err(JobError::bad_params("`options.test_fraction` must be above 0 and below 1"));
        }
        if !(2..=20).contains(&self.folds) {
            return Err(JobError::bad_params("`options.folds` must be from 2 to 20"));
        }
        if self.time_limit_seconds == Some(0) {
            return Err(JobError::bad_params("`options.time_limit_seconds` must be at least 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn check(params: Value) -> Result<(), JobError> {
        crate::dispatch::decode_params::<ModelTraining>(Some(&params.to_string()))?.validate()
    }

    #[test]
    fn labels_fit_their_images() {
        assert!(check(json!({"training_session_id": Uuid::from_u128(1)})).is_ok());
        assert!(check(json!({"data": {"images": ["a", "b"], "labels": ["good", "bad"]}})).is_ok());
        assert!(check(json!({"data": {"images": ["a", "b"], "labels": ["good"]}})).is_err());
        assert!(check(json!({"data": {"images": ["a", "b"], "labels": ["good", "good"]}})).is_err());
        assert!(check(json!({})).is_err());
        let options = json!({"test_fraction": 1.0});
        assert!(check(json!({"training_session_id": Uuid::from_u128(1), "options": options})).is_err());
    }
}
