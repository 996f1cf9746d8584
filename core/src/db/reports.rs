//! Rows of `reports`: a file that somebody asked for, and where it is reached.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::{DbError, DbResult, Session, Transaction};
use crate::{ids::UserId, job::Lease, storage::Bucket};

/// A report or an export.
#[derive(Debug, Clone)]
pub struct NewReport<'a> {
    /// Derived from job and item, so that a second run writes the same row.
    pub id: Uuid,
    /// The analysis it is about; `None` when it is about several or about none.
    pub analysis_id: Option<Uuid>,
    /// Where the file is reached; carries no signature.
    pub url: &'a str,
    /// `summary`, `standard`, `detailed` or `data_export`.
    pub template: &'a str,
    /// What is known of the file: `format`, `size_bytes`, `generated_at`, …
    pub metadata: &'a Value,
}

/// The id of the row for one file of a job.
#[must_use]
pub fn id_of(lease: Lease, item: &str, format: &str) -> Uuid {
    lease.job.derive("report", &format!("{item}/{format}"))
}

/// Writes a row; that of an earlier attempt is replaced. `transaction` must be fenced by the lease of the job.
///
/// Ids derive from the job's, which its owner may choose: a job that takes the id of a deleted one of somebody else does
/// not get at its rows.
pub async fn record(
    transaction: &mut Transaction,
    owner: Option<UserId>,
    report: &NewReport<'_>,
) -> DbResult<()> {
    let written = sqlx::query!(
        r#"insert into public.reports (id, analysis_id, url, template, metadata, user_id)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (id) do update set
             analysis_id = excluded.analysis_id, url = excluded.url, template = excluded.template,
             metadata = excluded.metadata, created_at = now()
           where reports.user_id is not distinct from excluded.user_id"#,
        report.id,
        report.analysis_id,
        report.url,
        report.template,
        report.metadata,
        owner.map(|u| u.0)
    )
    .execute(transaction.exec())
    .await?;
    match written.rows_affected() {
        0 => Err(DbError::foreign_row("reports")),
        _ => Ok(()),
    }
}

/// A file that counts: it has its row in `artifacts` and its row here.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedReport {
    /// The row.
    pub id: Uuid,
    /// The part of the job that it is of.
    pub item: String,
    /// `artifacts.kind`.
    pub kind: String,
    /// Where the file lies.
    pub bucket: String,
    /// Its name there.
    pub key: String,
    /// Its size.
    pub size_bytes: i64,
    /// Where it is reached.
    pub url: Option<String>,
    /// What is known of it.
    pub metadata: Value,
}

/// The files of a job in `bucket` with their rows; `kinds` are the kinds of artifacts and the formats they stand for.
pub async fn of_job(
    session: &mut Session,
    lease: Lease,
    bucket: Bucket,
    kinds: &[(&str, &str)],
) -> DbResult<Vec<RecordedReport>> {
    let files = sqlx::query!(
        "select item, kind, bucket, key, size_bytes from public.artifacts
         where job_id = $1 and bucket = $2 order by item, kind",
        lease.job.0,
        bucket.as_str()
    )
    .fetch_all(session.exec())
    .await?;
    let ids: Vec<Option<Uuid>> = files
        .iter()
        .map(|file| {
            let (_, format) = kinds.iter().find(|(kind, _)| *kind == file.kind)?;
            Some(id_of(lease, &file.item, format))
        })
        .collect();
    let wanted: Vec<Uuid> = ids.iter().flatten().copied().collect();
    let mut rows: HashMap<Uuid, (Option<String>, Option<Value>)> =
        sqlx::query!("select id, url, metadata from public.reports where id = any($1)", &wanted)
            .fetch_all(session.exec())
            .await?
            .into_iter()
            .map(|row| (row.id, (row.url, row.metadata)))
            .collect();
    Ok(files
        .into_iter()
        .zip(ids)
        .filter_map(|(file, id)| {
            // A row goes with its analysis when its user deletes that.
            let (id, (url, metadata)) = (id?, rows.remove(&id?)?);
            Some(RecordedReport {
                id,
                item: file.item,
                kind: file.kind,
                bucket: file.bucket,
                key: file.key,
                size_bytes: file.size_bytes,
                url,
                metadata: metadata.unwrap_or_default(),
            })
        })
        .collect())
}
