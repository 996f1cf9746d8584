//! Rows of `job_items`: the parts of a large job.
//!
//! The job's holder plans and settles: it alone adds items and opens again what was left running, under the job's
//! fence. Whoever works on an item holds a lease on it (`attempt`, `locked_by`, `locked_until`); the holder's own items
//! live as long as the lease of its job, so that nothing has to be renewed for them and all of them are open again as
//! soon as another worker has taken the job over. A helper will renew its items itself and prove, instead of the
//! job's lease, that the job is running and the item is its own: [`finish`] proves the latter for everybody.

use serde_json::Value;
use uuid::Uuid;

use super::{DbResult, Session, Transaction};
use crate::{
    ids::{JobId, WorkerId},
    job::Lease,
};

/// An item to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedItem {
    /// What it is, unique in its job.
    pub item: String,
    /// Its place, from 0.
    pub position: i32,
    /// The row that will hold its result.
    pub result_id: Option<Uuid>,
}

/// How far an item is.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemState {
    /// What it is.
    pub item: String,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// The row that holds its result.
    pub result_id: Option<Uuid>,
    /// `{"code", "message"}` when it failed.
    pub error: Option<Value>,
}

impl ItemState {
    /// Whether nothing is left to do for it.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed")
    }
}

/// The right to work on one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedItem {
    /// What it is.
    pub item: String,
    /// The item's own fencing token.
    pub attempt: i32,
    /// The row that will hold its result.
    pub result_id: Option<Uuid>,
}

/// All items of a job, in their order.
pub async fn list(session: &mut Session, job: JobId) -> DbResult<Vec<ItemState>> {
    Ok(sqlx::query_as!(
        ItemState,
        "select item, status, result_id, error from public.job_items where job_id = $1 order by position, item",
        job.0
    )
    .fetch_all(session.exec())
    .await?)
}

/// Adds the items that are not there yet.
pub async fn plan(transaction: &mut Transaction, job: JobId, items: &[PlannedItem]) -> DbResult<()> {
    let names: Vec<String> = items.iter().map(|i| i.item.clone()).collect();
    let positions: Vec<i32> = items.iter().map(|i| i.position).collect();
    let results: Vec<Option<Uuid>> = items.iter().map(|i| i.result_id).collect();
    sqlx::query!(
        r#"insert into public.job_items (job_id, item, position, result_id)
           select $1, row.item, row.position, row.result_id
           from unnest($2::text[], $3::int[], $4::uuid[]) as row(item, position, result_id)
           on conflict (job_id, item) do nothing"#,
        job.0,
        &names,
        &positions,
        &results as &[Option<Uuid>]
    )
    .execute(transaction.exec())
    .await?;
    Ok(())
}

/// Opens again what an earlier attempt left: items that this worker held, that nobody holds any more or nobody who is
/// known, or that were closed by a cancel.
pub async fn reopen(transaction: &mut Transaction, job: JobId, worker: WorkerId) -> DbResult<u64> {
    let reopened = sqlx::query!(
        r#"update public.job_items
           set status = 'pending', locked_by = null, locked_until = null, completed_at = null
           where job_id = $1
             and (status = 'cancelled'
                  or status = 'running'
                     and (locked_by is null or locked_by = $2 or locked_until is null or locked_until < now()
                          or not exists (select from public.workers w where w.id = locked_by)))"#,
        job.0,
        worker.0
    )
    .execute(transaction.exec())
    .await?;
    Ok(reopened.rows_affected())
}

/// Opens again what others held and have let go. `true` while somebody else still holds an item of the job.
pub async fn reopen_abandoned(transaction: &mut Transaction, lease: Lease) -> DbResult<bool> {
    sqlx::query!(
        r#"update public.job_items set status = 'pending', locked_by = null, locked_until = null
           where job_id = $1 and status = 'running' and locked_by is distinct from $2
             and (coalesce(locked_until, '-infinity') < now()
                  or not exists (select from public.workers w where w.id = locked_by))"#,
        lease.job.0,
        lease.worker.0
    )
    .execute(transaction.exec())
    .await?;
    Ok(sqlx::query_scalar!(
        r#"select exists (select from public.job_items where job_id = $1 and status in ('pending', 'running'))
           as "open!""#,
        lease.job.0
    )
    .fetch_one(transaction.exec())
    .await?)
}

/// Takes up to `limit` open items, first places first. They are held until the job's lease ends.
pub async fn claim(transaction: &mut Transaction, lease: Lease, limit: i64) -> DbResult<Vec<ClaimedItem>> {
    let mut claimed = sqlx::query!(
        r#"with next as (
             select item from public.job_items
             where job_id = $1 and status = 'pending'
             order by position limit $3
             for update skip locked
           )
           update public.job_items i
           set status = 'running', attempt = i.attempt + 1, locked_by = $2,
               locked_until = (select j.locked_until from public.jobs j where j.id = $1),
               started_at = coalesce(i.started_at, now()), error = null
           from next where i.job_id = $1 and i.item = next.item
           returning i.item, i.attempt, i.result_id, i.position"#,
        lease.job.0,
        lease.worker.0,
        limit
    )
    .fetch_all(transaction.exec())
    .await?;
    claimed.sort_by_key(|row| row.position);
    Ok(claimed
        .into_iter()
        .map(|row| ClaimedItem { item: row.item, attempt: row.attempt, result_id: row.result_id })
        .collect())
}

/// Finishes an item: completed without an error, failed with one. `false` when the item is not this worker's any more;
/// the caller then rolls the transaction back.
pub async fn finish(
    transaction: &mut Transaction,
    lease: Lease,
    item: &ClaimedItem,
    result_id: Option<Uuid>,
    error: Option<&Value>,
) -> DbResult<bool> {
    let status = if error.is_none() { "completed" } else { "failed" };
    let done = sqlx::query!(
        r#"update public.job_items
           set status = $5, result_id = coalesce($6, result_id), error = $7, completed_at = now(),
               locked_by = null, locked_until = null
           where job_id = $1 and item = $2 and attempt = $3 and locked_by = $4 and status = 'running'"#,
        lease.job.0,
        item.item,
        item.attempt,
        lease.worker.0,
        status,
        result_id,
        error
    )
    .execute(transaction.exec())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives back what this worker holds of the job and has not finished.
pub async fn give_back(transaction: &mut Transaction, lease: Lease) -> DbResult<u64> {
    let given = sqlx::query!(
        r#"update public.job_items set status = 'pending', locked_by = null, locked_until = null
           where job_id = $1 and status = 'running' and locked_by = $2"#,
        lease.job.0,
        lease.worker.0
    )
    .execute(transaction.exec())
    .await?;
    Ok(given.rows_affected())
}

/// Closes every open item of a cancelled job.
pub async fn cancel_open(transaction: &mut Transaction, job: JobId) -> DbResult<u64> {
    let closed = sqlx::query!(
        r#"update public.job_items
           set status = 'cancelled', completed_at = now(), locked_by = null, locked_until = null
           where job_id = $1 and status in ('pending', 'running')"#,
        job.0
    )
    .execute(transaction.exec())
    .await?;
    Ok(closed.rows_affected())
}
