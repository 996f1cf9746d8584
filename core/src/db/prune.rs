//! What is old: finished jobs, logs, files that no row leads to any more.
//!
//! Analyses, reports and training sessions outlive their jobs; only a person or `cleanup_old_analyses` deletes them.

use uuid::Uuid;

use super::{DbResult, Session};

/// A finished job that is old enough to go.
#[derive(Debug, Clone)]
pub struct OldJob {
    /// Its id.
    pub id: Uuid,
    /// `completed`, `failed` or `cancelled`.
    pub status: String,
    /// Its owner.
    pub user_id: Option<Uuid>,
    /// Whether an attempt of it did not end well: such a one may have left files that no row points to.
    pub interrupted: bool,
}

/// The oldest finished jobs, at most `limit`: completed ones after `completed_days`, failed and cancelled ones after
/// `failed_days`; 0 keeps them for ever.
pub async fn old_jobs(
    session: &mut Session,
    completed_days: i32,
    failed_days: i32,
    limit: i64,
) -> DbResult<Vec<OldJob>> {
    Ok(sqlx::query_as!(
        OldJob,
        r#"select id, status as "status!", user_id, (attempt > 1 or status <> 'completed') as "interrupted!"
           from public.jobs
           where ($1 > 0 and status = 'completed'
                  and coalesce(completed_at, updated_at, created_at) < now() - make_interval(days => $1))
              or ($2 > 0 and status in ('failed', 'cancelled')
                  and coalesce(completed_at, updated_at, created_at) < now() - make_interval(days => $2))
           order by created_at
           limit $3"#,
        completed_days,
        failed_days,
        limit
    )
    .fetch_all(session.exec())
    .await?)
}

/// Deletes jobs that are still finished; their items, attempts and logs go with them. Answers how many there were.
pub async fn delete_jobs(session: &mut Session, jobs: &[Uuid]) -> DbResult<u64> {
    let deleted = sqlx::query!(
        "delete from public.jobs
         where id = any ($1) and status in ('completed', 'failed', 'cancelled') and locked_by is null",
        jobs
    )
    .execute(session.exec())
    .await?;
    Ok(deleted.rows_affected())
}

/// Which of these keys of a bucket a row of `artifacts` points to.
pub async fn recorded_keys(session: &mut Session, bucket: &str, keys: &[String]) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select key from public.artifacts where bucket = $1 and key = any ($2)",
        bucket,
        keys
    )
    .fetch_all(session.exec())
    .await?)
}

/// How many lines of logs are older than this.
pub async fn count_old_logs(session: &mut Session, days: i32) -> DbResult<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "lines!" from public.job_logs where logged_at < now() - make_interval(days => $1)"#,
        days
    )
    .fetch_one(session.exec())
    .await?)
}

/// Deletes at most `limit` lines of logs that are older than this. Answers how many there were.
pub async fn delete_old_logs(session: &mut Session, days: i32, limit: i64) -> DbResult<u64> {
    let deleted = sqlx::query!(
        "delete from public.job_logs where id in (
           select id from public.job_logs where logged_at < now() - make_interval(days => $1) limit $2)",
        days,
        limit
    )
    .execute(session.exec())
    .await?;
    Ok(deleted.rows_affected())
}

/// A file whose row is not linked by the row that it was made for.
#[derive(Debug, Clone)]
pub struct UnlinkedFile {
    /// Its row in `artifacts`.
    pub id: Uuid,
    /// Its bucket.
    pub bucket: String,
    /// Its name there.
    pub key: String,
    /// Its size.
    pub size_bytes: i64,
}

/// Files of analyses that were deleted, their reports among them, at most `limit`. A file of the last hour is left alone.
pub async fn unlinked_files(session: &mut Session, limit: i64) -> DbResult<Vec<UnlinkedFile>> {
    Ok(sqlx::query_as!(
        UnlinkedFile,
        r#"select f.id, f.bucket, f.key, f.size_bytes
           from public.artifacts f
           where f.created_at < now() - interval '1 hour'
             and case
               when f.kind = 'visualization' then not exists (
                 select from public.analyses a where a.output_filename = f.key)
               -- Such a report goes with its analysis; combined ones and exports stay.
               when f.kind like 'report\_%' and f.item ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then not exists (
                 select from public.analyses a where a.id = f.item::uuid)
               else false end
           limit $1"#,
        limit
    )
    .fetch_all(session.exec())
    .await?)
}

/// Deletes rows of files that are gone from the store.
pub async fn forget_files(session: &mut Session, ids: &[Uuid]) -> DbResult<u64> {
    let deleted =
        sqlx::query!("delete from public.artifacts where id = any ($1)", ids).execute(session.exec()).await?;
    Ok(deleted.rows_affected())
}

/// Deletes the rows of processes that have been silent for a day.
pub async fn forget_silent_workers(session: &mut Session) -> DbResult<u64> {
    let deleted =
        sqlx::query!("delete from public.workers where last_heartbeat_at < now() - interval '1 day'")
            .execute(session.exec())
            .await?;
    Ok(deleted.rows_affected())
}
