//! Trained models as a batch uses them: found by version, verified against the row of the file, loaded once a process.
//!
//! With an owner, a model of anybody else is as good as absent. A file is never trusted by itself: size and SHA-256 are
//! those that the training has written into `artifacts`.

use std::sync::Arc;

use forgeos_core::{
    ErrorCode, JobContext, JobError,
    compute::ComputeError,
    db::models::{self, StoredModel},
    error::in_one_line,
    storage::{Bucket, Key, StorageError},
};
use forgeos_learning::{Model, ModelError};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::patience::patiently;

/// Models that a process keeps: some megabytes each, and a worker serves few users at a time.
const KEPT: usize = 8;
/// A model file is some megabytes at most; a row that says more is not believed.
const MAX_MODEL_BYTES: u64 = 64 << 20;

/// A model that is ready to judge.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    /// What the job named.
    pub(crate) version: String,
    /// The model.
    pub(crate) model: Model,
}

/// The models that this process has loaded, the one used last at the end.
#[derive(Debug, Default)]
pub(crate) struct ModelShelf(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    artifact_id: Uuid,
    /// A later training may have replaced the file behind the same row.
    sha256: String,
    model: Arc<LoadedModel>,
}

impl ModelShelf {
    /// The model with this version, for the user of the job.
    pub(crate) async fn find(&self, ctx: &JobContext, version: &str) -> Result<Arc<LoadedModel>, JobError> {
        let stored = stored(ctx, version).await?;
        // Held while one is loaded, so that two batches do not load the same.
        let mut kept = self.0.lock().await;
        let at =
            kept.iter().position(|one| one.artifact_id == stored.artifact_id && one.sha256 == stored.sha256);
        if let Some(at) = at {
            let one = kept.remove(at);
            let model = Arc::clone(&one.model);
            kept.push(one);
            return Ok(model);
        }
        let model =
            Arc::new(LoadedModel { version: version.to_owned(), model: load(ctx, version, &stored).await? });
        kept.retain(|one| one.artifact_id != stored.artifact_id);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Kept { artifact_id: stored.artifact_id, sha256: stored.sha256, model: Arc::clone(&model) });
        Ok(model)
    }
}

async fn stored(ctx: &JobContext, version: &str) -> Result<StoredModel, JobError> {
    let mut session = ctx.db.session().await?;
    let mut found = models::find(&mut session, ctx.job.user_id, version).await?;
    session.finish().await?;
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(JobError::bad_params(format!(
            "`options.model_version`: several users have a model `{version}`; run the batch as one of them"
        ))),
        (None, _) => {
            Err(JobError::not_found(format!("`options.model_version`: there is no model `{version}`")))
        }
    }
}

async fn load(ctx: &JobContext, version: &str, stored: &StoredModel) -> Result<Model, JobError> {
    let damaged = |why: &str| {
        JobError::permanent(
            ErrorCode::DamagedModel,
            format!("the model `{version}` cannot be used: {why}; train it again"),
        )
    };
    let size = u64::try_from(stored.size_bytes).unwrap_or(u64::MAX);
    if size > MAX_MODEL_BYTES {
        return Err(damaged("its file is larger than any model"));
    }
    let key = Key::parse(stored.key.as_str()).map_err(|_| damaged("its file has no usable name"))?;
    let bytes = match patiently(|| ctx.storage.get_limited(Bucket::Models, &key, size)).await {
        Ok(bytes) => bytes,
        Err(StorageError::NotFound) => return Err(damaged("its file is gone")),
        Err(StorageError::TooLarge { .. }) => {
            return Err(damaged("its file is not the one that was written"));
        }
        Err(error) => return Err(error.into()),
    };
    let sha256 = stored.sha256.clone();
    let read = ctx
        .compute
        .run(move || {
            let whole = bytes.len() as u64 == size && hex::encode(Sha256::digest(&bytes)) == sha256;
            whole.then(|| Model::from_bytes(&bytes))
        })
        .await
        .map_err(broke_down)?;
    match read {
        None => Err(damaged("its file is not the one that was written")),
        Some(Ok(model)) => Ok(model),
        // These say themselves what to do.
        Some(Err(error @ (ModelError::OtherFormat { .. } | ModelError::OtherFeatures { .. }))) => {
            Err(JobError::permanent(ErrorCode::DamagedModel, format!("model `{version}`: {error}")))
        }
        Some(Err(error)) => Err(damaged(&in_one_line(&error.to_string(), 200))),
    }
}

fn broke_down(error: ComputeError) -> JobError {
    JobError::transient(ErrorCode::Internal, "the model could not be read; please report it").because(error)
}
