//! The hot statements of the queue: claim, heartbeat, settle, sweep. Each is one statement; each write after a claim
//! proves the lease (`id`, `attempt`, `locked_by`, `status = 'running'`).
//!
//! They run on a pool with [`super::Planning::Queue`]; `= any($1)` leads to the primary key.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{DbResult, Session};
use crate::{
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

/// Claims due jobs, for each type in the order priority, `run_at`, `created_at`.
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
    let rows = sqlx::query!(
        r#"
        with due as materialized (
            select array(
                select picked.id
                from unnest($1::text[], $2::int[]) as wanted (job_type, free)
                join public.job_types t on t.name = wanted.job_type and not t.paused
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
               t.timeout_seconds as "timeout_seconds!", c.crashes as "crashes!", c.created_at as "created_at!",
               c.started_at as "first_started_at!", now() as "claimed_at!", extract(epoch from now() - c.run_at)::float8 as "waited_seconds!",
               c.traceparent
        from claimed c join public.job_types t on t.name = c.job_type
        order by c.priority desc, c.run_at, c.created_at
        "#,
        &request.job_types,
        &request.limits,
        worker.0,
        lease_seconds
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ClaimedJob {
            lease: Lease { job: JobId(row.id), attempt: row.attempt, worker },
            job_type: row.job_type,
            params: row.params,
            user_id: row.user_id.map(UserId),
            attempts_used: row.attempts_used,
            max_attempts: row.max_attempts,
            timeout_seconds: row.timeout_seconds,
            crashes: row.crashes,
            created_at: row.created_at,
            first_started_at: row.first_started_at,
            claimed_at: row.claimed_at,
            waited_seconds: row.waited_seconds,
            traceparent: row.traceparent,
        })
        .collect())
}

/// What the table says of a lease that a heartbeat could not renew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostLease {
    /// The job and the attempt that this process holds.
    pub job: JobId,
    /// The attempt that was held.
    pub attempt: i32,
    /// Called off while it ran: last words are still allowed.
    pub cancelled: bool,
}

/// Renews leases and writes progress; answers those that are lost. Touches no indexed column, so that the new row
/// version stays on its page (HOT). Rows that are just being settled are passed by, so it never waits.
pub async fn heartbeat(
    session: &mut Session,
    worker: WorkerId,
    lease_seconds: f64,
    leases: &[(JobId, i32, Option<String>)],
) -> DbResult<Vec<LostLease>> {
    let ids: Vec<Uuid> = leases.iter().map(|l| l.0.0).collect();
    let attempts: Vec<i32> = leases.iter().map(|l| l.1).collect();
    let progress: Vec<Option<String>> = leases.iter().map(|l| l.2.clone()).collect();
    let rows = sqlx::query!(
        r#"
        with held as (
            select * from unnest($1::uuid[], $2::int[], $3::text[]) as h (id, attempt, progress)
        ), free as materialized (
            select j.id from public.jobs j
            where j.id = any ($1)
            for no key update skip locked
        ), renewed as (
            update public.jobs j
            set locked_until = now() + make_interval(secs => $5),
                progress = coalesce(held.progress::jsonb, j.progress), updated_at = now()
            from held join free using (id)
            where j.id = any ($1) and j.id = held.id and j.attempt = held.attempt and j.locked_by = $4
              and j.status = 'running'
        )
        select held.id as "id!", held.attempt as "attempt!",
               coalesce(j.status = 'cancelled' and j.attempt = held.attempt and j.locked_by = $4, false)
                   as "cancelled!"
        from held left join public.jobs j on j.id = held.id
        where (j.attempt = held.attempt and j.locked_by = $4 and j.status = 'running') is not true
        "#,
        &ids,
        &attempts,
        &progress as &[Option<String>],
        worker.0,
        lease_seconds
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LostLease { job: JobId(row.id), attempt: row.attempt, cancelled: row.cancelled })
        .collect())
}

