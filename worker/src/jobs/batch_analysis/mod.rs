//! `batch_analysis`: photographs in, one row of `analyses` and one visualization each out.
//!
//! The batch is planned once as rows of `job_items`; then images are claimed a few at a time and flow through fetch,
//! judging, put and a fenced write, several at once. A bad image fails alone. What is settled stays settled: another
//! attempt, here or elsewhere, goes on with what is open. What the figures mean is decided in `forgeos-imaging`.

mod analyse;
mod metrics;
mod opinion;
mod params;
mod plan;
mod results;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use forgeos_core::{
    Job, JobContext, JobError, JobStatus, StopReason,
    db::{DbError, analyses, images::ImageSource, items},
    storage::Bucket,
};
use forgeos_imaging::Limits;
use serde_json::{Value, json};
use uuid::Uuid;

pub use params::{BatchAnalysis, MAX_IMAGES, Options, Profile, Sensitivity};
pub use results::{BatchResults, ImageError};

use analyse::Analyst;
use plan::Plan;

use super::{
    leftovers,
    models::{LoadedModel, ModelShelf},
    photographs::Trouble,
    side_by_side::SideBySide,
};

/// How often items that others hold are looked at, once nothing else is left to do.
const HELD_ELSEWHERE_POLL: Duration = Duration::from_secs(1);

impl Job for BatchAnalysis {
    const NAME: &'static str = "batch_analysis";
    type Results = BatchResults;

    fn validate(&self) -> Result<(), JobError> {
        self.check()
    }

    async fn run(&self, ctx: &JobContext) -> Result<BatchResults, JobError> {
        ctx.check_stop()?;
        // Before anything is planned: without its model there is nothing that a batch could do right.
        let model = match &self.options.model_version {
            Some(version) => Some(ctx.resources.get::<ModelShelf>()?.find(ctx, version).await?),
            None => None,
        };
        ctx.progress.set("planning", 0, self.image_ids.len() as u64);
        let outcome = match plan::make(ctx, &self.image_ids).await {
            Ok(plan) => self.work_through(ctx, plan, model).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => {
                if ctx.lease().attempt > 1 {
                    leftovers::delete(ctx, Bucket::Outputs, JobStatus::Running).await;
                }
                report(ctx).await?.into_outcome()
            }
            Err(error) => Err(leave(ctx, error).await),
        }
    }
}

impl BatchAnalysis {
    /// Works until no item is open. Returns early with the first error that concerns the whole job.
    async fn work_through(
        &self,
        ctx: &JobContext,
        mut plan: Plan,
        model: Option<Arc<LoadedModel>>,
    ) -> Result<(), JobError> {
        let threads = ctx.compute.threads();
        let analyst = Analyst {
            ctx: ctx.clone(),
            options: self.judge_options(),
            include_visualization: self.options.include_visualization,
            limits: Limits::default(),
            model,
        };
        // Besides the images whose files are in memory, some whose small results are on their way out.
        let most_under_way = 2 * threads + 4;
        let mut done = plan.finished;
        let mut claimed = VecDeque::new();
        let mut under_way = SideBySide::new();
        let mut all_claimed = false;

        ctx.progress.set("analysing", done, plan.total);
        loop {
            ctx.check_stop()?;
            if claimed.is_empty() && !all_claimed && under_way.len() < most_under_way {
                claimed.extend(claim(ctx, most_under_way - under_way.len()).await?);
                all_claimed = claimed.is_empty();
            }
            while under_way.len() < most_under_way
                && let Some(item) = claimed.pop_front()
            {
                let source = item
                    .item
                    .parse::<Uuid>()
                    .ok()
                    .and_then(|image| plan.sources.remove(&image))
                    // Not asked for by these params: somebody has written into the items.
                    .unwrap_or_else(|| ImageSource::ByName(Vec::new()));
                under_way.begin(analyst.clone().analyse(item, source));
            }
            if under_way.is_empty() {
                if !all_claimed {
                    continue;
                }
                if !open_items_remain(ctx).await? {
                    return Ok(());
                }
                tokio::select! {
                    () = ctx.stop.wait() => {}
                    () = tokio::time::sleep(HELD_ELSEWHERE_POLL) => all_claimed = false,
                }
                continue;
            }
            tokio::select! {
                biased;
                () = ctx.stop.wait() => {}
                Some(finished) = under_way.next() => {
                    finished.map_err(|trouble| match trouble {
                        Trouble::Job(error) => error,
                        Trouble::Image(failure) => JobError::transient(failure.code, failure.message),
                    })?;
                    done += 1;
                    ctx.progress.set("analysing", done, plan.total);
                }
            }
        }
    }
}

