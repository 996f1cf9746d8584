//! `report_generation`: analyses in, PDF, XLSX and CSV files out, each with its row of `reports`.
//!
//! Every report is a row of `job_items`: one for each analysis, or a single one for all of them. What is settled stays
//! settled: another attempt goes on with what is open. What a report looks like is decided in `forgeos-reporting`.

mod document;
mod failure;
mod params;
mod pictures;
mod results;
mod sources;
mod typeset;
mod writing;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use forgeos_core::{
    Job, JobContext, JobError, JobStatus, Remedy, StopReason,
    db::{
        DbError,
        items::{self, ClaimedItem, PlannedItem},
        report_sources::{self, SourceAnalysis},
        reports,
    },
    storage::Bucket,
};
use forgeos_imaging::Limits;
use forgeos_reporting::pdf::Setter;
use uuid::Uuid;

pub use params::{
    Language, MAX_ANALYSES, MAX_COMBINED, ReportFormat, ReportGeneration, ReportOptions, Template,
};
pub use results::{ReportError, ReportFile, ReportResults};

use super::{leftovers, side_by_side::SideBySide};
use pictures::Album;
use writing::Writer;

/// The item of a report about all analyses.
const COMBINED: &str = "combined";
/// How often items that others hold are looked at, once nothing else is left to do.
const HELD_ELSEWHERE_POLL: Duration = Duration::from_secs(1);

impl Job for ReportGeneration {
    const NAME: &'static str = "report_generation";
    type Results = ReportResults;

    fn validate(&self) -> Result<(), JobError> {
        self.check()
    }

    async fn run(&self, ctx: &JobContext) -> Result<ReportResults, JobError> {
        ctx.check_stop()?;
        let writer = Writer {
            ctx: ctx.clone(),
            params: Arc::new(self.clone()),
            setter: ctx.resources.get::<Setter>()?,
            album: Album { ctx: ctx.clone(), limits: Limits::default(), missing: Arc::default() },
            orphans: Arc::new(AtomicBool::new(false)),
        };
        match self.work(&writer).await {
            Ok(()) => {
                if ctx.lease().attempt > 1 || writer.orphans.load(Ordering::Relaxed) {
                    leftovers::delete(ctx, Bucket::Reports, JobStatus::Running).await;
                }
                let missing = writer.album.missing.load(Ordering::Relaxed);
                if missing > 0 {
                    tracing::info!(missing, step = "collecting", "pictures were not to be had");
                }
                let results = tell(ctx).await?.into_outcome()?;
                let pages: u64 = results.files.iter().filter_map(|file| file.pages).sum();
                tracing::info!(files = results.generated, pages, step = "typesetting", "reports set");
                Ok(results)
            }
            Err(error) if matches!(error.remedy, Remedy::Later(_)) => Err(error),
            Err(error) => Err(leave(ctx, error).await),
        }
    }
}

impl ReportGeneration {
    /// Plans and works until no item is open. Returns early with the first error that concerns the whole job.
    async fn work(&self, writer: &Writer) -> Result<(), JobError> {
        let ctx = &writer.ctx;
        let ids: Arc<[Uuid]> = tokio::select! {
            biased;
            () = ctx.stop.wait() => return ctx.check_stop(),
            ids = sources::resolve(ctx, self) => ids?.into(),
        };
        let mut done = plan(ctx, &ids, self.combined).await?;
        let total = ids.len() as u64;
        let most_under_way = ctx.compute.threads() + 2;
        let mut claimed = VecDeque::new();
        let mut under_way = SideBySide::new();
        let mut all_claimed = false;
        if !self.combined {
            ctx.progress.set("typesetting", done, total);
        }
        loop {
            ctx.check_stop()?;
            if claimed.is_empty() && !all_claimed && under_way.len() < most_under_way {
                claimed.extend(claim(ctx, 2 * most_under_way).await?);
                all_claimed = claimed.is_empty();
            }
            while under_way.len() < most_under_way
                && let Some((item, source)) = claimed.pop_front()
            {
                let (writer, ids) = (writer.clone(), Arc::clone(&ids));
                under_way.begin(async move {
                    if item.item == COMBINED {
                        writer.combined(item, &ids).await
                    } else {
                        writer.single(item, source).await
                    }
                });
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
                // What is being set is left to itself: a thread cannot be interrupted.
                () = ctx.stop.wait() => {}
                Some(finished) = under_way.next() => {
                    finished?;
                    done += 1;
                    if !self.combined {
                        ctx.progress.set("typesetting", done, total);
                    }
                }
            }
        }
    }
}

