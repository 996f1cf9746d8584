//! Files that an interrupted attempt wrote and no row points to. They are deleted when the batch ends; what this leaves
//! (a worker that died on the last attempt, a write that arrives late) is for upkeep.

use std::collections::HashSet;

use forgeos_core::{
    JobContext, JobError,
    db::artifacts,
    storage::{Bucket, Key},
};
use futures::TryStreamExt;

/// Deletes the job's files that no row points to. A failure is no fault of the job.
pub(super) async fn remove(ctx: &JobContext) {
    match try_remove(ctx).await {
        Ok(0) => {}
        Ok(removed) => tracing::debug!(removed, "files of interrupted attempts were deleted"),
        Err(error) => {
            tracing::debug!(error = error.chain().join(": "), "files of interrupted attempts were left")
        }
    }
}

async fn try_remove(ctx: &JobContext) -> Result<usize, JobError> {
    let lease = ctx.lease();
    let folder = Key::parse(format!("{}/{}", ctx.job.owner_folder(), lease.job))
        .map_err(|why| JobError::bad_params(why.to_string()))?;
    // The files first: a row that comes later points to a file that is not in this list.
    let files: Vec<Key> =
        ctx.storage.list(Bucket::Outputs, Some(&folder)).map_ok(|found| found.key).try_collect().await?;
    let mut session = ctx.db.session().await?;
    let named: HashSet<String> =
        artifacts::keys(&mut session, lease.job, Bucket::Outputs).await?.into_iter().collect();
    session.finish().await?;
    let mut removed = 0;
    for file in files {
        if !named.contains(file.as_str()) && attempt_of(&file).is_some_and(|attempt| attempt <= lease.attempt)
        {
            ctx.storage.delete(Bucket::Outputs, &file).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The attempt that wrote a file, from its name `{owner}/{job}/{attempt}/…`. Files of later attempts are somebody
/// else's: this worker has lost the job then.
fn attempt_of(file: &Key) -> Option<i32> {
    file.parts().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_attempt_is_read_from_the_name() {
        assert_eq!(attempt_of(&Key::parse("service/job/12/image.jpg").unwrap()), Some(12));
        assert_eq!(attempt_of(&Key::parse("service/job/image.jpg").unwrap()), None);
        assert_eq!(attempt_of(&Key::parse("service/job").unwrap()), None);
    }
}
