//! Deletes what is old: objects before rows, so that whatever interrupts it, no object is left that nobody knows of.

use std::fmt;

use forgeos_core::{
    db::{Db, DbResult, prune},
    storage::{Bucket, Key, Storage, StorageError},
};
use futures::{StreamExt, pin_mut};
use serde::Serialize;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::settings::RetentionSettings;

/// Jobs that are looked up, and files, at a time.
const AT_ONCE: i64 = 10_000;
/// Jobs, and files, that are deleted in one statement: an item table of a large batch goes with its job.
const CHUNK: usize = 100;
/// Lines of logs that are deleted in one statement.
const LINES: i64 = 10_000;
/// Where jobs put files.
const BUCKETS: [Bucket; 4] = [Bucket::Outputs, Bucket::Reports, Bucket::Models, Bucket::Exports];

/// What pruning works with.
#[derive(Debug)]
pub struct Prune<'a> {
    /// The database.
    pub db: &'a Db,
    /// The object store.
    pub storage: &'a Storage,
    /// What is old.
    pub retention: RetentionSettings,
}

/// What went, or would go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Completed jobs.
    pub completed: u64,
    /// Failed jobs.
    pub failed: u64,
    /// Cancelled jobs.
    pub cancelled: u64,
    /// Lines of logs.
    pub log_lines: u64,
    /// Files.
    pub files: u64,
    /// Their size, in bytes.
    pub file_bytes: u64,
    /// Jobs and files that stay for now, because the store did not let go of a file.
    pub left: u64,
}

impl Pruned {
    /// Whether there was nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn count(&mut self, status: &str) {
        match status {
            "completed" => self.completed += 1,
            "failed" => self.failed += 1,
            _ => self.cancelled += 1,
        }
    }
}

impl fmt::Display for Pruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { completed, failed, cancelled, log_lines, files, file_bytes, left } = self;
        write!(
            f,
            "{completed} completed, {failed} failed and {cancelled} cancelled jobs, {log_lines} lines of logs, {files} \
             files of {:.1} MB deleted",
            *file_bytes as f64 / 1e6
        )?;
        if *left > 0 {
            write!(f, "; {left} left for the next time, because the store did not let go of a file")?;
        }
        Ok(())
    }
}

