//! Claiming: the due rows of the types that this worker takes, in their order, as many as it can start.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    db::{DbResult, Exec, Session},
    ids::{JobId, UserId, WorkerId},
    job::{ClaimedJob, Lease},
};

/// How many jobs of a type may be claimed now.
#[derive(Debug, Clone, Default)]
pub struct ClaimRequest {
    /// `job_types.name`.
    pub job_types: Vec<String>,
    /// For each of them, at most so many rows.
    pub limits: Vec<i32>,
}

/// Claims due jobs, for each type in the order priority, `run_at`, `created_at`. Types with a rule (a limit of
/// running jobs, turns of users) are left to [`super::caps`].
///
/// For each type the scan steps through the priorities that exist (a loose index scan) and takes what is due within
/// each, so it reads no row that it cannot take: rows far in the future end a range at its first entry, other types
/// and finished rows are never touched. `= any(array(…))` is an optimisation fence: the plan of the inner scan does not
/// depend on how the planner joins the update.
pub async fn claim(
    session: &mut Session,
    worker: WorkerId,
    lease_seconds: f64,
    request: &ClaimRequest,
) -> DbResult<Vec<ClaimedJob>> {
    claim_with(session.exec(), worker, lease_seconds, request, false).await
}

pub(super) async fn claim_with(
    exec: Exec<'_>,
    worker: WorkerId,
    lease_seconds: f64,
    request: &ClaimRequest,
    capped_too: bool,
) -> DbResult<Vec<ClaimedJob>> {
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"
        with due as materialized (
            select array(
                select picked.id
                from unnest($1::text[], $2::int[]) as wanted (job_type, free)
                join public.job_types t on t.name = wanted.job_type and not t.paused
                    and ($5 or (t.max_running is null and t.max_running_per_user is null and not t.fair))
                cross join lateral (
                    with recursive step (priority) as (
                        (select j.priority from public.jobs j
                         where j.status = 'pending' and j.job_type = wanted.job_type
                         order by j.priority desc limit 1)
                        union all
                        select (select j.priority from public.jobs j
                                where j.status = 'pending' and j.job_type = wanted.job_type
                                  and j.priority < step.priority
                                order by j.priority desc limit 1)
                        from step where step.priority is not null
                    )
                    select candidate.id
                    from step
                    cross join lateral (
                        select j.id from public.jobs j
                        where j.status = 'pending' and j.job_type = wanted.job_type
                          and j.priority = step.priority and j.run_at <= now()
                        order by j.run_at, j.created_at
                        limit wanted.free
                        for update skip locked
                    ) candidate
                    where step.priority is not null
                    limit wanted.free
                ) picked
            ) as ids
        ), claimed as (
            update public.jobs j
            set status = 'running', attempt = j.attempt + 1, locked_by = $3,
                locked_until = now() + make_interval(secs => $4),
                started_at = coalesce(j.started_at, now()), progress = null, updated_at = now()
            where j.id = any ((select ids from due)::uuid[])
            returning j.id, j.job_type, j.params::text as params, j.user_id, j.attempt,
                      j.attempts_forgiven, j.max_attempts, j.crashes, j.priority, j.run_at, j.created_at,
                      j.started_at, j.traceparent
        )
        select c.id as "id!", c.job_type as "job_type!", c.params, c.user_id, c.attempt as "attempt!",
               c.attempt - c.attempts_forgiven as "attempts_used!",
               coalesce(c.max_attempts, t.max_attempts) as "max_attempts!",
               t.timeout_seconds as "timeout_seconds!", c.crashes as "crashes!", least(greatest(c.created_at, '1970-01-01'), '9999-12-31') as "created_at!",
               least(greatest(c.started_at, '1970-01-01'), now()) as "first_started_at!", now() as "claimed_at!", extract(epoch from now() - c.run_at)::float8 as "waited_seconds!",
               c.traceparent
        from claimed c join public.job_types t on t.name = c.job_type
        order by c.priority desc, c.run_at, c.created_at
        "#,
        &request.job_types,
        &request.limits,
        worker.0,
        lease_seconds,
        capped_too
    )
    .fetch_all(exec)
    .await?;
    Ok(rows.into_iter().map(|row| row.into_job(worker)).collect())
}

/// A row as both ways of claiming return it.
pub(super) struct ClaimedRow {
    pub(super) id: Uuid,
    pub(super) job_type: String,
    pub(super) params: Option<String>,
    pub(super) user_id: Option<Uuid>,
    pub(super) attempt: i32,
    pub(super) attempts_used: i32,
    pub(super) max_attempts: i32,
    pub(super) timeout_seconds: i32,
    pub(super) crashes: i32,
    pub(super) created_at: DateTime<Utc>,
    pub(super) first_started_at: DateTime<Utc>,
    pub(super) claimed_at: DateTime<Utc>,
    pub(super) waited_seconds: f64,
    pub(super) traceparent: Option<String>,
}

impl ClaimedRow {
    pub(super) fn into_job(self, worker: WorkerId) -> ClaimedJob {
        ClaimedJob {
            lease: Lease { job: JobId(self.id), attempt: self.attempt, worker },
            job_type: self.job_type,
            params: self.params,
            user_id: self.user_id.map(UserId),
            attempts_used: self.attempts_used,
            max_attempts: self.max_attempts,
            timeout_seconds: self.timeout_seconds,
            crashes: self.crashes,
            created_at: self.created_at,
            first_started_at: self.first_started_at,
            claimed_at: self.claimed_at,
            waited_seconds: self.waited_seconds,
            traceparent: self.traceparent,
        }
    }
}

/// Gives back rows that were claimed for this worker without its knowing: the answer to a claim was lost with its
/// connection. `held` are the jobs that it does know of. Answers how many there were.
pub async fn release_unknown(session: &mut Session, worker: WorkerId, held: &[JobId]) -> DbResult<u64> {
    let held: Vec<Uuid> = held.iter().map(|job| job.0).collect();
    let done = sqlx::query!(
        r#"update public.jobs
           set status = 'pending', attempts_forgiven = attempts_forgiven + 1, run_at = least(run_at, now()),
               locked_by = null, locked_until = null, updated_at = now()
           where status = 'running' and locked_by = $1 and id <> all ($2)"#,
        worker.0,
        &held
    )
    .execute(session.exec())
    .await?;
    Ok(done.rows_affected())
}