/// Plans what is not planned yet, and opens again what an earlier attempt left. Answers how many items are finished.
async fn plan(ctx: &JobContext, ids: &[Uuid], combined: bool) -> Result<u64, JobError> {
    let lease = ctx.lease();
    let names = if combined { vec![COMBINED.to_owned()] } else { ids.iter().map(Uuid::to_string).collect() };
    let planned: Vec<PlannedItem> = names
        .into_iter()
        .zip(0..)
        .map(|(item, position)| PlannedItem { item, position, result_id: None })
        .collect();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    items::plan(&mut transaction, lease.job, &planned).await?;
    items::reopen(&mut transaction, lease.job, lease.worker).await?;
    transaction.commit().await?;
    let mut session = ctx.db.session().await?;
    let finished =
        items::list(&mut session, lease.job).await?.iter().filter(|item| item.is_finished()).count();
    session.finish().await?;
    Ok(finished as u64)
}

/// Takes the next items, with the analyses that they are about.
async fn claim(
    ctx: &JobContext,
    limit: usize,
) -> Result<Vec<(ClaimedItem, Option<SourceAnalysis>)>, JobError> {
    let lease = ctx.lease();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    let claimed = items::claim(&mut transaction, lease, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
    transaction.commit().await?;
    let ids: Vec<Uuid> = claimed.iter().filter_map(|item| item.item.parse().ok()).collect();
    if ids.is_empty() {
        return Ok(claimed.into_iter().map(|item| (item, None)).collect());
    }
    let mut session = ctx.db.session().await?;
    let mut sources = report_sources::find(&mut session, ctx.job.user_id, &ids).await?;
    session.finish().await?;
    Ok(claimed
        .into_iter()
        .map(|item| {
            let source = item.item.parse().ok().and_then(|id: Uuid| sources.remove(&id));
            (item, source)
        })
        .collect())
}

/// Whether somebody else holds items; those that were let go are open again after this.
async fn open_items_remain(ctx: &JobContext) -> Result<bool, JobError> {
    let lease = ctx.lease();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    let remain = items::reopen_abandoned(&mut transaction, lease).await?;
    transaction.commit().await?;
    Ok(remain)
}

async fn tell(ctx: &JobContext) -> Result<ReportResults, JobError> {
    let mut session = ctx.db.session().await?;
    let items = items::list(&mut session, ctx.lease().job).await?;
    let kinds = ReportFormat::ALL.map(|format| (format.artifact_kind(), format.as_str()));
    let recorded = reports::of_job(&mut session, ctx.lease(), Bucket::Reports, &kinds).await?;
    session.finish().await?;
    let results = ReportResults::of(&items, recorded);
    if results.failed > 0 {
        let ReportResults { generated, failed, .. } = results;
        tracing::info!(generated, failed, codes = results.codes(), "analyses are in no report");
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
                leftovers::delete(ctx, Bucket::Reports, JobStatus::Cancelled).await;
            }
            Err(why) => {
                tracing::debug!(error = %why, "the cancelled job was not closed here");
                return error;
            }
        }
    } else {
        if let Err(why) = give_back(ctx).await {
            // They are open again as soon as the job's lease has ended.
            tracing::debug!(error = %why, "items were not given back");
        }
        if error.remedy == Remedy::None {
            leftovers::delete(ctx, Bucket::Reports, JobStatus::Running).await;
        }
    }
    match tell(ctx).await {
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
    let mut transaction = ctx.db.begin_fenced_cancelled(ctx.lease()).await?;
    items::cancel_open(&mut transaction, ctx.lease().job).await?;
    transaction.commit().await
}
