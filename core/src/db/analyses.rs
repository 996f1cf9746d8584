//! Rows of `analyses`: one for every image of a batch.
//!
//! A job touches only rows whose `job_id` is its own (a row that was given as image id is taken over when the batch is
//! planned), so two jobs that were given the same row never write it by turns.
//!
//! `job_id` and `status` are compared by `is not distinct from`, which no index serves: right after a batch of 10,000
//! was planned the statistics know nothing of it, and the planner would take its index on `job_id` for as good as the
//! primary key.

use serde_json::Value;
use uuid::Uuid;

use super::{DbResult, Transaction};
use crate::{
    ids::{JobId, UserId},
    job::Lease,
};

/// A row to make, or to take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAnalysis {
    /// The row.
    pub id: Uuid,
    /// The image, as far as it is known before it is fetched.
    pub filename: Option<String>,
}

/// Makes the rows `new` as `pending`, and takes over those of `given` that nobody has completed in the meantime.
pub async fn plan(
    transaction: &mut Transaction,
    job: JobId,
    owner: Option<UserId>,
    new: &[PlannedAnalysis],
    given: &[Uuid],
) -> DbResult<()> {
    let ids: Vec<Uuid> = new.iter().map(|row| row.id).collect();
    let filenames: Vec<Option<String>> = new.iter().map(|row| row.filename.clone()).collect();
    sqlx::query!(
        r#"insert into public.analyses (id, job_id, user_id, filename, status)
           select row.id, $1, $2, row.filename, 'pending'
           from unnest($3::uuid[], $4::text[]) as row(id, filename)
           on conflict (id) do update set status = 'pending', metrics = null, output_filename = null
             where analyses.job_id = $1 and analyses.status is distinct from 'completed'"#,
        job.0,
        owner.map(|u| u.0),
        &ids,
        &filenames as &[Option<String>]
    )
    .execute(transaction.exec())
    .await?;
    sqlx::query!(
        r#"update public.analyses set job_id = $1, status = 'pending', metrics = null, output_filename = null
           where id = any($2) and status is distinct from 'completed' and ($3::uuid is null or user_id = $3)"#,
        job.0,
        given,
        owner.map(|u| u.0)
    )
    .execute(transaction.exec())
    .await?;
    Ok(())
}

/// Says that these rows are being worked on.
pub async fn start(transaction: &mut Transaction, job: JobId, ids: &[Uuid]) -> DbResult<()> {
    sqlx::query!(
        r#"update public.analyses set status = 'processing'
           where id = any($2) and job_id is not distinct from $1 and status is not distinct from 'pending'"#,
        job.0,
        ids
    )
    .execute(transaction.exec())
    .await?;
    Ok(())
}

/// How an image came out.
#[derive(Debug, Clone)]
pub struct FinishedAnalysis<'a> {
    /// The item of the job.
    pub item: &'a str,
    /// The row that was planned for it.
    pub planned: Uuid,
    /// The key that the image was found at.
    pub filename: Option<&'a str>,
    /// The key of the visualization.
    pub output_filename: Option<&'a str>,
    /// The figures, or `{"error": …}`.
    pub metrics: Value,
    /// Whether it succeeded.
    pub completed: bool,
}

/// Fills the row, and says which row it was: the planned one, or a new one when another job has taken the planned one
/// over or its user has deleted it. `transaction` must be fenced by this lease.
pub async fn finish(
    transaction: &mut Transaction,
    lease: Lease,
    owner: Option<UserId>,
    finished: &FinishedAnalysis<'_>,
) -> DbResult<Uuid> {
    let status = if finished.completed { "completed" } else { "failed" };
    let planned = sqlx::query_scalar!(
        r#"update public.analyses set status = $3, metrics = $4, output_filename = $5, filename = coalesce(filename, $6)
           where id = $1 and job_id is not distinct from $2 returning id"#,
        finished.planned,
        lease.job.0,
        status,
        finished.metrics,
        finished.output_filename,
        finished.filename
    )
    .fetch_optional(transaction.exec())
    .await?;
    if let Some(id) = planned {
        return Ok(id);
    }
    let id = lease.job.derive("analysis", finished.item);
    sqlx::query!(
        r#"insert into public.analyses (id, job_id, user_id, filename, output_filename, metrics, status)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (id) do update set status = excluded.status, metrics = excluded.metrics,
             output_filename = excluded.output_filename, filename = coalesce(analyses.filename, excluded.filename)
             where analyses.job_id = excluded.job_id"#,
        id,
        lease.job.0,
        owner.map(|u| u.0),
        finished.filename,
        finished.output_filename,
        finished.metrics,
        status
    )
    .execute(transaction.exec())
    .await?;
    Ok(id)
}

/// Closes what a job leaves unfinished, as `failed` with this error: the rows of its open items.
pub async fn close_unfinished(transaction: &mut Transaction, job: JobId, error: &Value) -> DbResult<u64> {
    let closed = sqlx::query!(
        r#"update public.analyses a set status = 'failed', metrics = $2
           from public.job_items i
           where i.job_id = $1 and i.status in ('pending', 'running') and a.id = i.result_id
             and a.job_id = $1 and a.status in ('pending', 'processing')"#,
        job.0,
        error
    )
    .execute(transaction.exec())
    .await?;
    Ok(closed.rows_affected())
}
