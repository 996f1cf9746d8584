//! What belongs to one user, and its end: for those who have the right to be forgotten.

use serde::Serialize;

use super::{DbResult, Session};
use crate::ids::UserId;

/// Rows of one user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // tables
pub struct OwnedRows {
    pub jobs: i64,
    pub analyses: i64,
    pub reports: i64,
    pub training_sessions: i64,
    pub artifacts: i64,
    pub audit_log: i64,
}

/// How many rows a user has.
pub async fn count(session: &mut Session, user: UserId) -> DbResult<OwnedRows> {
    Ok(sqlx::query_as!(
        OwnedRows,
        r#"select (select count(*) from public.jobs where user_id = $1) as "jobs!",
                  (select count(*) from public.analyses where user_id = $1) as "analyses!",
                  (select count(*) from public.reports where user_id = $1) as "reports!",
                  (select count(*) from public.training_sessions where user_id = $1) as "training_sessions!",
                  (select count(*) from public.artifacts where user_id = $1) as "artifacts!",
                  (select count(*) from public.audit_log where user_id = $1) as "audit_log!""#,
        user.0
    )
    .fetch_one(session.exec())
    .await?)
}

/// Cancels what a user has in the queue. Answers how many of the user's jobs a worker still holds.
pub async fn cancel(session: &mut Session, user: UserId) -> DbResult<i64> {
    sqlx::query!(
        "update public.jobs set status = 'cancelled' where user_id = $1 and status in ('pending', 'running')",
        user.0
    )
    .execute(session.exec())
    .await?;
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "held!" from public.jobs where user_id = $1 and locked_until > now()"#,
        user.0
    )
    .fetch_one(session.exec())
    .await?)
}

/// Deletes every row of a user. Items, attempts and logs go with their jobs.
pub async fn delete(session: &mut Session, user: UserId) -> DbResult<()> {
    sqlx::query!(
        "with reports as (delete from public.reports where user_id = $1),
              analyses as (delete from public.analyses where user_id = $1),
              sessions as (delete from public.training_sessions where user_id = $1),
              artifacts as (delete from public.artifacts where user_id = $1),
              audit as (delete from public.audit_log where user_id = $1)
         delete from public.jobs where user_id = $1",
        user.0
    )
    .execute(session.exec())
    .await?;
    Ok(())
}