impl Prune<'_> {
    /// Says what would go, and deletes nothing. Files that no row points to are found only when they are deleted.
    pub async fn look(&self) -> DbResult<Pruned> {
        let mut pruned = Pruned::default();
        let mut session = self.db.session().await?;
        let (completed, failed) = self.days();
        for job in prune::old_jobs(&mut session, completed, failed, i64::MAX).await? {
            pruned.count(&job.status);
        }
        if self.retention.log_days > 0 {
            let lines = prune::count_old_logs(&mut session, days(self.retention.log_days)).await?;
            pruned.log_lines = u64::try_from(lines).unwrap_or_default();
        }
        for file in prune::unlinked_files(&mut session, i64::MAX).await? {
            pruned.files += 1;
            pruned.file_bytes += u64::try_from(file.size_bytes).unwrap_or_default();
        }
        session.finish().await?;
        Ok(pruned)
    }

    /// Deletes.
    pub async fn run(&self) -> DbResult<Pruned> {
        let mut pruned = Pruned::default();
        self.unlinked_files(&mut pruned).await?;
        self.logs(&mut pruned).await?;
        self.jobs(&mut pruned).await?;
        let mut session = self.db.session().await?;
        prune::forget_silent_workers(&mut session).await?;
        session.finish().await?;
        Ok(pruned)
    }

    fn days(&self) -> (i32, i32) {
        (days(self.retention.completed_days), days(self.retention.failed_days))
    }

    async fn jobs(&self, pruned: &mut Pruned) -> DbResult<()> {
        let (completed, failed) = self.days();
        loop {
            let mut session = self.db.session().await?;
            let old = prune::old_jobs(&mut session, completed, failed, AT_ONCE).await?;
            session.finish().await?;
            let mut deleted = 0;
            for chunk in old.chunks(CHUNK) {
                let mut ready = Vec::with_capacity(chunk.len());
                for job in chunk {
                    match if job.interrupted { self.leftovers(job, pruned).await? } else { Ok(()) } {
                        Ok(()) => ready.push(job.id),
                        Err(error) => {
                            debug!(job.id = %job.id, %error, "its files cannot be deleted now");
                            pruned.left += 1;
                        }
                    }
                }
                let mut session = self.db.session().await?;
                deleted += prune::delete_jobs(&mut session, &ready).await?;
                session.finish().await?;
                chunk.iter().filter(|job| ready.contains(&job.id)).for_each(|job| pruned.count(&job.status));
            }
            // What could not go is looked up again: only progress is a reason to go on.
            if old.len() < AT_ONCE as usize || deleted == 0 {
                return Ok(());
            }
        }
    }

    /// Deletes the files of a job that no row points to. The outer error is the database's, the inner one the store's.
    async fn leftovers(
        &self,
        job: &prune::OldJob,
        pruned: &mut Pruned,
    ) -> DbResult<Result<(), StorageError>> {
        let owner = job.user_id.map_or_else(|| "service".to_owned(), |user| user.to_string());
        let Ok(folder) = Key::parse(format!("{owner}/{}", job.id)) else { return Ok(Ok(())) };
        for bucket in BUCKETS {
            let found: Vec<_> = {
                let listed = self.storage.list(bucket, Some(&folder));
                pin_mut!(listed);
                let mut found = Vec::new();
                while let Some(object) = listed.next().await {
                    match object {
                        Ok(object) => found.push(object),
                        Err(StorageError::NotFound) => break,
                        Err(error) => return Ok(Err(error)),
                    }
                }
                found
            };
            if found.is_empty() {
                continue;
            }
            let keys: Vec<String> = found.iter().map(|object| object.key.as_str().to_owned()).collect();
            let mut session = self.db.session().await?;
            let recorded = prune::recorded_keys(&mut session, bucket.as_str(), &keys).await?;
            session.finish().await?;
            for object in found.iter().filter(|object| !recorded.iter().any(|key| key == object.key.as_str()))
            {
                if let Err(error) = self.storage.delete(bucket, &object.key).await {
                    return Ok(Err(error));
                }
                pruned.files += 1;
                pruned.file_bytes += object.size_bytes;
            }
        }
        Ok(Ok(()))
    }

    async fn unlinked_files(&self, pruned: &mut Pruned) -> DbResult<()> {
        loop {
            let mut session = self.db.session().await?;
            let files = prune::unlinked_files(&mut session, AT_ONCE).await?;
            session.finish().await?;
            let mut gone: Vec<Uuid> = Vec::with_capacity(files.len());
            for file in &files {
                let place = file.bucket.parse::<Bucket>().ok().zip(Key::parse(file.key.clone()).ok());
                if let Some((bucket, key)) = place
                    && let Err(error) = self.storage.delete(bucket, &key).await
                {
                    warn!(%error, "a file of a deleted row cannot be deleted now");
                    pruned.left += 1;
                    continue;
                }
                gone.push(file.id);
                pruned.files += 1;
                pruned.file_bytes += u64::try_from(file.size_bytes).unwrap_or_default();
            }
            let mut session = self.db.session().await?;
            prune::forget_files(&mut session, &gone).await?;
            session.finish().await?;
            if files.len() < AT_ONCE as usize || gone.is_empty() {
                return Ok(());
            }
        }
    }

    async fn logs(&self, pruned: &mut Pruned) -> DbResult<()> {
        if self.retention.log_days == 0 {
            return Ok(());
        }
        loop {
            let mut session = self.db.session().await?;
            let deleted = prune::delete_old_logs(&mut session, days(self.retention.log_days), LINES).await?;
            session.finish().await?;
            pruned.log_lines += deleted;
            if deleted < LINES as u64 {
                return Ok(());
            }
        }
    }
}

/// The settings' range is checked where they are read.
fn days(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}
