//! `data_export`: rows of one table in, one file a format out.
//!
//! Rows flow: the database sends them from one snapshot, compute threads turn them into the bytes of all formats at
//! once, the store takes the bytes in parts. Each step waits for the next, so memory does not grow with the rows.
//! A file counts when all files of the job are whole and checked: their rows are written in one transaction. A job
//! that is taken up again begins anew, with a new snapshot: what it wrote before is deleted, and what it records
//! replaces what was recorded. How cells look in each format is decided in `forgeos-exporting`.

mod batch;
mod cells;
mod columns;
mod files;
mod params;
mod reading;
mod results;

use std::time::Duration;

use forgeos_core::{
    ErrorCode, Job, JobContext, JobError, JobStatus, StopReason,
    compute::ComputeError,
    db::{DbError, exports::Snapshot},
    storage::Bucket,
};
use forgeos_exporting::{EncodeError, Export};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

pub use params::{Compression, DataExport, Dataset, ExportFormat, Filters, OneOrMore};
pub use results::{ExportFile, ExportResults};

use batch::Batch;
use files::{Content, Files};
use reading::Reader;

use super::leftovers;

/// The phase that progress shows.
const PHASE: &str = "exporting";
/// How long a job that stops waits until its unfinished uploads are undone.
const UNDO_PATIENCE: Duration = Duration::from_secs(2);

impl Job for DataExport {
    const NAME: &'static str = "data_export";
    type Results = ExportResults;

    fn validate(&self) -> Result<(), JobError> {
        self.check()
    }

    async fn run(&self, ctx: &JobContext) -> Result<ExportResults, JobError> {
        ctx.check_stop()?;
        let mut files = Files::new(ctx, self.dataset, &self.outputs())?;
        let written = tokio::select! {
            biased;
            () = ctx.stop.wait() => Err(stopped(ctx)),
            written = self.write(ctx, &mut files) => written,
        };
        match written {
            Ok(results) => {
                if ctx.lease().attempt > 1 {
                    clean_up(ctx, JobStatus::Running).await;
                }
                Ok(results)
            }
            Err(error) => {
                if tokio::time::timeout(UNDO_PATIENCE, files.abort()).await.is_err() {
                    tracing::debug!("unfinished uploads are undone behind the job's back");
                }
                leave(ctx, &error).await;
                Err(error.with_results(json!({"rows": 0, "files": []})))
            }
        }
    }
}

