//! Fair claims (`job_types.fair`): within a priority users take turns, so that the many jobs of one do not keep the few of
//! another waiting. A choice of the operator, because a turn is a look-up of its own; types without it pay
//! nothing. Whose turn it is next is each worker's own knowledge: turns are fair within a process, and so over all of them.

use uuid::Uuid;

use super::claim::ClaimedRow;
use crate::{
    db::{DbResult, Transaction},
    ids::{UserId, WorkerId},
    job::ClaimedJob,
};

/// Stands for jobs of the service, which take turns as those of one user, the last.
const SERVICE: Uuid = Uuid::max();

/// The user who had the last turn; a worker begins anywhere, so that many do not all begin with the same user.
#[derive(Debug, Clone, Copy)]
pub struct Turn(Uuid);

impl Turn {
    /// Anywhere.
    #[must_use]
    pub fn anywhere() -> Self {
        Self(Uuid::new_v4())
    }

    fn of(user: Option<UserId>) -> Self {
        Self(user.map_or(SERVICE, |user| user.0))
    }
}

/// Claims up to `free` due jobs of a type in turns and moves `turn` on.
pub(super) async fn claim(
    transaction: &mut Transaction,
    worker: WorkerId,
    lease_seconds: f64,
    job_type: &str,
    free: i32,
    per_user: Option<i32>,
    turn: &mut Turn,
) -> DbResult<Vec<ClaimedJob>> {
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"
        select c.id as "id!", c.job_type as "job_type!", c.params::text as params, c.user_id, c.attempt as "attempt!",
               c.attempt - c.attempts_forgiven as "attempts_used!",
               coalesce(c.max_attempts, t.max_attempts) as "max_attempts!",
               t.timeout_seconds as "timeout_seconds!", c.crashes as "crashes!", least(greatest(c.created_at, '1970-01-01'), '9999-12-31') as "created_at!",
               least(greatest(c.started_at, '1970-01-01'), now()) as "first_started_at!", now() as "claimed_at!",
               extract(epoch from now() - c.run_at)::float8 as "waited_seconds!", c.traceparent
        from forgeos.claim_in_turns($1, $2, $3, $4, $5, $6) with ordinality c
        join public.job_types t on t.name = c.job_type
        order by c.ordinality
        "#,
        job_type,
        free,
        worker.0,
        lease_seconds,
        turn.0,
        per_user
    )
    .fetch_all(transaction.exec())
    .await?;
    let jobs: Vec<ClaimedJob> = rows.into_iter().map(|row| row.into_job(worker)).collect();
    if let Some(last) = jobs.last() {
        *turn = Turn::of(last.user_id);
    }
    Ok(jobs)
}
