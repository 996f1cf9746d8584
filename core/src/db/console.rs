//! What the command line asks and changes. Reads are bounded; changes go through the functions of the migrations, so
//! that a person at a terminal can do no more than an API.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{Db, DbResult};
use crate::{
    ids::{JobId, UserId},
    status::JobStatus,
};

/// A job to be.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// The type's name.
    pub job_type: &'a str,
    /// JSON text.
    pub params: &'a Value,
    /// The owner.
    pub user: Option<UserId>,
    /// Higher first.
    pub priority: i32,
    /// Not before; none: now.
    pub run_at: Option<DateTime<Utc>>,
    /// At most one pending or running job of this type and user.
    pub unique_key: Option<&'a str>,
}

/// Which jobs.
#[derive(Debug, Clone, Default)]
pub struct JobFilter<'a> {
    /// Of this type.
    pub job_type: Option<&'a str>,
    /// In this state.
    pub status: Option<JobStatus>,
    /// Of this user.
    pub user: Option<UserId>,
    /// Created longer ago than this.
    pub older_seconds: Option<f64>,
}

/// A line of `jobs list`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // columns of `jobs`
pub struct JobLine {
    pub id: uuid::Uuid,
    pub job_type: String,
    pub status: String,
    pub priority: i16,
    pub attempt: i32,
    pub percent: Option<f64>,
    pub age_seconds: f64,
    pub run_seconds: Option<f64>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)] // columns of `jobs`
pub struct JobState {
    pub status: String,
    pub attempt: i32,
    pub progress: Option<Value>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub results: Option<Value>,
}

/// A line of `types list`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // columns of `job_types`
pub struct TypeLine {
    pub name: String,
    pub paused: bool,
    pub max_attempts: i32,
    pub timeout_seconds: i32,
    pub max_running: Option<i32>,
    pub max_running_per_user: Option<i32>,
    pub max_pending_per_user: Option<i32>,
    pub user_may_enqueue: bool,
    pub fair: bool,
}

/// A line of `workers list`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // columns of `workers`
pub struct WorkerLine {
    pub id: uuid::Uuid,
    pub host: Option<String>,
    pub version: Option<String>,
    pub slots: Value,
    pub http_address: Option<String>,
    pub up_seconds: f64,
    pub silent_seconds: f64,
}

/// A line of `jobs stats`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // columns of `queue_health`
pub struct StatsLine {
    pub job_type: Option<String>,
    pub paused: Option<bool>,
    pub waiting: Option<i64>,
    pub scheduled: Option<i64>,
    pub not_adopted: Option<i64>,
    pub running: Option<i64>,
    pub oldest_waiting_seconds: Option<f64>,
    pub expired_leases: Option<i64>,
    pub failed_last_hour: Option<i64>,
}

/// Enqueues a job, or returns the one that holds its unique key.
pub async fn enqueue(db: &Db, job: &NewJob<'_>) -> DbResult<JobId> {
    let mut session = db.session().await?;
    let id = sqlx::query_scalar!(
        r#"select public.enqueue_job(job_type => $1, params => $2, user_id => $3, priority => $4,
                  run_at => coalesce($5, now()), unique_key => $6) as "id!""#,
        job.job_type,
        job.params,
        job.user.map(|user| user.0),
        job.priority,
        job.run_at,
        job.unique_key
    )
    .fetch_one(session.exec())
    .await?;
    session.finish().await?;
    Ok(JobId(id))
}