impl DataExport {
    async fn write(&self, ctx: &JobContext, files: &mut Files) -> Result<ExportResults, JobError> {
        let (owner, table) = (ctx.job.user_id, self.dataset.table());
        let selection = self.selection(owner)?;
        // The moment of the first start: whenever the job is taken up again, it means the same days.
        let filter = self.rows(owner, ctx.job.first_started_at)?;
        ctx.progress.set(PHASE, 0, 0);

        let limit = Duration::from_secs(u64::try_from(ctx.job.timeout_seconds).unwrap_or(1));
        let mut snapshot = Snapshot::take(&ctx.db, limit).await?;
        if let Some(job) = self.filters.job_id
            && !snapshot.has_job(owner, job).await?
        {
            // A foreign job is as good as none; and none is no empty export.
            return Err(JobError::not_found("`filters.job_id`: there is no job with this id"));
        }
        let (taken_at, total) = (snapshot.taken_at(), snapshot.count(table, &filter).await?);
        ctx.progress.set(PHASE, 0, total);
        let mut export = Export::new(&selection, &self.outputs(), taken_at).map_err(not_encoded)?;
        files.open(ctx).await?;

        // One batch waits while one is encoded and one is read; and what was encoded before is written meanwhile. All
        // memory on this way is used again and again.
        let (sender, mut batches) = mpsc::channel::<Batch>(1);
        let (emptied, empty) = mpsc::channel::<Batch>(3);
        let reader = Reader { table, filter, selection };
        let cells = reader.cells();
        let reading = AbortOnDropHandle::new(tokio::spawn(reader.read(snapshot, sender, empty)));
        let (mut parts, mut written) = (vec![Vec::new(); files.len()], vec![Vec::new(); files.len()]);
        while let Some(mut batch) = batches.recv().await {
            let cells = cells.clone();
            let encoding = ctx.compute.run(move || {
                cells.encode(&batch, &mut export)?;
                for (file, part) in written.iter_mut().enumerate() {
                    export.take(file, part);
                }
                batch.clear();
                Ok::<_, JobError>((export, written, batch))
            });
            let encoding = async { encoding.await.map_err(no_result)? };
            let (encoded, ()) = tokio::try_join!(encoding, files.write(&parts))?;
            (export, written, batch) = encoded;
            std::mem::swap(&mut parts, &mut written);
            // With nobody left to use it, it is freed.
            let _ = emptied.try_send(batch);
            ctx.progress.set(PHASE, export.rows(), total);
        }
        files.write(&parts).await?;
        reading.await.map_err(|error| {
            JobError::transient(ErrorCode::Internal, "the reading of the rows broke off").because(error)
        })??;

        let rows = export.rows();
        if rows != total {
            // Both come from one snapshot: this is a fault of the worker, and such a file must not count.
            return Err(JobError::transient(
                ErrorCode::Internal,
                format!("{rows} rows were read where the database has {total}"),
            ));
        }
        let cells_cut: Vec<u64> = (0..files.len()).map(|file| export.cells_cut(file)).collect();
        let ends = ctx.compute.run(move || export.finish()).await.map_err(no_result)?.map_err(not_encoded)?;
        files.write(&ends).await?;
        let stored = files.finish(ctx).await?;
        let cells: u64 = cells_cut.iter().sum();
        let results = files::record(ctx, self, &Content { taken_at, rows, cells_cut }, &stored).await?;
        if cells > 0 {
            tracing::info!(cells, step = PHASE, "texts longer than an XLSX cell were cut");
        }
        tracing::info!(rows, files = results.files.len(), step = PHASE, "exported");
        Ok(results)
    }
}

/// The last deeds of an attempt that does not complete.
async fn leave(ctx: &JobContext, error: &JobError) {
    // A cancel shows first as a refused write when it is faster than the heartbeat that tells of it.
    let lease_refused = matches!(
        error.cause.as_deref().and_then(|cause| cause.downcast_ref::<DbError>()),
        Some(DbError::LeaseLost)
    );
    if lease_refused && ctx.db.begin_fenced_cancelled(ctx.lease()).await.is_ok() {
        ctx.stop.request(StopReason::Cancelled);
    }
    match ctx.stop.reason() {
        Some(StopReason::LeaseLost) => {}
        Some(StopReason::Cancelled) => clean_up(ctx, JobStatus::Cancelled).await,
        // Nobody knows whose it is now: whoever has it cleans up.
        _ if lease_refused => {}
        _ => clean_up(ctx, JobStatus::Running).await,
    }
}

/// Deletes what this attempt and earlier ones wrote and no row points to.
async fn clean_up(ctx: &JobContext, status: JobStatus) {
    leftovers::delete(ctx, Bucket::Exports, status).await;
    if let Err(error) = files::remove_unfinished(ctx).await {
        tracing::debug!(%error, "files of interrupted attempts were not deleted");
    }
}

fn stopped(ctx: &JobContext) -> JobError {
    ctx.check_stop().err().unwrap_or_else(|| JobError::transient(ErrorCode::Internal, "the job was stopped"))
}

fn no_result(error: ComputeError) -> JobError {
    match &error {
        ComputeError::Panicked(_) => JobError::transient(
            ErrorCode::Panicked,
            "the export hit a fault of the worker and will be tried again",
        ),
        ComputeError::Gone => {
            JobError::transient(ErrorCode::Internal, "the worker's compute threads are gone")
        }
    }
    .because(error)
}

fn not_encoded(error: EncodeError) -> JobError {
    JobError::permanent(ErrorCode::Internal, format!("the rows cannot be written as files: {error}"))
        .because(error)
}
