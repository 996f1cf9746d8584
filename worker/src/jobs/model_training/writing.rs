//! The files of a training and the rows that make them count.
//!
//! Files are put first; then one transaction under the fence writes their rows and completes the session. An attempt
//! that dies before that has replaced nothing.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use forgeos_core::{
    ErrorCode, JobContext, JobError,
    db::{
        DbError,
        artifacts::{self, NewArtifact},
        models::{MODEL_KIND, PLOT_KIND},
        training::{self, OpenSession, TrainedSession},
    },
    storage::{Bucket, Key, StorageError, StoredObject},
};
use forgeos_learning::{Evaluation, Trained};
use serde_json::{Value, json};
use uuid::Uuid;

use super::gallery::Gallery;
use crate::jobs::patience::{TRIES, patiently, pause};

/// The extension of model files.
const MODEL_EXTENSION: &str = "model";
/// Their MIME type: a format of one's own.
const MODEL_MIME: &str = "application/octet-stream";
/// Images that the figures list as left out; all of them are counted.
const MAX_LEFT_OUT: usize = 100;

/// A file in the store that no row points to yet.
#[derive(Debug)]
pub(super) struct Put {
    kind: &'static str,
    item: String,
    mime: &'static str,
    key: Key,
    object: StoredObject,
}

/// `{yyyymmdd}-{session id}`, the day in UTC.
pub(super) fn version_of(day: DateTime<Utc>, session: Uuid) -> String {
    format!("{}-{session}", day.format("%Y%m%d"))
}

/// `training_sessions.accuracy_metrics`.
pub(super) fn metrics_of(evaluation: &Evaluation, gallery: &Gallery) -> Result<Value, JobError> {
    let mut metrics = serde_json::to_value(evaluation).map_err(|error| {
        JobError::permanent(ErrorCode::Internal, "the evaluation could not be written as JSON").because(error)
    })?;
    if let Some(warning) = gallery.warning() {
        if let Some(warnings) = metrics.get_mut("warnings").and_then(Value::as_array_mut) {
            warnings.push(json!(warning));
        }
        metrics["left_out"] = json!(&gallery.left_out[..gallery.left_out.len().min(MAX_LEFT_OUT)]);
    }
    metrics["images"] = json!(gallery.described);
    metrics["images_left_out"] = json!(gallery.left_out.len());
    Ok(metrics)
}

/// Puts the model and its curves into bucket `models`.
pub(super) async fn put(ctx: &JobContext, version: &str, trained: Trained) -> Result<Vec<Put>, JobError> {
    let Trained { model, plots, .. } = trained;
    let total = plots.len() as u64 + 1;
    ctx.progress.set("writing", 0, total);
    let model = Bytes::from(model.to_bytes());
    let mut files = vec![put_one(ctx, (MODEL_KIND, version, MODEL_EXTENSION, MODEL_MIME), model).await?];
    for plot in plots {
        ctx.progress.set("writing", files.len() as u64, total);
        let what = (PLOT_KIND, plot.name, plot.extension, plot.media_type);
        files.push(put_one(ctx, what, plot.bytes.into()).await?);
    }
    Ok(files)
}

async fn put_one(
    ctx: &JobContext,
    (kind, item, extension, mime): (&'static str, &str, &str, &'static str),
    bytes: Bytes,
) -> Result<Put, JobError> {
    let lease = ctx.lease();
    let key = Key::of_job(&ctx.job.owner_folder(), lease.job, lease.attempt, item, extension)
        .map_err(|why| JobError::permanent(ErrorCode::Internal, why.to_string()))?;
    let object =
        patiently(|| ctx.storage.put(Bucket::Models, &key, bytes.clone(), mime)).await.map_err(in_writing)?;
    Ok(Put { kind, item: item.to_owned(), mime, key, object })
}

/// Writes all rows together, under the fence.
pub(super) async fn record(
    ctx: &JobContext,
    session: &OpenSession,
    trained: &TrainedSession,
    files: &[Put],
) -> Result<(), JobError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_record(ctx, session, trained, files).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                // Under the fence only another hand can have done so: the row was deleted, or its status set.
                return Err(JobError::not_found(
                    "the training session was deleted or changed while the model was trained",
                ));
            }
            Err(DbError::Conflict(_) | DbError::Unavailable(_)) if tries < TRIES => pause(tries).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn try_record(
    ctx: &JobContext,
    session: &OpenSession,
    trained: &TrainedSession,
    files: &[Put],
) -> Result<bool, DbError> {
    let lease = ctx.lease();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    if !training::complete(&mut transaction, lease, trained).await? {
        // The commit of an earlier try may have counted although its answer was lost.
        let again = training::is_completed(&mut transaction, lease, trained.id).await?;
        transaction.rollback().await?;
        return Ok(again);
    }
    for file in files {
        let artifact = NewArtifact {
            item: &file.item,
            kind: file.kind,
            bucket: Bucket::Models,
            key: &file.key,
            object: &file.object,
            mime_type: file.mime,
        };
        // A model of a user's session is the user's, whoever has it trained.
        artifacts::record(&mut transaction, lease, session.owner, &artifact).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// A fault in writing a file: the store refuses the bucket, not the file.
fn in_writing(error: StorageError) -> JobError {
    match error {
        StorageError::Denied(_) | StorageError::NotFound => JobError::outage(
            ErrorCode::StorageUnavailable,
            "the object store does not let the worker write to bucket `models`; the job will go on when an operator \
             has mended it",
        )
        .because(error),
        error => error.into(),
    }
}
