//! Jobs by the thousand for a load test, and what became of them. All belong to one user who was made up for the test, so
//! that they can be told from others' and erased with everything they made.

use serde::Serialize;
use serde_json::Value;

use super::{Db, DbResult};
use crate::ids::UserId;

/// Enqueues one job for each of `params`, in one statement.
pub async fn enqueue(db: &Db, user: UserId, job_type: &str, params: &[Value]) -> DbResult<()> {
    let mut session = db.session().await?;
    sqlx::query!(
        "insert into public.jobs (job_type, params, user_id)
         select $1, one.params, $2 from unnest($3::jsonb[]) as one(params)",
        job_type,
        user.0,
        params
    )
    .execute(session.exec())
    .await?;
    session.finish().await
}

/// How many of the user's jobs are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // values of `jobs.status`
pub struct Counts {
    pub pending: i64,
    pub running: i64,
    pub completed: i64,
    pub failed: i64,
    pub cancelled: i64,
}

impl Counts {
    /// Jobs that have ended.
    #[must_use]
    pub fn ended(&self) -> i64 {
        self.completed + self.failed + self.cancelled
    }
}

/// Counts them.
pub async fn counts(db: &Db, user: UserId) -> DbResult<Counts> {
    let mut session = db.session().await?;
    let counts = sqlx::query_as!(
        Counts,
        r#"select count(*) filter (where status = 'pending') as "pending!",
                  count(*) filter (where status = 'running') as "running!",
                  count(*) filter (where status = 'completed') as "completed!",
                  count(*) filter (where status = 'failed') as "failed!",
                  count(*) filter (where status = 'cancelled') as "cancelled!"
           from public.jobs where user_id = $1"#,
        user.0
    )
    .fetch_one(session.exec())
    .await?;
    session.finish().await?;
    Ok(counts)
}

/// What the jobs took, by the clock of the database. Seconds; none before a job has completed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)] // of waiting and of running: the middle, 95 and 99 in a hundred, the longest
pub struct Figures {
    /// From the first job that began to the last that ended.
    pub seconds: Option<f64>,
    /// From insert to start.
    pub wait_p50: Option<f64>,
    pub wait_p95: Option<f64>,
    pub wait_p99: Option<f64>,
    pub wait_max: Option<f64>,
    /// From start to end.
    pub run_p50: Option<f64>,
    pub run_p95: Option<f64>,
    pub run_p99: Option<f64>,
    pub run_max: Option<f64>,
    /// Claims beyond the first of a job.
    pub further_attempts: i64,
    /// What the job that failed first gave as its reason.
    pub first_error: Option<String>,
}

/// Measures them.
pub async fn figures(db: &Db, user: UserId) -> DbResult<Figures> {
    let mut session = db.session().await?;
    let figures = sqlx::query_as!(
        Figures,
        r#"with ended as (
             select extract(epoch from started_at - created_at)::float8 as wait,
                    extract(epoch from completed_at - started_at)::float8 as run,
                    started_at, completed_at
             from public.jobs where user_id = $1 and status = 'completed'
           ), waits as (
             select percentile_disc(array[0.5, 0.95, 0.99, 1]) within group (order by wait) as p from ended
           ), runs as (
             select percentile_disc(array[0.5, 0.95, 0.99, 1]) within group (order by run) as p from ended
           )
           select (select extract(epoch from max(completed_at) - min(started_at))::float8 from ended) as seconds,
                  waits.p[1] as wait_p50, waits.p[2] as wait_p95, waits.p[3] as wait_p99, waits.p[4] as wait_max,
                  runs.p[1] as run_p50, runs.p[2] as run_p95, runs.p[3] as run_p99, runs.p[4] as run_max,
                  (select coalesce(sum(greatest(attempt - 1, 0)), 0)::bigint
                   from public.jobs where user_id = $1) as "further_attempts!",
                  (select error_message from public.jobs where user_id = $1 and status = 'failed'
                   order by completed_at limit 1) as first_error
           from waits, runs"#,
        user.0
    )
    .fetch_one(session.exec())
    .await?;
    session.finish().await?;
    Ok(figures)
}
