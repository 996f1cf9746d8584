//! Sweeping: jobs and cancels whose worker is gone.

use crate::{
    db::{DbResult, Session},
    ids::JobId,
};

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

/// Takes back jobs whose lease has run out: to `pending` at once and to their old place, or to `failed` with `worker_lost` when it was the
/// third or the last attempt. Rows inside a fenced transaction are passed by.
///
/// Nothing is swept until somebody (see [`note_contact`]) has been in contact for one lease and the server has been up
/// that long, because nobody could renew before. The statement proves it itself: a sweeper that was paused after it had
/// looked sweeps nothing.
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
              -- Of a lease of no length there is nothing to prove.
              and ($1 = 0 or exists (
                  select from forgeos.contact c
                  where c.lease_seconds = $1 and c.since <= now() - make_interval(secs => $1)
                    and c.last >= now() - make_interval(secs => $1 / 2)))
            order by j.locked_until nulls first
            limit 200
            for update of j skip locked
        ), swept as (
            update public.jobs j
            set status = case when e.spent then 'failed' else 'pending' end,
                crashes = j.crashes + 1,
                run_at = case when e.spent then j.run_at else least(j.run_at, now()) end,
                completed_at = case when e.spent then now() end,
                results = case when e.spent then coalesce(j.results, (
                        -- What the parts of a batch say; the last attempt could not.
                        select jsonb_build_object(
                            'processed', count(*) filter (where i.status in ('completed', 'failed')),
                            'successful', count(*) filter (where i.status = 'completed'),
                            'failed', count(*) filter (where i.status = 'failed'),
                            'analysis_ids', coalesce(jsonb_agg(i.result_id order by i.position)
                                filter (where i.status = 'completed'), '[]'),
                            'failed_ids', coalesce(jsonb_agg(i.item order by i.position)
                                filter (where i.status = 'failed'), '[]'),
                            'errors', coalesce(jsonb_agg(jsonb_build_object('image_id', i.item) || i.error
                                order by i.position) filter (where i.status = 'failed'), '[]'))
                        from public.job_items i where i.job_id = j.id and j.job_type = 'batch_analysis'
                        having count(*) > 0
                    ), '{}') else j.results end,
                error_code = case when e.spent then 'worker_lost' end,
                error_message = case when e.spent
                    then 'the worker was lost while it ran this job, ' || (j.crashes + 1)
                         || case j.crashes when 0 then ' time' else ' times' end
                         || '; the job may be too large for the machine' end,
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
        ), closed_items as (
            update public.job_items i set status = 'cancelled', locked_by = null, locked_until = null
            from swept s
            where i.job_id = s.id and s.status = 'failed' and i.status in ('pending', 'running')
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

/// Says the last words of cancelled jobs whose holder is dead: closes their unfinished analyses and drops the lease.
/// Answers how many there were. What [`sweep`] proves first is proved here, too.
pub async fn close_abandoned_cancels(session: &mut Session, lease_seconds: f64) -> DbResult<u64> {
    let done = sqlx::query!(
        r#"
        with abandoned as materialized (
            select id from public.jobs
            where status = 'cancelled' and locked_by is not null
              and (locked_until is null or locked_until < now())
              and pg_postmaster_start_time() < now() - make_interval(secs => $1)
              and ($1 = 0 or exists (
                  select from forgeos.contact c
                  where c.lease_seconds = $1 and c.since <= now() - make_interval(secs => $1)
                    and c.last >= now() - make_interval(secs => $1 / 2)))
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
        "#,
        lease_seconds
    )
    .execute(session.exec())
    .await?;
    Ok(done.rows_affected())
}

/// Notes that the database answers. A gap of half a lease begins a new contact, and so does a clock that went back.
/// Several workers of the same lease share one row, which is written at most eight times a lease, however many they are.
pub async fn note_contact(session: &mut Session, lease_seconds: f64) -> DbResult<()> {
    sqlx::query!(
        r#"
        with noted as (
            update forgeos.contact c
            set since = case when c.last between clock_timestamp() - make_interval(secs => $1 / 2) and clock_timestamp()
                             then c.since else clock_timestamp() end,
                last = clock_timestamp()
            where c.lease_seconds = $1
              and c.last not between clock_timestamp() - make_interval(secs => $1 / 8) and clock_timestamp()
        )
        insert into forgeos.contact (lease_seconds)
        select $1 where not exists (select from forgeos.contact where lease_seconds = $1)
        on conflict do nothing
        "#,
        lease_seconds
    )
    .execute(session.exec())
    .await?;
    Ok(())
}