/// A completed job.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The right to write it.
    pub lease: Lease,
    /// `jobs.results` as JSON text.
    pub results: Option<String>,
}

/// Settles completed jobs and announces them. Answers the jobs whose lease still held; the others keep what the table
/// says of them.
pub async fn complete(
    session: &mut Session,
    worker: WorkerId,
    completions: &[Completion],
) -> DbResult<Vec<JobId>> {
    let ids: Vec<Uuid> = completions.iter().map(|c| c.lease.job.0).collect();
    let attempts: Vec<i32> = completions.iter().map(|c| c.lease.attempt).collect();
    let results: Vec<Option<String>> = completions.iter().map(|c| c.results.clone()).collect();
    let rows = sqlx::query!(
        r#"
        with done as (
            select * from unnest($1::uuid[], $2::int[], $3::text[]) as d (id, attempt, results)
        ), settled as (
            update public.jobs j
            set status = 'completed', results = done.results::jsonb, error_code = null, error_message = null,
                completed_at = now(), locked_by = null, locked_until = null, updated_at = now(),
                progress = case when j.progress is not null
                    then j.progress || jsonb_build_object('done', j.progress -> 'total', 'percent', 100) end
            from done
            where j.id = any ($1) and j.id = done.id and j.attempt = done.attempt and j.locked_by = $4
              and j.status = 'running'
            returning j.id
        )
        select id as "id!", pg_notify('forgeos_done', id::text)::text from settled
        "#,
        &ids,
        &attempts,
        &results as &[Option<String>],
        worker.0
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows.into_iter().map(|row| JobId(row.id)).collect())
}

/// How an attempt that did not complete ends.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The right to write it.
    pub lease: Lease,
    /// The next status: `failed` or `pending`; `cancelled` for the last words of a job that was called off.
    pub status: &'static str,
    /// `job_attempts.outcome`; `None` writes no attempt (the cancel itself has written it).
    pub outcome: Option<&'static str>,
    /// Not to be counted against `max_attempts`.
    pub forgiven: bool,
    /// When pending: from now, in seconds.
    pub delay_seconds: f64,
    /// `jobs.results` as JSON text.
    pub results: Option<String>,
    /// `jobs.error_code`.
    pub error_code: Option<&'static str>,
    /// `jobs.error_message`.
    pub error_message: Option<String>,
    /// `job_attempts.error_chain`.
    pub error_chain: Vec<String>,
    /// When this attempt was claimed, where that is known.
    pub started_at: Option<DateTime<Utc>>,
}

