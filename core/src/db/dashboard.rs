//! What the dashboard shows: counts by type, processes, reasons of failures. No row of a job is shown, and nothing that
//! belongs to a user. A look is bounded: it gives up on a database that is too busy for it, instead of adding to its load.

use super::{
    Db, DbResult,
    console::{StatsLine, WorkerLine},
};

/// Failed jobs of the last hour with one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // columns of `jobs`
pub struct FailureLine {
    pub job_type: String,
    pub error_code: String,
    pub jobs: i64,
}

/// One look at the queue.
#[derive(Debug, Clone)]
pub struct Look {
    /// The view `queue_health`.
    pub types: Vec<StatsLine>,
    /// The live processes, longest up first; at most 200.
    pub workers: Vec<WorkerLine>,
    /// The most frequent reasons of failures, at most 20.
    pub failures: Vec<FailureLine>,
    /// Who holds vacuum back, and for how many seconds.
    pub xmin_holder: Option<(String, Option<f64>)>,
}

/// Looks once. Each statement may take 5 s at most.
pub async fn look(db: &Db) -> DbResult<Look> {
    let mut tx = db.begin().await?;
    sqlx::query!("select set_config('statement_timeout', '5s', true)").fetch_one(tx.exec()).await?;
    let types = sqlx::query_as!(
        StatsLine,
        "select job_type, paused, waiting, scheduled, not_adopted, running, oldest_waiting_seconds, expired_leases,
                failed_last_hour
         from public.queue_health"
    )
    .fetch_all(tx.exec())
    .await?;
    let workers = sqlx::query_as!(
        WorkerLine,
        r#"select id, host, version, slots, http_address,
                  extract(epoch from now() - started_at)::float8 as "up_seconds!",
                  extract(epoch from now() - last_heartbeat_at)::float8 as "silent_seconds!"
           from public.workers order by started_at limit 200"#
    )
    .fetch_all(tx.exec())
    .await?;
    let failures = sqlx::query_as!(
        FailureLine,
        r#"select coalesce(job_type, '') as "job_type!", coalesce(error_code, '') as "error_code!", count(*) as "jobs!"
           from public.jobs
           where status = 'failed' and completed_at > now() - interval '1 hour'
           group by 1, 2 order by 3 desc, 1, 2 limit 20"#
    )
    .fetch_all(tx.exec())
    .await?;
    let holder = sqlx::query!(
        r#"select holder as "holder!", extract(epoch from now() - since)::float8 as seconds
           from forgeos.xmin_holder() where holder is not null"#
    )
    .fetch_optional(tx.exec())
    .await?;
    tx.commit().await?;
    Ok(Look { types, workers, failures, xmin_holder: holder.map(|row| (row.holder, row.seconds)) })
}
