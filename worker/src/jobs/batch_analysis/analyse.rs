//! One image: fetch, judge, store, settle.
//!
//! Everything but the judging waits for storage or database, so several images are on their way at once. What they
//! hold is bounded: encoded files and pixels by what the compute threads admit.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use forgeos_core::{
    ErrorCode, JobContext, JobError,
    db::{
        DbError,
        analyses::{self, FinishedAnalysis},
        artifacts::{self, NewArtifact},
        images::ImageSource,
        items::{self, ClaimedItem},
    },
    storage::{Bucket, Key, StorageError, StoredObject},
};
use forgeos_imaging::Limits;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{metrics::metrics_of, opinion::Opinion};
use crate::jobs::{
    models::LoadedModel,
    patience::{TRIES, patiently, pause},
    photographs::{self, ImageFailure, Trouble},
};

/// The kind of the visualizations' `artifacts` rows.
const ARTIFACT_KIND: &str = "visualization";
const VISUALIZATION_MIME: &str = "image/jpeg";
/// How long the judging of one image may take once a thread has begun with it.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What all images of a batch share.
#[derive(Debug, Clone)]
pub(super) struct Analyst {
    pub(super) ctx: JobContext,
    pub(super) options: forgeos_imaging::Options,
    pub(super) include_visualization: bool,
    pub(super) limits: Limits,
    /// Judges besides, when the job names one.
    pub(super) model: Option<Arc<LoadedModel>>,
}

/// What came out of the judging.
struct Judged {
    metrics: Value,
    visualization: Option<Vec<u8>>,
}

/// What is written for one image.
struct Outcome {
    filename: Option<Key>,
    visualization: Option<(Key, StoredObject)>,
    result: Result<Value, ImageFailure>,
}

impl Analyst {
    /// Does all of it. `Ok(true)`: analysed; `Ok(false)`: settled as failed. An error concerns the whole job.
    pub(super) async fn analyse(self, item: ClaimedItem, source: ImageSource) -> Result<bool, Trouble> {
        let mut filename = None;
        let outcome = match self.judge(&item, source, &mut filename).await {
            Ok((metrics, visualization)) => Outcome { filename, visualization, result: Ok(metrics) },
            Err(Trouble::Image(failure)) => {
                // One line for all of them stands at the end of the attempt: a batch must not flood the log.
                tracing::debug!(
                    image.id = %item.item, error.code = %failure.code, "image failed: {}", failure.message
                );
                Outcome { filename, visualization: None, result: Err(failure) }
            }
            Err(trouble) => return Err(trouble),
        };
        let succeeded = outcome.result.is_ok();
        self.settle(&item, &outcome).await?;
        Ok(succeeded)
    }

    async fn judge(
        &self,
        item: &ClaimedItem,
        source: ImageSource,
        found_at: &mut Option<Key>,
    ) -> Result<(Value, Option<(Key, StoredObject)>), Trouble> {
        let input = self.ctx.compute.admit_file().await?;
        let bytes = photographs::fetch(&self.ctx, source, self.limits.max_bytes, found_at).await?;

        let judged = self.compute(bytes, input).await?;
        let Some(picture) = judged.visualization else { return Ok((judged.metrics, None)) };
        let lease = self.ctx.lease();
        let owner = self.ctx.job.owner_folder();
        let output = Key::of_job(&owner, lease.job, lease.attempt, &item.item, "jpg")
            .map_err(|why| ImageFailure::new(ErrorCode::Internal, why.to_string()))?;
        let bytes = Bytes::from(picture);
        let stored =
            patiently(|| self.ctx.storage.put(Bucket::Outputs, &output, bytes.clone(), VISUALIZATION_MIME))
                .await
                .map_err(in_writing)?;
        Ok((judged.metrics, Some((output, stored))))
    }