/// Settles attempts that did not complete: failed, retried later, given back, or the last words after a cancel.
/// Answers the jobs whose lease still held.
pub async fn end(session: &mut Session, worker: WorkerId, endings: &[Ending]) -> DbResult<Vec<JobId>> {
    let ids: Vec<Uuid> = endings.iter().map(|e| e.lease.job.0).collect();
    let attempts: Vec<i32> = endings.iter().map(|e| e.lease.attempt).collect();
    let statuses: Vec<String> = endings.iter().map(|e| e.status.to_owned()).collect();
    let outcomes: Vec<Option<String>> = endings.iter().map(|e| e.outcome.map(str::to_owned)).collect();
    let forgiven: Vec<i32> = endings.iter().map(|e| i32::from(e.forgiven)).collect();
    let delays: Vec<f64> = endings.iter().map(|e| e.delay_seconds).collect();
    let results: Vec<Option<String>> = endings.iter().map(|e| e.results.clone()).collect();
    let codes: Vec<Option<String>> = endings.iter().map(|e| e.error_code.map(str::to_owned)).collect();
    let messages: Vec<Option<String>> = endings.iter().map(|e| e.error_message.clone()).collect();
    let chains: Vec<String> = endings.iter().map(|e| serde_json::json!(e.error_chain).to_string()).collect();
    let started: Vec<Option<DateTime<Utc>>> = endings.iter().map(|e| e.started_at).collect();
    let rows = sqlx::query!(
        r#"
        with ending as (
            select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::int[], $6::float8[],
                                 $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
                as e (id, attempt, status, outcome, forgiven, delay_seconds, results, error_code, error_message,
                      error_chain, started_at)
        ), settled as (
            update public.jobs j
            set status = ending.status,
                attempts_forgiven = j.attempts_forgiven + ending.forgiven,
                run_at = case when ending.status = 'pending'
                              then now() + make_interval(secs => ending.delay_seconds) else j.run_at end,
                results = coalesce(ending.results::jsonb, j.results),
                error_code = case when ending.status = 'cancelled' then j.error_code else ending.error_code end,
                error_message = case when ending.status = 'cancelled' then j.error_message
                                     else ending.error_message end,
                completed_at = case when ending.status = 'failed' then now() else j.completed_at end,
                locked_by = null, locked_until = null, updated_at = now()
            from ending
            where j.id = any ($1) and j.id = ending.id and j.attempt = ending.attempt and j.locked_by = $12
              and j.status = case when ending.status = 'cancelled' then 'cancelled' else 'running' end
            returning j.id, ending.status
        ), recorded as (
            insert into public.job_attempts
                (job_id, attempt, worker_id, started_at, ended_at, duration_ms, outcome, error_code, error_chain)
            select e.id, e.attempt, $12, e.started_at, now(),
                   (extract(epoch from now() - e.started_at) * 1000)::bigint,
                   e.outcome, e.error_code,
                   array(select jsonb_array_elements_text(e.error_chain::jsonb))
            from ending e join settled s on s.id = e.id
            where e.outcome is not null
            on conflict (job_id, attempt) do nothing
        ), closed as (
            -- What the handler left open can no longer be finished.
            update public.analyses a
            set status = 'failed',
                metrics = jsonb_build_object('error', jsonb_build_object(
                    'code', coalesce(e.error_code, 'cancelled'),
                    'message', coalesce(e.error_message, 'the job was cancelled')))
            from ending e join settled s on s.id = e.id
            where a.job_id = e.id and a.status in ('pending', 'processing') and e.status in ('failed', 'cancelled')
        )
        select id as "id!", case when status = 'failed' then pg_notify('forgeos_done', id::text)::text end as told
        from settled
        "#,
        &ids,
        &attempts,
        &statuses,
        &outcomes as &[Option<String>],
        &forgiven,
        &delays,
        &results as &[Option<String>],
        &codes as &[Option<String>],
        &messages as &[Option<String>],
        &chains,
        &started as &[Option<DateTime<Utc>>],
        worker.0
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows.into_iter().map(|row| JobId(row.id)).collect())
}

/// A job whose lease had run out, and what became of it.
#[derive(Debug, Clone)]
pub struct Swept {
    /// The job.
    pub job: JobId,
    /// Its type.
    pub job_type: String,
    /// `pending` or `failed`.
    pub status: String,
    /// Leases lost, this one included.
    pub crashes: i32,
}

