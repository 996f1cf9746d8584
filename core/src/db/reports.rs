//! Rows of `reports`: a file that somebody asked for, and where it is reached.

use serde_json::Value;
use uuid::Uuid;

use super::{DbResult, Transaction};
use crate::{ids::UserId, job::Lease};

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
pub async fn record(
    transaction: &mut Transaction,
    owner: Option<UserId>,
    report: &NewReport<'_>,
) -> DbResult<()> {
    sqlx::query!(
        r#"insert into public.reports (id, analysis_id, url, template, metadata, user_id)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (id) do update set
             analysis_id = excluded.analysis_id, url = excluded.url, template = excluded.template,
             metadata = excluded.metadata, user_id = excluded.user_id, created_at = now()"#,
        report.id,
        report.analysis_id,
        report.url,
        report.template,
        report.metadata,
        owner.map(|u| u.0)
    )
    .execute(transaction.exec())
    .await?;
    Ok(())
}