    /// Decodes and judges on the compute threads. The header is looked at first: it tells the memory to wait for.
    async fn compute(&self, bytes: Bytes, input: OwnedSemaphorePermit) -> Result<Judged, Trouble> {
        let limits = self.limits;
        let header = {
            let bytes = bytes.clone();
            self.ctx.compute.run(move || forgeos_imaging::inspect(&bytes, &limits)).await??
        };
        let memory = self.ctx.compute.reserve_memory(photographs::memory_for(&header, &bytes)).await?;

        let (begin, begun) = oneshot::channel();
        let (options, draw, model) = (self.options, self.include_visualization, self.model.clone());
        let work = self.ctx.compute.run(move || {
            // A thread cannot be interrupted: what it holds stays counted until it is done, time limit or not.
            let _held = (memory, input);
            let _ = begin.send(());
            let started = Instant::now();
            let picture = forgeos_imaging::decode(&bytes, &limits).map_err(ImageFailure::from)?;
            drop(bytes);
            let mut judgement = forgeos_imaging::judge(&picture, options);
            let opinion = model.map(|model| Opinion::form(&model, &picture, &mut judgement));
            let visualization = draw.then(|| forgeos_imaging::overlay::render(&picture, &judgement));
            let mut metrics = metrics_of(&judgement, options.sensitivity, started.elapsed())?;
            if let Some(opinion) = opinion {
                opinion.write(&mut metrics);
            }
            Ok::<_, ImageFailure>(Judged { metrics, visualization })
        });
        let overdue = async {
            // Waiting for a thread is not the image's fault.
            let _ = begun.await;
            tokio::time::sleep(TIME_LIMIT).await;
        };
        tokio::select! {
            judged = work => Ok(judged??),
            () = overdue => Err(ImageFailure::new(
                ErrorCode::TimedOut,
                format!("the analysis took longer than {} s and was given up", TIME_LIMIT.as_secs()),
            ).into()),
        }
    }

    /// Writes all rows of one image together, under the fence.
    async fn settle(&self, item: &ClaimedItem, outcome: &Outcome) -> Result<(), Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_settle(item, outcome).await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(_) | DbError::Unavailable(_)) if tries < TRIES => pause(tries).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn try_settle(&self, item: &ClaimedItem, outcome: &Outcome) -> Result<(), DbError> {
        let (lease, owner) = (self.ctx.lease(), self.ctx.job.user_id);
        let error = outcome.result.as_ref().err().map(ImageFailure::to_json);
        let metrics = match &outcome.result {
            Ok(metrics) => metrics.clone(),
            Err(failure) => json!({"error": failure.to_json()}),
        };
        let mut transaction = self.ctx.db.begin_fenced(lease).await?;
        let finished = FinishedAnalysis {
            item: &item.item,
            planned: item.result_id.unwrap_or_else(|| lease.job.derive("analysis", &item.item)),
            filename: outcome.filename.as_ref().map(Key::as_str),
            output_filename: outcome.visualization.as_ref().map(|(key, _)| key.as_str()),
            metrics,
            completed: outcome.result.is_ok(),
        };
        let row = analyses::finish(&mut transaction, lease, owner, &finished).await?;
        if let Some((key, object)) = &outcome.visualization {
            let artifact = NewArtifact {
                item: &item.item,
                kind: ARTIFACT_KIND,
                bucket: Bucket::Outputs,
                key,
                object,
                mime_type: VISUALIZATION_MIME,
            };
            artifacts::record(&mut transaction, lease, owner, &artifact).await?;
        }
        if !items::finish(&mut transaction, lease, item, Some(row), error.as_ref()).await? {
            // Its commit may have counted although the answer was lost; or somebody else has the item. Either way
            // there is nothing left to write.
            tracing::debug!(image.id = %item.item, "the item is not this worker's any more");
            return transaction.rollback().await;
        }
        transaction.commit().await
    }
}

/// A fault in writing a visualization: what the store refuses for one it refuses for all.
fn in_writing(error: StorageError) -> Trouble {
    Trouble::Job(match error {
        StorageError::Denied(_) | StorageError::NotFound => JobError::outage(
            ErrorCode::StorageUnavailable,
            "the object store does not let the worker write to bucket `outputs`; the job will go on when an operator \
             has mended it",
        )
        .because(error),
        error => error.into(),
    })
}
