//! Rows of `training_sessions`: what a model is trained on, and what came of it.
//!
//! Whose session a job may touch is decided here: with an owner, a row of anybody else is as good as absent. Which job
//! trains a session stands in the one item of that job; that a session does not stay `running` when its job ends without
//! a model is kept by a trigger of the table `jobs`.

use serde_json::Value;
use uuid::Uuid;

use super::{DbResult, Transaction};
use crate::{ids::UserId, job::Lease};

/// Larger data is not read: ten thousand images with their labels, groups and some boxes have about 2 MB.
pub const MAX_DATA_BYTES: i32 = 32 << 20;

/// A session that is this job's now.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// Its row.
    pub id: Uuid,
    /// Whose it is. Images are looked up for this owner, also by a job of the service: the data is the owner's words.
    pub owner: Option<UserId>,
    /// `training_sessions.data` as JSON text.
    pub data: SessionData,
}

/// What a session says of its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionData {
    /// Nothing.
    Absent,
    /// More than [`MAX_DATA_BYTES`].
    TooLarge,
    /// JSON text.
    Text(String),
}

/// What came of an earlier training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedSession {
    /// Its row.
    pub id: Uuid,
    /// What a batch names.
    pub model_version: String,
    /// `training_sessions.accuracy_metrics`.
    pub accuracy_metrics: Value,
}

/// What a job finds when it opens a session.
#[derive(Debug, Clone)]
pub enum Opening {
    /// It is this job's, and `running`.
    Open(OpenSession),
    /// An earlier attempt of this job has written the model already.
    Trained(TrainedSession),
    /// A job that has not ended yet trains it.
    HeldBy(Uuid),
    /// There is no such session for this owner.
    NotFound,
}

/// Makes the session of a job that brought its own data; one that an earlier attempt made stays. `transaction` must be
/// fenced by this lease.
pub async fn create(
    transaction: &mut Transaction,
    lease: Lease,
    owner: Option<UserId>,
    data: &Value,
    notes: Option<&str>,
) -> DbResult<Uuid> {
    let id = lease.job.derive("training_session", "");
    sqlx::query!(
        r#"insert into public.training_sessions (id, user_id, notes, data, status)
           values ($1, $2, $3, $4, 'pending')
           on conflict (id) do nothing"#,
        id,
        owner.map(|user| user.0),
        notes,
        data
    )
    .execute(transaction.exec())
    .await?;
    Ok(id)
}

/// Takes a session for this job, whatever its status: one that is completed is trained anew. Its version and figures
/// stay until the new ones are there. `transaction` must be fenced by this lease.
pub async fn open(
    transaction: &mut Transaction,
    lease: Lease,
    owner: Option<UserId>,
    id: Uuid,
) -> DbResult<Opening> {
    let found = sqlx::query!(
        r#"select user_id as "user_id: UserId", coalesce(status, '') as "status!", model_version, accuracy_metrics,
                  data is null or data = 'null' as "absent!",
                  case when octet_length(data::text) <= $3 then data::text end as data
           from public.training_sessions
           where id = $1 and ($2::uuid is null or user_id = $2)
           for update"#,
        id,
        owner.map(|user| user.0),
        MAX_DATA_BYTES
    )
    .fetch_optional(transaction.exec())
    .await?;
    let Some(row) = found else { return Ok(Opening::NotFound) };
    // Asked after the row was locked, so that of two jobs the second sees the first.
    let holder = sqlx::query!(
        r#"select i.job_id, i.status from public.job_items i join public.jobs j on j.id = i.job_id
           where i.item = 'training_session' and i.result_id = $1 and j.status in ('pending', 'running')
             and (i.job_id = $2 or i.status = 'running')
           order by i.job_id = $2 desc limit 1"#,
        id,
        lease.job.0
    )
    .fetch_optional(transaction.exec())
    .await?;
    if let Some(holder) = holder {
        let ours = holder.job_id == lease.job.0;
        if !ours && row.status == "running" {
            return Ok(Opening::HeldBy(holder.job_id));
        }
        if let (true, "completed", "completed", Some(model_version), Some(accuracy_metrics)) =
            (ours, holder.status.as_str(), row.status.as_str(), row.model_version, row.accuracy_metrics)
        {
            return Ok(Opening::Trained(TrainedSession { id, model_version, accuracy_metrics }));
        }
    }
    sqlx::query!(
        r#"insert into public.job_items (job_id, item, status, attempt, locked_by, started_at, result_id)
           values ($1, 'training_session', 'running', $2, $3, now(), $4)
           on conflict (job_id, item) do update
             set status = 'running', attempt = $2, locked_by = $3, started_at = now(), completed_at = null, result_id = $4"#,
        lease.job.0,
        lease.attempt,
        lease.worker.0,
        id
    )
    .execute(transaction.exec())
    .await?;
    sqlx::query!(
        "update public.training_sessions set status = 'running', updated_at = now() where id = $1",
        id
    )
    .execute(transaction.exec())
    .await?;
    let data = match row.data {
        _ if row.absent => SessionData::Absent,
        None => SessionData::TooLarge,
        Some(text) => SessionData::Text(text),
    };
    Ok(Opening::Open(OpenSession { id, owner: row.user_id, data }))
}

/// Says what came of it. False when the session is not `running` any more: then nothing may be committed.
/// `transaction` must be fenced by this lease.
pub async fn complete(
    transaction: &mut Transaction,
    lease: Lease,
    trained: &TrainedSession,
) -> DbResult<bool> {
    let done = sqlx::query!(
        r#"update public.training_sessions
           set status = 'completed', model_version = $2, accuracy_metrics = $3, updated_at = now()
           where id = $1 and status = 'running'"#,
        trained.id,
        trained.model_version,
        trained.accuracy_metrics
    )
    .execute(transaction.exec())
    .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query!(
        r#"update public.job_items set status = 'completed', completed_at = now(), locked_by = null, locked_until = null
           where job_id = $1 and item = 'training_session'"#,
        lease.job.0
    )
    .execute(transaction.exec())
    .await?;
    Ok(true)
}

/// Whether this job has completed the session. `transaction` must be fenced by this lease.
pub async fn is_completed(transaction: &mut Transaction, lease: Lease, id: Uuid) -> DbResult<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from public.job_items
                          where job_id = $1 and item = 'training_session' and result_id = $2 and status = 'completed')
           as "completed!""#,
        lease.job.0,
        id
    )
    .fetch_one(transaction.exec())
    .await?)
}
