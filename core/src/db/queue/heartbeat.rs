//! The heartbeat: renews leases and carries progress.

use uuid::Uuid;

use crate::{
    db::{DbResult, Session},
    ids::{JobId, WorkerId},
};

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
