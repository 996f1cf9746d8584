//! The files of trained models, as rows of `artifacts` know them. Reads only.
//!
//! A file counts because of its row alone, which only the worker writes: size and SHA-256 come from here, never from the
//! store. With an owner, a model of anybody else is as good as absent.

use uuid::Uuid;

use super::{DbResult, Session};
use crate::{ids::UserId, job::Lease, storage::Bucket};

/// `artifacts.kind` of a model; its `item` is the model's version.
pub const MODEL_KIND: &str = "model";
/// `artifacts.kind` of a curve of its evaluation.
pub const PLOT_KIND: &str = "model_plot";

/// A model in bucket `models`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// The row of `artifacts`.
    pub artifact_id: Uuid,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// Its name in the bucket.
    pub key: String,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// The newest file of this version for each user who has one, of at most two users: a version is one user's, unless
/// somebody wrote rows by hand.
pub async fn find(session: &mut Session, owner: Option<UserId>, version: &str) -> DbResult<Vec<StoredModel>> {
    Ok(sqlx::query_as!(
        StoredModel,
        r#"select distinct on (user_id) id as artifact_id, user_id as "user_id: UserId", key, size_bytes,
                  coalesce(sha256, '') as "sha256!"
           from public.artifacts
           where kind = 'model' and bucket = 'models' and item = $1 and ($2::uuid is null or user_id = $2)
           order by user_id, created_at desc, id
           limit 2"#,
        version,
        owner.map(|user| user.0)
    )
    .fetch_all(session.exec())
    .await?)
}

/// A file of a training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingFile {
    /// The row of `artifacts`.
    pub artifact_id: Uuid,
    /// [`MODEL_KIND`] or [`PLOT_KIND`].
    pub kind: String,
    /// The version, or what the plot shows.
    pub item: String,
    /// Its name in bucket `models`.
    pub key: String,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// The files of a training job, the model first.
pub async fn of_job(session: &mut Session, lease: Lease) -> DbResult<Vec<TrainingFile>> {
    Ok(sqlx::query_as!(
        TrainingFile,
        r#"select id as artifact_id, kind, item, key, size_bytes, coalesce(sha256, '') as "sha256!"
           from public.artifacts where job_id = $1 and bucket = $2 order by kind, item"#,
        lease.job.0,
        Bucket::Models.as_str()
    )
    .fetch_all(session.exec())
    .await?)
}
