//! Rows of `artifacts`: every file that a job wrote. A file without such a row does not count and is swept.

use serde::Serialize;

use super::{Db, DbResult, Transaction};
use crate::{
    ids::{JobId, UserId},
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

/// A line of `artifacts list`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // columns of `artifacts`
pub struct ArtifactLine {
    pub id: uuid::Uuid,
    pub job_id: Option<uuid::Uuid>,
    pub user_id: Option<uuid::Uuid>,
    pub item: String,
    pub kind: String,
    pub bucket: String,
    pub key: String,
    pub size_bytes: i64,
    pub mime_type: Option<String>,
    pub sha256: Option<String>,
    pub age_seconds: f64,
}

/// Which files to list; empty: all.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArtifactFilter<'a> {
    /// Of this job.
    pub job: Option<JobId>,
    /// Of this owner.
    pub user: Option<UserId>,
    /// `visualization`, `report_pdf`, `model`, …
    pub kind: Option<&'a str>,
}

/// The newest files first.
pub async fn list(db: &Db, filter: ArtifactFilter<'_>, limit: i64) -> DbResult<Vec<ArtifactLine>> {
    let mut session = db.session().await?;
    let lines = sqlx::query_as!(
        ArtifactLine,
        r#"select id, job_id, user_id, item, kind, bucket, key, size_bytes, mime_type, sha256,
                  extract(epoch from now() - created_at)::float8 as "age_seconds!"
           from public.artifacts
           where ($1::uuid is null or job_id = $1) and ($2::uuid is null or user_id = $2)
             and ($3::text is null or kind = $3)
           order by created_at desc, id
           limit $4"#,
        filter.job.map(|job| job.0),
        filter.user.map(|user| user.0),
        filter.kind,
        limit
    )
    .fetch_all(session.exec())
    .await?;
    session.finish().await?;
    Ok(lines)
}

/// What is told of a file to who reads it.
#[derive(Debug, Clone)]
pub struct FileFacts {
    /// Its MIME type.
    pub mime_type: Option<String>,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
}

/// A file that counts: one that a job wrote whole. What only lies in the store is none.
pub async fn of_object(db: &Db, bucket: Bucket, key: &Key) -> DbResult<Option<FileFacts>> {
    let mut session = db.session().await?;
    let found = sqlx::query_as!(
        FileFacts,
        r#"select mime_type, size_bytes, sha256 from public.artifacts
           where bucket = $1 and key = $2 and verified
           order by created_at desc limit 1"#,
        bucket.as_str(),
        key.as_str()
    )
    .fetch_optional(session.exec())
    .await?;
    session.finish().await?;
    Ok(found)
}

/// Where a file lies, by its own id or by that of its row in `reports`.
pub async fn find(db: &Db, id: uuid::Uuid) -> DbResult<Option<(String, String)>> {
    let mut session = db.session().await?;
    let found = sqlx::query!(
        r#"select a.bucket, a.key from public.artifacts a where a.id = $1
           union all
           -- The link of a report ends in the key of its file, which names owner, job and attempt.
           select a.bucket, a.key
           from public.reports r
           join public.artifacts a on a.user_id is not distinct from r.user_id and r.url like '%/' || a.key
           where r.id = $1
           limit 1"#,
        id
    )
    .fetch_optional(session.exec())
    .await?;
    session.finish().await?;
    Ok(found.and_then(|row| row.bucket.zip(row.key)))
}
