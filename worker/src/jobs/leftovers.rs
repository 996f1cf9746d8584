//! Deletes the files of a job that no row points to: what an interrupted attempt had put and not recorded.
//!
//! Only files of this attempt and of earlier ones are looked at: a later attempt may have put files whose rows are
//! still to come. A store that refuses costs nothing but the space.

use std::collections::HashSet;

use forgeos_core::{
    JobContext, JobStatus,
    db::{DbError, artifacts},
    storage::{Bucket, Key},
};
use futures::{StreamExt, pin_mut};

/// Deletes the leftovers of the job in `bucket`, under the lease of a job that is still in `status`.
pub(super) async fn delete(ctx: &JobContext, bucket: Bucket, status: JobStatus) {
    match try_delete(ctx, bucket, status).await {
        Ok(0) => {}
        Ok(files) => {
            tracing::debug!(files, bucket = bucket.as_str(), "deleted files of interrupted attempts")
        }
        Err(error) => tracing::debug!(%error, "files of interrupted attempts were not deleted"),
    }
}

async fn try_delete(ctx: &JobContext, bucket: Bucket, status: JobStatus) -> Result<usize, DbError> {
    let lease = ctx.lease();
    let mut transaction = match status {
        JobStatus::Cancelled => ctx.db.begin_fenced_cancelled(lease).await?,
        _ => ctx.db.begin_fenced(lease).await?,
    };
    let recorded: HashSet<String> =
        artifacts::keys_of_job(&mut transaction, lease, bucket).await?.into_iter().collect();
    transaction.commit().await?;
    let Ok(folder) = Key::parse(format!("{}/{}", ctx.job.owner_folder(), lease.job)) else { return Ok(0) };
    let found = ctx.storage.list(bucket, Some(&folder));
    pin_mut!(found);
    let mut deleted = 0;
    while let Some(Ok(object)) = found.next().await {
        let attempt = object.key.parts().nth(2).and_then(|part| part.parse::<i32>().ok());
        let ours = attempt.is_some_and(|attempt| attempt <= lease.attempt);
        if ours
            && !recorded.contains(object.key.as_str())
            && ctx.storage.delete(bucket, &object.key).await.is_ok()
        {
            deleted += 1;
        }
    }
    Ok(deleted)
}
