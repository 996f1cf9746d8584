//! Settling: what became of an attempt, many at a time.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    db::{DbResult, Session},
    ids::{JobId, WorkerId},
    job::Lease,
    progress::ProgressSnapshot,
};

/// A completed job.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The right to write it.
    pub lease: Lease,
    /// `jobs.results` as JSON text.
    pub results: Option<String>,
    /// `jobs.progress` as the handler left it; the heartbeat may not have come to write it.
    pub progress: Option<ProgressSnapshot>,
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
    let progress: Vec<Option<String>> = completions.iter().map(|c| text_of(c.progress.as_ref())).collect();
    let rows = sqlx::query!(
        r#"
        with done as (
            select * from unnest($1::uuid[], $2::int[], $3::text[], $5::text[]) as d (id, attempt, results, progress)
        ), settled as (
            update public.jobs j
            set status = 'completed', results = done.results::jsonb, error_code = null, error_message = null,
                completed_at = now(), locked_by = null, locked_until = null, updated_at = now(),
                progress = coalesce(done.progress::jsonb, j.progress)
                    || jsonb_build_object('done', coalesce(done.progress::jsonb, j.progress) -> 'total', 'percent', 100)
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
        worker.0,
        &progress as &[Option<String>]
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
    /// `jobs.progress` as the handler left it; `None` leaves what the heartbeat has written.
    pub progress: Option<ProgressSnapshot>,
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
    let progress: Vec<Option<String>> = endings.iter().map(|e| text_of(e.progress.as_ref())).collect();
    let rows = sqlx::query!(
        r#"
        with ending as (
            select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::int[], $6::float8[],
                                 $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
                                 $13::text[])
                as e (id, attempt, status, outcome, forgiven, delay_seconds, results, error_code, error_message,
                      error_chain, started_at, progress)
        ), settled as (
            update public.jobs j
            set status = ending.status,
                attempts_forgiven = j.attempts_forgiven + ending.forgiven,
                -- What is given back without a pause keeps its place before those that came later.
                run_at = case when ending.status <> 'pending' then j.run_at
                              when ending.delay_seconds > 0 then now() + make_interval(secs => ending.delay_seconds)
                              else least(j.run_at, now()) end,
                results = case when ending.status = 'pending' then coalesce(ending.results::jsonb, j.results)
                               else coalesce(ending.results::jsonb, j.results, '{}') end,
                -- What is given back without a word keeps the words of the attempt before.
                error_code = case when ending.status <> 'failed' then coalesce(ending.error_code, j.error_code)
                                  else ending.error_code end,
                error_message = case when ending.status <> 'failed'
                                     then coalesce(ending.error_message, j.error_message)
                                     else ending.error_message end,
                completed_at = case when ending.status = 'failed' then now() else j.completed_at end,
                progress = coalesce(ending.progress::jsonb, j.progress),
                locked_by = null, locked_until = null, updated_at = now()
            from ending
            where j.id = any ($1) and j.id = ending.id and j.attempt = ending.attempt and j.locked_by = $12
              and j.status = case when ending.status = 'cancelled' then 'cancelled' else 'running' end
            returning j.id, j.job_type, ending.status, ending.delay_seconds
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
        select id as "id!", case when status = 'failed' then pg_notify('forgeos_done', id::text)::text
                                     when status = 'pending' and delay_seconds = 0
                                     then pg_notify('forgeos_jobs', job_type)::text end as told
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
        worker.0,
        &progress as &[Option<String>]
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows.into_iter().map(|row| JobId(row.id)).collect())
}

fn text_of(progress: Option<&ProgressSnapshot>) -> Option<String> {
    progress.map(|p| serde_json::json!(p).to_string())
}