/// The newest jobs first.
pub async fn list(db: &Db, filter: &JobFilter<'_>, limit: i64) -> DbResult<Vec<JobLine>> {
    let mut session = db.session().await?;
    let lines = sqlx::query_as!(
        JobLine,
        r#"select id, coalesce(job_type, '') as "job_type!", coalesce(status, '') as "status!", priority, attempt,
                  case when jsonb_typeof(progress -> 'percent') = 'number'
                       then (progress ->> 'percent')::float8 end as percent,
                  -- Adopted rows may hold times that nothing can be subtracted from.
                  case when isfinite(created_at) then extract(epoch from now() - created_at)
                       else 0 end::float8 as "age_seconds!",
                  case when isfinite(started_at) and isfinite(coalesce(completed_at, now()))
                       then extract(epoch from coalesce(completed_at, now()) - started_at)
                       end::float8 as run_seconds,
                  error_code, error_message
           from public.jobs
           where ($1::text is null or job_type = $1) and ($2::text is null or status = $2)
             and ($3::uuid is null or user_id = $3)
             and ($4::float8 is null or created_at < now() - make_interval(secs => $4))
           order by created_at desc
           limit $5"#,
        filter.job_type,
        filter.status.map(JobStatus::as_str),
        filter.user.map(|user| user.0),
        filter.older_seconds,
        limit
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(lines)
}

/// Everything about a job: its row, attempts, items by status, files, its last logs.
pub async fn show(db: &Db, job: JobId) -> DbResult<Option<Value>> {
    let mut session = db.session().await?;
    let found = sqlx::query_scalar!(
        r#"select to_jsonb(j) || jsonb_build_object(
             'attempts', (select coalesce(jsonb_agg(to_jsonb(a) - 'job_id' order by a.attempt), '[]')
                          from public.job_attempts a where a.job_id = j.id),
             'items', (select coalesce(jsonb_object_agg(i.status, i.n), '{}')
                       from (select status, count(*) as n from public.job_items where job_id = j.id
                             group by status) i),
             'artifacts', (select coalesce(jsonb_agg(to_jsonb(f) order by f.item, f.kind), '[]')
                           from (select kind, item, bucket, key, size_bytes from public.artifacts
                                 where job_id = j.id order by item, kind limit 100) f),
             'logs', (select coalesce(jsonb_agg(to_jsonb(l) order by l.id), '[]')
                      from (select id, logged_at, level, message from public.job_logs
                            where job_id = j.id order by id desc limit 20) l)) as "job!"
           from public.jobs j where j.id = $1"#,
        job.0
    )
    .fetch_optional(session.exec())
    .await?;
    session.finish().await?;
    Ok(found)
}

/// How far a job is; none when there is no such job.
pub async fn state(db: &Db, job: JobId) -> DbResult<Option<JobState>> {
    let mut session = db.session().await?;
    let state = sqlx::query_as!(
        JobState,
        r#"select coalesce(status, '') as "status!", attempt, progress, error_code, error_message, results
           from public.jobs where id = $1"#,
        job.0
    )
    .fetch_optional(session.exec())
    .await?;
    session.finish().await?;
    Ok(state)
}

