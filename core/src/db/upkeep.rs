//! Rows of `forgeos.upkeep` and `forgeos.schedules`: who does what is to be done once, by the database's clock.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{DbResult, Session};
use crate::ids::WorkerId;

/// Takes a task that is due and that nobody holds, for at most `hold_seconds`. Answers whether it is ours.
pub async fn begin(session: &mut Session, task: &str, worker: WorkerId, hold_seconds: f64) -> DbResult<bool> {
    let taken = sqlx::query_scalar!(
        r#"insert into forgeos.upkeep as u (task, held_by, held_until, started_at)
           values ($1, $2, now() + make_interval(secs => $3), now())
           on conflict (task) do update
             set held_by = excluded.held_by, held_until = excluded.held_until, started_at = excluded.started_at
             where u.due_at <= now() and (u.held_until is null or u.held_until < now())
           returning 1 as "taken!""#,
        task,
        worker.0,
        hold_seconds
    )
    .fetch_optional(session.exec())
    .await?;
    Ok(taken.is_some())
}

/// Gives a task back: it is due again after `pause_seconds`.
pub async fn finish(
    session: &mut Session,
    task: &str,
    worker: WorkerId,
    pause_seconds: f64,
    outcome: &str,
) -> DbResult<()> {
    sqlx::query!(
        r#"update forgeos.upkeep
           set due_at = now() + make_interval(secs => $3), held_by = null, held_until = null, ended_at = now(),
               outcome = $4
           where task = $1 and held_by = $2"#,
        task,
        worker.0,
        pause_seconds,
        outcome
    )
    .execute(session.exec())
    .await?;
    Ok(())
}

/// How far a schedule is.
#[derive(Debug, Clone)]
pub struct ScheduleState {
    /// Its name in the settings.
    pub name: String,
    /// The last moment that was fired, or when the schedule was first seen.
    pub last_due_at: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// How far these schedules are; new ones begin now.
pub async fn schedules(session: &mut Session, names: &[String]) -> DbResult<Vec<ScheduleState>> {
    sqlx::query!(
        "insert into forgeos.schedules (name) select unnest($1::text[]) on conflict (name) do nothing",
        names
    )
    .execute(session.exec())
    .await?;
    Ok(sqlx::query_as!(
        ScheduleState,
        r#"select name, last_due_at, now() as "now!" from forgeos.schedules where name = any ($1)"#,
        names
    )
    .fetch_all(session.exec())
    .await?)
}

/// A job that a schedule puts into the queue.
#[derive(Debug, Clone)]
pub struct ScheduledJob<'a> {
    /// The schedule's name.
    pub schedule: &'a str,
    /// The moment that is fired.
    pub due_at: DateTime<Utc>,
    /// The job's id, derived from both.
    pub job_id: Uuid,
    /// Its type.
    pub job_type: &'a str,
    /// Its params as JSON text.
    pub params: &'a str,
}

/// What became of a moment of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// The job is in the queue.
    Enqueued,
    /// The job of an earlier moment is not finished: this moment is passed over.
    StillRunning,
    /// Another worker was first.
    Already,
}

/// Fires a moment, once. The job's unique key is the schedule's name.
pub async fn fire(session: &mut Session, job: &ScheduledJob<'_>) -> DbResult<Fired> {
    let outcome = sqlx::query_scalar!(
        r#"select forgeos.fire_schedule($1, $2, $3, $4, $5::text::jsonb) as "outcome!""#,
        job.schedule,
        job.due_at,
        job.job_id,
        job.job_type,
        job.params
    )
    .fetch_one(session.exec())
    .await?;
    Ok(match outcome.as_str() {
        "already" => Fired::Already,
        "still_running" => Fired::StillRunning,
        _ => Fired::Enqueued,
    })
}
