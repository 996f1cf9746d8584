//! Folders of this machine as buckets.
//!
//! The object store crate follows symbolic links wherever they lead; here none below a bucket is followed, and nothing
//! but plain files is opened (a named pipe would block its reader for ever).

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use object_store::{ObjectStore, local::LocalFileSystem};

use super::{Bucket, Key, StorageError, StorageResult, error::FOLDER_PERMISSIONS};

/// The folders of one root, one a bucket.
#[derive(Debug)]
pub(super) struct LocalFolders {
    root: PathBuf,
    /// Signs links; read when first needed.
    pub(super) link_key: OnceLock<ring::hmac::Key>,
}

impl LocalFolders {
    /// Creates what is missing of the root and its five folders.
    pub(super) fn create(root: &Path) -> StorageResult<Self> {
        let problem = |e: io::Error| {
            StorageError::Settings(format!(
                "the folder `{}` cannot be used: {e}; --storage-url or --data-dir chooses another",
                root.display()
            ))
        };
        for bucket in Bucket::ALL {
            std::fs::create_dir_all(root.join(bucket.as_str())).map_err(problem)?;
        }
        Ok(Self { root: root.canonicalize().map_err(problem)?, link_key: OnceLock::new() })
    }

    /// The folder above the buckets.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The store of one bucket. Files and their folders are synced before a put returns: a row that points to the
    /// file must not outlive it in a power cut.
    pub(super) fn bucket(&self, bucket: Bucket) -> StorageResult<Arc<dyn ObjectStore>> {
        let store = LocalFileSystem::new_with_prefix(self.root.join(bucket.as_str()))
            .map_err(|e| StorageError::Settings(e.to_string()))?;
        Ok(Arc::new(store.with_automatic_cleanup(true).with_fsync(true)))
    }

    /// Where the object lies, or will.
    pub(super) fn path(&self, bucket: Bucket, key: &Key) -> PathBuf {
        let mut path = self.root.join(bucket.as_str());
        path.extend(key.parts());
        path
    }

    /// Lets only keys through whose path below the bucket has no symbolic link and ends in a plain file or in nothing.
    pub(super) async fn guard(&self, bucket: Bucket, key: &Key) -> StorageResult<()> {
        let mut path = self.root.join(bucket.as_str());
        // Without its folder a bucket is not empty but gone: an unmounted disk must not look like lost files.
        match tokio::fs::metadata(&path).await {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(unavailable(&path, io::Error::from(io::ErrorKind::NotADirectory))),
            Err(e) => return Err(unavailable(&path, e)),
        }
        let last = key.parts().count();
        for (position, part) in (1..).zip(key.parts()) {
            path.push(part);
            match tokio::fs::symlink_metadata(&path).await {
                Ok(found) if found.is_dir() && position < last => {}
                Ok(found) if found.is_file() && position == last => {}
                Ok(_) => return Err(StorageError::NotFound),
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(StorageError::Refused { reason: FOLDER_PERMISSIONS, source: Box::new(e) });
                }
                Err(e) => return Err(unavailable(&path, e)),
            }
        }
        Ok(())
    }

    /// Deletes the files that a folder holds of uploads which nobody finished; answers how many.
    pub(super) async fn remove_staged(&self, bucket: Bucket, folder: &Key) -> StorageResult<u64> {
        let path = self.path(bucket, folder);
        // Like `guard`, but the last part is a folder.
        let child = Key::parse(format!("{folder}/x"))?;
        match self.guard(bucket, &child).await {
            Ok(()) => {}
            Err(StorageError::NotFound) => return Ok(0),
            Err(error) => return Err(error),
        }
        let mut entries = match tokio::fs::read_dir(&path).await {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(e) => return Err(unavailable(&path, e)),
        };
        let mut removed = 0;
        while let Some(entry) = entries.next_entry().await.map_err(|e| unavailable(&path, e))? {
            if staged_for(&entry.file_name()).is_some() && tokio::fs::remove_file(entry.path()).await.is_ok()
            {
                removed += 1;
            }
        }
        // The store crate makes folders and removes only those of files that it deletes.
        if removed > 0 {
            let _ = tokio::fs::remove_dir(&path).await;
        }
        Ok(removed)
    }
}

/// Has the disk take what is staged so far of an upload to this path; blocks until it has. The store crate does so at the
/// end, once for all of a file, and whoever writes it waits for that.
pub(super) fn flush_staged(path: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if staged_for(&entry.file_name()).is_some_and(|staged| name == staged) {
            std::fs::File::open(entry.path())?.sync_data()?;
        }
    }
    Ok(())
}

/// For which file another is what the object store crate stages an upload in: `{name}#{digits}`.
fn staged_for(name: &OsStr) -> Option<&str> {
    let (name, suffix) = name.to_str()?.split_once('#')?;
    (!suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

fn unavailable(path: &Path, error: io::Error) -> StorageError {
    let words = format!("{}: {error}", path.display());
    StorageError::Unavailable(Box::new(io::Error::new(error.kind(), words)))
}
