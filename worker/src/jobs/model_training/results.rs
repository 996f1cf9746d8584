//! What a `model_training` job answers.

use forgeos_core::{
    JobContext,
    db::{models::TrainingFile, training::TrainedSession},
    storage::{Bucket, Key},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// `jobs.results` of a `model_training` job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TrainingResults {
    /// The row of `training_sessions`.
    pub training_session_id: Uuid,
    /// What a `batch_analysis` may name.
    pub model_version: String,
    /// As in `training_sessions.accuracy_metrics`.
    pub accuracy_metrics: Value,
    /// The model, then the curves of its evaluation.
    pub artifacts: Vec<TrainingArtifact>,
}

/// A file of a training; its row of `artifacts`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TrainingArtifact {
    /// The row.
    pub artifact_id: Uuid,
    /// `model` or `model_plot`.
    pub kind: String,
    /// The version of a model, or what a plot shows.
    pub name: String,
    /// Where it lies.
    pub bucket: String,
    /// Its name there.
    pub key: String,
    /// Where it is reached; carries no signature.
    pub url: String,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl TrainingResults {
    pub(super) fn of(ctx: &JobContext, trained: TrainedSession, files: Vec<TrainingFile>) -> Self {
        let artifact = |file: TrainingFile| {
            let url = Key::parse(file.key.as_str()).map(|key| ctx.storage.url(Bucket::Models, &key));
            TrainingArtifact {
                artifact_id: file.artifact_id,
                kind: file.kind,
                name: file.item,
                bucket: Bucket::Models.as_str().to_owned(),
                url: url.unwrap_or_default(),
                key: file.key,
                size_bytes: file.size_bytes,
                sha256: file.sha256,
            }
        };
        Self {
            training_session_id: trained.id,
            model_version: trained.model_version,
            accuracy_metrics: trained.accuracy_metrics,
            artifacts: files.into_iter().map(artifact).collect(),
        }
    }
}
