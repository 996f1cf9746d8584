//! Claims of job types that have a rule: running jobs are limited (`max_running`, `max_running_per_user`), or users take
//! turns (`fair`).
//!
//! The limits are strict: a claim locks the type's row first and counts afterwards, in a statement that sees everything
//! that was committed before the lock. Another process that claims the same type at that moment is not waited for. Types
//! without a rule pay nothing for this: see [`super::claim`].

use super::{
    claim::{ClaimRequest, ClaimedRow, claim_with},
    turns::{self, Turn},
};
use crate::{
    db::{DbResult, Session, Transaction},
    ids::WorkerId,
    job::ClaimedJob,
};

/// Those of `job_types` that have a rule.
pub async fn ruled_types(session: &mut Session, job_types: &[String]) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select name from public.job_types
           where name = any ($1)
             and (max_running is not null or max_running_per_user is not null or fair)
           order by name"#,
        job_types
    )
    .fetch_all(session.exec())
    .await?)
}

/// Claims due jobs of one type that has a rule, `demand` at most. `turn` moves on where users take turns.
pub async fn claim(
    transaction: &mut Transaction,
    worker: WorkerId,
    lease_seconds: f64,
    job_type: &str,
    demand: i32,
    turn: &mut Turn,
) -> DbResult<Vec<ClaimedJob>> {
    // Turns alone need no lock: rows are locked one by one.
    let unlimited = sqlx::query_scalar!(
        r#"select true from public.job_types
           where name = $1 and not paused and fair and max_running is null and max_running_per_user is null"#,
        job_type
    )
    .fetch_optional(transaction.exec())
    .await?;
    if unlimited.is_some() {
        return turns::claim(transaction, worker, lease_seconds, job_type, demand, None, turn).await;
    }
    let caps = sqlx::query!(
        r#"select max_running, max_running_per_user, fair from public.job_types
           where name = $1 and not paused
           for no key update skip locked"#,
        job_type
    )
    .fetch_optional(transaction.exec())
    .await?;
    let Some(caps) = caps else { return Ok(Vec::new()) };
    let mut free = demand;
    if let Some(most) = caps.max_running {
        let running = sqlx::query_scalar!(
            r#"select count(*)::int as "running!" from public.jobs where status = 'running' and job_type = $1"#,
            job_type
        )
        .fetch_one(transaction.exec())
        .await?;
        free = free.min(most - running);
    }
    if free <= 0 {
        return Ok(Vec::new());
    }
    match caps.max_running_per_user {
        per_user if caps.fair => {
            turns::claim(transaction, worker, lease_seconds, job_type, free, per_user, turn).await
        }
        Some(most) => claim_per_user(transaction, worker, lease_seconds, job_type, free, most).await,
        None => {
            let request = ClaimRequest { job_types: vec![job_type.to_owned()], limits: vec![free] };
            claim_with(transaction.exec(), worker, lease_seconds, &request, true).await
        }
    }
}

/// Steps through the users that have pending jobs and takes of each what is left of their share. Jobs of the service
/// belong to no user and have no share.
async fn claim_per_user(
    transaction: &mut Transaction,
    worker: WorkerId,
    lease_seconds: f64,
    job_type: &str,
    free: i32,
    per_user: i32,
) -> DbResult<Vec<ClaimedJob>> {
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"
        with recursive step (user_id) as (
            (select j.user_id from public.jobs j
             where j.status = 'pending' and j.user_id is not null
             order by j.user_id limit 1)
            union all
            select (select j.user_id from public.jobs j
                    where j.status = 'pending' and j.user_id is not null and j.user_id > step.user_id
                    order by j.user_id limit 1)
            from step where step.user_id is not null
        ), share (user_id, free) as (
            select step.user_id,
                   greatest(0, $3::int - (select count(*) from public.jobs r
                                     where r.status = 'running' and r.job_type = $1
                                       and r.user_id = step.user_id))
            from step where step.user_id is not null
        ), picked as materialized (
            select candidate.id
            from (
                select theirs.*
                from share cross join lateral (
                    select j.id, j.priority, j.run_at, j.created_at from public.jobs j
                    where j.status = 'pending' and j.job_type = $1 and j.user_id = share.user_id
                      and j.run_at <= now()
                    order by j.priority desc, j.run_at, j.created_at
                    limit share.free
                ) theirs
                union all
                (select j.id, j.priority, j.run_at, j.created_at from public.jobs j
                 where j.status = 'pending' and j.job_type = $1 and j.user_id is null and j.run_at <= now()
                 order by j.priority desc, j.run_at, j.created_at
                 limit $2)
            ) candidate
            order by candidate.priority desc, candidate.run_at, candidate.created_at
            limit $2
        ), locked as materialized (
            select j.id from public.jobs j
            where j.id = any (array(select id from picked)) and j.status = 'pending'
            for update skip locked
        ), claimed as (
            update public.jobs j
            set status = 'running', attempt = j.attempt + 1, locked_by = $4,
                locked_until = now() + make_interval(secs => $5),
                started_at = coalesce(j.started_at, now()), progress = null, updated_at = now()
            where j.id = any (array(select id from locked))
            returning j.id, j.job_type, j.params::text as params, j.user_id, j.attempt,
                      j.attempts_forgiven, j.max_attempts, j.crashes, j.priority, j.run_at, j.created_at,
                      j.started_at, j.traceparent
        )
        select c.id as "id!", c.job_type as "job_type!", c.params, c.user_id, c.attempt as "attempt!",
               c.attempt - c.attempts_forgiven as "attempts_used!",
               coalesce(c.max_attempts, t.max_attempts) as "max_attempts!",
               t.timeout_seconds as "timeout_seconds!", c.crashes as "crashes!", least(greatest(c.created_at, '1970-01-01'), '9999-12-31') as "created_at!",
               least(greatest(c.started_at, '1970-01-01'), now()) as "first_started_at!", now() as "claimed_at!",
               extract(epoch from now() - c.run_at)::float8 as "waited_seconds!", c.traceparent
        from claimed c join public.job_types t on t.name = c.job_type
        order by c.priority desc, c.run_at, c.created_at
        "#,
        job_type,
        i64::from(free),
        per_user,
        worker.0,
        lease_seconds
    )
    .fetch_all(transaction.exec())
    .await?;
    Ok(rows.into_iter().map(|row| row.into_job(worker)).collect())
}