/// Takes the next items and says so in their analyses.
async fn claim(ctx: &JobContext, limit: usize) -> Result<Vec<items::ClaimedItem>, JobError> {
    let lease = ctx.lease();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    let claimed = items::claim(&mut transaction, lease, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
    let rows: Vec<Uuid> = claimed.iter().filter_map(|item| item.result_id).collect();
    analyses::start(&mut transaction, lease.job, &rows).await?;
    transaction.commit().await?;
    Ok(claimed)
}

/// Whether somebody else holds items; those that were let go are open again after this.
async fn open_items_remain(ctx: &JobContext) -> Result<bool, JobError> {
    let lease = ctx.lease();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    let remain = items::reopen_abandoned(&mut transaction, lease).await?;
    transaction.commit().await?;
    Ok(remain)
}

async fn report(ctx: &JobContext) -> Result<BatchResults, JobError> {
    let mut session = ctx.db.session().await?;
    let items = items::list(&mut session, ctx.lease().job).await?;
    session.finish().await?;
    let results = BatchResults::of(&items);
    if results.failed > 0 {
        let BatchResults { processed, failed, .. } = results;
        tracing::info!(processed, failed, codes = results.codes(), "images failed");
    }
    Ok(results)
}

/// The last words of an attempt that does not complete: items are given back or closed, and what was done is reported
/// with the error.
async fn leave(ctx: &JobContext, error: JobError) -> JobError {
    // A cancel shows first as a refused write when it is faster than the heartbeat that tells of it.
    let lease_refused = matches!(
        error.cause.as_deref().and_then(|cause| cause.downcast_ref::<DbError>()),
        Some(DbError::LeaseLost)
    );
    if ctx.stop.reason() == Some(StopReason::LeaseLost) {
        return error;
    }
    if ctx.stop.reason() == Some(StopReason::Cancelled) || lease_refused {
        match close_cancelled(ctx).await {
            Ok(()) => {
                ctx.stop.request(StopReason::Cancelled);
                leftovers::delete(ctx, Bucket::Outputs, JobStatus::Cancelled).await;
            }
            Err(why) => {
                tracing::debug!(error = %why, "the cancelled job was not closed here");
                return error;
            }
        }
    } else if let Err(why) = give_back(ctx).await {
        // They are open again as soon as the job's lease has ended.
        tracing::debug!(error = %why, "items were not given back");
    }
    match report(ctx).await {
        Ok(results) => error.with_results(results.to_json()),
        Err(_) => error,
    }
}

async fn give_back(ctx: &JobContext) -> Result<(), DbError> {
    let mut transaction = ctx.db.begin_fenced(ctx.lease()).await?;
    items::give_back(&mut transaction, ctx.lease()).await?;
    transaction.commit().await
}

async fn close_cancelled(ctx: &JobContext) -> Result<(), DbError> {
    let job = ctx.lease().job;
    let mut transaction = ctx.db.begin_fenced_cancelled(ctx.lease()).await?;
    analyses::close_unfinished(&mut transaction, job, &cancelled_error()).await?;
    items::cancel_open(&mut transaction, job).await?;
    transaction.commit().await
}

/// `analyses.metrics` of an image that a cancel left undone.
fn cancelled_error() -> Value {
    json!({"error": {"code": "cancelled", "message": "the job was cancelled before this image was analysed"}})
}