/// Takes back jobs whose lease has run out: to `pending` at once, or to `failed` with `worker_lost` when it was the
/// third or the last attempt. Rows inside a fenced transaction are passed by. Nothing is swept until the server has
/// been up for one lease, because nobody could renew while it was down.
pub async fn sweep(session: &mut Session, lease_seconds: f64, max_crashes: i32) -> DbResult<Vec<Swept>> {
    let rows = sqlx::query!(
        r#"
        with expired as materialized (
            select j.id, j.attempt, j.locked_by, j.locked_until,
                   j.crashes + 1 >= $2
                       or j.attempt - j.attempts_forgiven >= coalesce(j.max_attempts, t.max_attempts, 3) as spent
            from public.jobs j left join public.job_types t on t.name = j.job_type
            where j.status = 'running' and (j.locked_until is null or j.locked_until < now())
              and pg_postmaster_start_time() < now() - make_interval(secs => $1)
            order by j.locked_until nulls first
            limit 200
            for update of j skip locked
        ), swept as (
            update public.jobs j
            set status = case when e.spent then 'failed' else 'pending' end,
                crashes = j.crashes + 1,
                run_at = case when e.spent then j.run_at else now() end,
                completed_at = case when e.spent then now() end,
                error_code = case when e.spent then 'worker_lost' end,
                error_message = case when e.spent
                    then 'the worker was lost ' || (j.crashes + 1)
                         || ' times while it ran this job; it may be too large for the machine' end,
                locked_by = null, locked_until = null, updated_at = now()
            from expired e where j.id = e.id
            returning j.id, j.job_type, j.status, j.crashes, e.attempt, e.locked_by, j.started_at
        ), recorded as (
            insert into public.job_attempts
                (job_id, attempt, worker_id, started_at, ended_at, duration_ms, outcome, error_code, error_chain)
            select s.id, s.attempt, s.locked_by, null, now(), null, 'lost', 'worker_lost',
                   array['the lease ran out without a heartbeat']
            from swept s
            on conflict (job_id, attempt) do nothing
        ), closed as (
            update public.analyses a
            set status = 'failed',
                metrics = '{"error": {"code": "worker_lost", "message": "the worker was lost"}}'
            from swept s
            where a.job_id = s.id and s.status = 'failed' and a.status in ('pending', 'processing')
        )
        select id as "id!", coalesce(job_type, '') as "job_type!", status as "status!", crashes as "crashes!",
               case when status = 'failed' then pg_notify('forgeos_done', id::text)::text
                    else pg_notify('forgeos_jobs', coalesce(job_type, ''))::text end as told
        from swept
        "#,
        lease_seconds,
        max_crashes
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Swept {
            job: JobId(row.id),
            job_type: row.job_type,
            status: row.status,
            crashes: row.crashes,
        })
        .collect())
}

/// Job types in the table that this process may serve: those that are both registered here and known there.
pub async fn known_job_types(session: &mut Session) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!("select name from public.job_types order by name")
        .fetch_all(session.exec())
        .await?)
}

/// Gives back rows that were claimed for this worker without its knowing: the answer to a claim was lost with its
/// connection. `held` are the jobs that it does know of. Answers how many there were.
pub async fn release_unknown(session: &mut Session, worker: WorkerId, held: &[JobId]) -> DbResult<u64> {
    let held: Vec<Uuid> = held.iter().map(|job| job.0).collect();
    let done = sqlx::query!(
        r#"update public.jobs
           set status = 'pending', attempts_forgiven = attempts_forgiven + 1, run_at = now(),
               locked_by = null, locked_until = null, updated_at = now()
           where status = 'running' and locked_by = $1 and id <> all ($2)"#,
        worker.0,
        &held
    )
    .execute(session.exec())
    .await?;
    Ok(done.rows_affected())
}

/// Says the last words of cancelled jobs whose holder is dead: closes their unfinished analyses and drops the lease.
/// Answers how many there were.
pub async fn close_abandoned_cancels(session: &mut Session) -> DbResult<u64> {
    let done = sqlx::query!(
        r#"
        with abandoned as materialized (
            select id from public.jobs
            where status = 'cancelled' and locked_by is not null
              and (locked_until is null or locked_until < now())
            limit 200
            for update skip locked
        ), closed as (
            update public.analyses a
            set status = 'failed',
                metrics = '{"error": {"code": "cancelled", "message": "the job was cancelled"}}'
            from abandoned where a.job_id = abandoned.id and a.status in ('pending', 'processing')
        )
        update public.jobs j set locked_by = null, locked_until = null, updated_at = now()
        from abandoned where j.id = abandoned.id
        "#
    )
    .execute(session.exec())
    .await?;
    Ok(done.rows_affected())
}

/// Whether the database answers.
pub async fn ping(session: &mut Session) -> DbResult<()> {
    sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(session.exec()).await?;
    Ok(())
}