/// Cancels a job; false when there is nothing to cancel.
pub async fn cancel(db: &Db, job: JobId) -> DbResult<bool> {
    let mut session = db.session().await?;
    let done = sqlx::query_scalar!(r#"select public.cancel_job($1) as "done!""#, job.0)
        .fetch_one(session.exec())
        .await?;
    session.finish().await?;
    Ok(done)
}

/// Sends a failed or cancelled job back to the queue; false when it is neither.
pub async fn retry(db: &Db, job: JobId) -> DbResult<bool> {
    let mut session = db.session().await?;
    let done = sqlx::query_scalar!(r#"select public.retry_job($1) as "done!""#, job.0)
        .fetch_one(session.exec())
        .await?;
    session.finish().await?;
    Ok(done)
}

/// Ids of at most `limit` jobs that match, oldest first; of those that `status` allows.
pub async fn matching(
    db: &Db,
    filter: &JobFilter<'_>,
    statuses: &[JobStatus],
    limit: i64,
) -> DbResult<Vec<JobId>> {
    let statuses: Vec<String> = statuses.iter().map(|status| status.as_str().to_owned()).collect();
    let mut session = db.session().await?;
    let ids = sqlx::query_scalar!(
        r#"select id from public.jobs
           where status = any($1) and ($2::text is null or job_type = $2) and ($3::uuid is null or user_id = $3)
             and ($4::float8 is null or created_at < now() - make_interval(secs => $4))
           order by created_at limit $5"#,
        &statuses,
        filter.job_type,
        filter.user.map(|user| user.0),
        filter.older_seconds,
        limit
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Why a job is not running now: reason and detail; empty when there is no such job.
pub async fn explain(db: &Db, job: JobId) -> DbResult<Vec<(String, String)>> {
    let mut session = db.session().await?;
    let rows = sqlx::query!(
        r#"select reason as "reason!", coalesce(detail, '') as "detail!" from public.explain_job($1)"#,
        job.0
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(rows.into_iter().map(|row| (row.reason, row.detail)).collect())
}

/// The view `queue_health`.
pub async fn stats(db: &Db) -> DbResult<Vec<StatsLine>> {
    let mut session = db.session().await?;
    let lines = sqlx::query_as!(
        StatsLine,
        "select job_type, paused, waiting, scheduled, not_adopted, running, oldest_waiting_seconds, expired_leases,
                failed_last_hour
         from public.queue_health"
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(lines)
}

/// Releases the pending jobs of an adopted database; returns how many.
pub async fn adopt(db: &Db) -> DbResult<i64> {
    let mut session = db.session().await?;
    let adopted = sqlx::query_scalar!(r#"select forgeos.adopt_pending_jobs() as "adopted!""#)
        .fetch_one(session.exec())
        .await?;
    session.finish().await?;
    Ok(adopted)
}

/// All job types.
pub async fn types(db: &Db) -> DbResult<Vec<TypeLine>> {
    let mut session = db.session().await?;
    let lines = sqlx::query_as!(
        TypeLine,
        "select name, paused, max_attempts, timeout_seconds, max_running, max_running_per_user,
                max_pending_per_user, user_may_enqueue, fair
         from public.job_types order by name"
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(lines)
}

/// Pauses or resumes a type; false when there is no such type.
pub async fn set_paused(db: &Db, job_type: &str, paused: bool) -> DbResult<bool> {
    let mut session = db.session().await?;
    let done = sqlx::query!("update public.job_types set paused = $2 where name = $1", job_type, paused)
        .execute(session.exec())
        .await?;
    session.finish().await?;
    Ok(done.rows_affected() > 0)
}

/// A cap to set: `None` leaves it, `Some(None)` removes it.
pub type Cap = Option<Option<i32>>;

/// Sets the caps of a type and whether its users take turns; false when there is no such type.
pub async fn set_limits(
    db: &Db,
    job_type: &str,
    max_running: Cap,
    per_user: Cap,
    pending: Cap,
    fair: Option<bool>,
) -> DbResult<bool> {
    let mut session = db.session().await?;
    let done = sqlx::query!(
        "update public.job_types
         set max_running = case when $2 then $3 else max_running end,
             max_running_per_user = case when $4 then $5 else max_running_per_user end,
             max_pending_per_user = case when $6 then $7 else max_pending_per_user end,
             fair = coalesce($8, fair)
         where name = $1",
        job_type,
        max_running.is_some(),
        max_running.flatten(),
        per_user.is_some(),
        per_user.flatten(),
        pending.is_some(),
        pending.flatten(),
        fair
    )
    .execute(session.exec())
    .await?;
    session.finish().await?;
    Ok(done.rows_affected() > 0)
}

/// The live processes, longest up first.
pub async fn workers(db: &Db) -> DbResult<Vec<WorkerLine>> {
    let mut session = db.session().await?;
    let lines = sqlx::query_as!(
        WorkerLine,
        r#"select id, host, version, slots, http_address,
                  extract(epoch from now() - started_at)::float8 as "up_seconds!",
                  extract(epoch from now() - last_heartbeat_at)::float8 as "silent_seconds!"
           from public.workers order by started_at"#
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(lines)
}

/// One analysed picture of a job.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // columns of `analyses`
pub struct AnalysisLine {
    pub filename: String,
    pub status: String,
    pub metrics: Option<Value>,
    pub output_filename: Option<String>,
}

/// The analyses of a job.
pub async fn analyses_of(db: &Db, job: JobId) -> DbResult<Vec<AnalysisLine>> {
    let mut session = db.session().await?;
    let lines = sqlx::query_as!(
        AnalysisLine,
        r#"select coalesce(filename, '') as "filename!", coalesce(status, '') as "status!", metrics, output_filename
           from public.analyses where job_id = $1 order by filename"#,
        job.0
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(lines)
}

/// Enqueues by a plain insert, as an API or a person in `psql` does.
pub async fn insert_job(db: &Db, job_type: &str, params: &Value, user: UserId) -> DbResult<JobId> {
    let mut session = db.session().await?;
    let id = sqlx::query_scalar!(
        "insert into public.jobs (job_type, params, user_id) values ($1, $2, $3) returning id",
        job_type,
        params,
        user.0
    )
    .fetch_one(session.exec())
    .await?;
    session.finish().await?;
    Ok(JobId(id))
}
