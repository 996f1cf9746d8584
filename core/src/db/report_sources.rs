//! What a report is made from: analyses, and the job that made them. Reads only.
//!
//! Whose data a job may touch is decided here: with an owner, a row of anybody else is as good as absent. Rows may have
//! been written by others than the worker, so nothing in them can make a statement fail: metrics come as text, times
//! within what a calendar holds.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{DbResult, Session, images};
use crate::{
    ids::{JobId, UserId},
    storage::{Key, KeyError},
};

/// A row of `analyses`.
#[derive(Debug, Clone)]
pub struct SourceAnalysis {
    /// Its id.
    pub id: Uuid,
    /// The job that made it.
    pub job_id: Option<Uuid>,
    /// When it was made; none where that is infinite or not within the years 1 to 9999.
    pub created_at: Option<DateTime<Utc>>,
    /// `completed`, `failed`, …; any word at all in rows that the worker has not written.
    pub status: String,
    /// The photograph, as its user calls it.
    pub filename: Option<String>,
    /// The visualization.
    pub output_filename: Option<String>,
    /// JSON text; none when it is larger than [`MAX_METRICS_BYTES`].
    pub metrics: Option<String>,
}

/// Metrics that are larger are not read: those of the worker have some thousand bytes.
pub const MAX_METRICS_BYTES: i32 = 1_000_000;

impl SourceAnalysis {
    /// The photograph in bucket `images`, by the rules that a batch has; none when the row names none.
    #[must_use]
    pub fn photograph(&self, owner: Option<UserId>) -> Option<Result<Key, KeyError>> {
        let name = self.filename.as_deref().filter(|name| !name.is_empty())?;
        Some(images::key_of(owner, name))
    }

    /// The visualization in bucket `outputs`. Others than the worker may have written the row: a user's job takes it
    /// only from the user's own folder.
    #[must_use]
    pub fn visualization(&self, owner: Option<UserId>) -> Option<Key> {
        let key = Key::parse(self.output_filename.as_deref().filter(|name| !name.is_empty())?).ok()?;
        owner.is_none_or(|user| key.belongs_to(user)).then_some(key)
    }
}

/// Those of the analyses that there are for this owner.
pub async fn find(
    session: &mut Session,
    owner: Option<UserId>,
    ids: &[Uuid],
) -> DbResult<HashMap<Uuid, SourceAnalysis>> {
    let rows = sqlx::query_as!(
        SourceAnalysis,
        r#"select id, job_id, case when created_at between '0001-01-01Z' and '9999-12-31 23:59:59.999999Z' then created_at end
                      as created_at,
                  coalesce(status, '') as "status!", filename, output_filename,
                  case when octet_length(metrics::text) <= $3 then metrics::text end as metrics
           from public.analyses where id = any($1) and ($2::uuid is null or user_id = $2)"#,
        ids,
        owner.map(|user| user.0),
        MAX_METRICS_BYTES
    )
    .fetch_all(session.exec())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A job whose analyses a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceJob {
    /// `jobs.job_type`.
    pub job_type: String,
    /// `jobs.status`.
    pub status: String,
    /// Whether a worker still holds it: a cancelled job is closed by its holder a moment later.
    pub held: bool,
    /// `jobs.error_message`.
    pub error_message: Option<String>,
    /// Items done, of its progress.
    pub done: i64,
    /// Items in all, of its progress; 0 when it says nothing.
    pub total: i64,
}

/// The job with this id, if there is one for this owner.
pub async fn job(session: &mut Session, owner: Option<UserId>, id: Uuid) -> DbResult<Option<SourceJob>> {
    Ok(sqlx::query_as!(
        SourceJob,
        r#"select coalesce(job_type, '') as "job_type!", coalesce(status, '') as "status!",
                  locked_by is not null and coalesce(locked_until > now(), false) as "held!", error_message,
                  coalesce(case when progress ->> 'done' ~ '^\d{1,9}$' then (progress ->> 'done')::bigint end, 0)
                      as "done!",
                  coalesce(case when progress ->> 'total' ~ '^\d{1,9}$' then (progress ->> 'total')::bigint end, 0)
                      as "total!"
           from public.jobs where id = $1 and ($2::uuid is null or user_id = $2)"#,
        id,
        owner.map(|user| user.0)
    )
    .fetch_optional(session.exec())
    .await?)
}

/// The analyses of a batch in the order of its images; of a batch from before the worker, which has no items, in the
/// order in which they were made. At most `limit`.
pub async fn analyses_of(
    session: &mut Session,
    owner: Option<UserId>,
    job: JobId,
    limit: i64,
) -> DbResult<Vec<Uuid>> {
    let planned = sqlx::query_scalar!(
        r#"select result_id as "id!" from public.job_items
           where job_id = $1 and result_id is not null
           group by result_id order by min(position), result_id limit $2"#,
        job.0,
        limit
    )
    .fetch_all(session.exec())
    .await?;
    if !planned.is_empty() {
        return Ok(planned);
    }
    Ok(sqlx::query_scalar!(
        "select id from public.analyses where job_id = $1 and ($2::uuid is null or user_id = $2)
         order by created_at, id limit $3",
        job.0,
        owner.map(|user| user.0),
        limit
    )
    .fetch_all(session.exec())
    .await?)
}

/// Whether one of the analyses is completed.
pub async fn any_completed(session: &mut Session, owner: Option<UserId>, ids: &[Uuid]) -> DbResult<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from public.analyses
                          where id = any($1) and status = 'completed' and ($2::uuid is null or user_id = $2))
           as "any!""#,
        ids,
        owner.map(|user| user.0)
    )
    .fetch_one(session.exec())
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis(output: &str) -> SourceAnalysis {
        SourceAnalysis {
            id: Uuid::nil(),
            job_id: None,
            created_at: Some(Utc::now()),
            status: "completed".into(),
            filename: Some("a.png".into()),
            output_filename: Some(output.into()),
            metrics: None,
        }
    }

    #[test]
    fn a_users_report_takes_visualizations_from_the_own_folder_only() {
        let (me, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        assert!(analysis(&format!("{me}/job/1/a.jpg")).visualization(Some(me)).is_some());
        for foreign in
            [format!("{other}/job/1/a.jpg"), format!("{me}/../{other}/a.jpg"), "service/a.jpg".into()]
        {
            assert_eq!(analysis(&foreign).visualization(Some(me)), None, "{foreign}");
        }
        assert!(analysis("service/a.jpg").visualization(None).is_some());
        assert_eq!(analysis("").visualization(None), None);
    }
}
