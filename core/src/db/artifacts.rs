//! Rows of `artifacts`: every file that a job wrote. A file without such a row does not count and is swept.

use super::{DbResult, Transaction};
use crate::{
    ids::UserId,
    job::Lease,
    storage::{Bucket, Key, StoredObject},
};

/// A file that a job wrote.
#[derive(Debug, Clone)]
pub struct NewArtifact<'a> {
    /// The item it belongs to; empty for a file of the job as a whole.
    pub item: &'a str,
    /// What it is, one word: `visualization`, `report`, …
    pub kind: &'a str,
    /// Where it lies.
    pub bucket: Bucket,
    /// Its name there.
    pub key: &'a Key,
    /// What the store has.
    pub object: &'a StoredObject,
    /// Its MIME type.
    pub mime_type: &'a str,
}

/// Notes a file; one of an earlier attempt is replaced. `transaction` must be fenced by this lease.
pub async fn record(
    transaction: &mut Transaction,
    lease: Lease,
    owner: Option<UserId>,
    artifact: &NewArtifact<'_>,
) -> DbResult<()> {
    let id = lease.job.derive("artifact", &format!("{}/{}", artifact.kind, artifact.item));
    sqlx::query!(
        r#"insert into public.artifacts
             (id, job_id, user_id, attempt, item, kind, bucket, key, size_bytes, mime_type, sha256, verified)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           on conflict (job_id, item, kind) do update set
             attempt = excluded.attempt, bucket = excluded.bucket, key = excluded.key,
             size_bytes = excluded.size_bytes, mime_type = excluded.mime_type, sha256 = excluded.sha256,
             verified = excluded.verified, created_at = now()"#,
        id,
        lease.job.0,
        owner.map(|u| u.0),
        lease.attempt,
        artifact.item,
        artifact.kind,
        artifact.bucket.as_str(),
        artifact.key.as_str(),
        i64::try_from(artifact.object.size_bytes).unwrap_or(i64::MAX),
        artifact.mime_type,
        artifact.object.sha256,
        artifact.object.verified
    )
    .execute(transaction.exec())
    .await?;
    Ok(())
}

/// The keys in a bucket that rows of this job point to.
pub async fn keys_of_job(
    transaction: &mut Transaction,
    lease: Lease,
    bucket: Bucket,
) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select key from public.artifacts where job_id = $1 and bucket = $2",
        lease.job.0,
        bucket.as_str()
    )
    .fetch_all(transaction.exec())
    .await?)
}
