//! Writing an object of unknown size in parts, in memory that does not grow with it.
//!
//! A small object goes as one put, a larger one as a multipart upload. Nothing is visible under the key before
//! [`Upload::finish`]; an upload that is dropped is undone. What a killed process leaves (staged files of a local
//! folder) is removed by [`Storage::remove_unfinished`]; parts of an S3 store that nobody completed are invisible and
//! cost space until a lifecycle rule of the bucket (`AbortIncompleteMultipartUpload`) deletes them, because the object
//! store crate cannot list them.

use bytes::{Bytes, BytesMut};
use object_store::{
    Attribute, Attributes, MultipartUpload, PutMultipartOptions, PutPayload, path::Path as StorePath,
};
use sha2::{Digest, Sha256};
use tokio::task::{JoinHandle, JoinSet};

use super::{
    Bucket, Key, Kind, Storage, StorageError, StorageResult, StoredObject, error, local::flush_staged,
};

/// Bytes of a part: the least that S3 takes for any but the last, so that several uploads at once stay small.
/// All parts of an object below 29 GiB have this size, which some stores (Cloudflare R2) demand.
const PART_BYTES: usize = 5 << 20;
/// The same in a local folder, which takes parts of any size and any number of them.
const LOCAL_PART_BYTES: usize = 1 << 20;
/// A local file goes to the disk in pieces of this size while it grows: at the end, when everybody waits, little is left.
const FLUSH_BYTES: u64 = 32 << 20;
/// S3 takes at most 10,000 parts. After this many each further thousand doubles its size: 175 GiB in all.
const EQUAL_PARTS: u32 = 6_000;
/// Parts of an object on their way at once, besides the one that is being filled.
const MOST_UNDER_WAY: usize = 2;

/// An object that is being written. Dropping it undoes it.
#[derive(Debug)]
pub struct Upload {
    storage: Storage,
    bucket: Bucket,
    key: Key,
    path: StorePath,
    mime: String,
    /// What does not fill a part yet. The bytes are copied: what is written comes in pieces of all sizes, and memory that
    /// is allocated once and used again is all that an upload takes.
    filling: BytesMut,
    /// Parts that were sent, whose memory is used again once nobody reads it any more.
    sent: Vec<Bytes>,
    parts: u32,
    size_bytes: u64,
    hash: Hash,
    multipart: Option<Box<dyn MultipartUpload>>,
    under_way: JoinSet<object_store::Result<()>>,
    most_under_way: usize,
    /// Up to where the disk was last asked to take the file, and the asking.
    flushed_bytes: u64,
    flushing: Option<JoinHandle<()>>,
}

/// SHA-256 of what was written; computed beside the transfer, one part after the other.
#[derive(Debug)]
enum Hash {
    Idle(Sha256),
    Busy(JoinHandle<Sha256>),
    /// Between the two, or after a panic.
    Gone,
}

impl Hash {
    async fn settled(&mut self) -> StorageResult<Sha256> {
        match std::mem::replace(self, Self::Gone) {
            Self::Idle(state) => Ok(state),
            Self::Busy(task) => task.await.map_err(|e| StorageError::Unavailable(Box::new(e))),
            Self::Gone => Err(StorageError::Unavailable("the checksum was lost".into())),
        }
    }

    /// Adds a part, after those that were added before.
    async fn add(&mut self, part: Bytes) -> StorageResult<()> {
        let state = self.settled().await?;
        *self = Self::Busy(tokio::task::spawn_blocking(move || state.chain_update(&part)));
        Ok(())
    }
}

impl Storage {
    /// Begins an object under `key`. Nothing is sent before a part is full.
    pub async fn upload(&self, bucket: Bucket, key: &Key, mime: &str) -> StorageResult<Upload> {
        self.guard(bucket, key).await?;
        Ok(Upload {
            storage: self.clone(),
            bucket,
            key: key.clone(),
            path: self.path(bucket, key)?,
            mime: mime.to_owned(),
            filling: BytesMut::new(),
            sent: Vec::new(),
            parts: 0,
            size_bytes: 0,
            hash: Hash::Idle(Sha256::new()),
            multipart: None,
            under_way: JoinSet::new(),
            most_under_way: MOST_UNDER_WAY,
            flushed_bytes: 0,
            flushing: None,
        })
    }

    /// Removes what uploads of dead processes left staged in a folder of a local bucket, not below it. Other stores
    /// keep nothing that could be seen.
    pub async fn remove_unfinished(&self, bucket: Bucket, folder: &Key) -> StorageResult<u64> {
        match &self.0.kind {
            Kind::Local { folders, .. } => folders.remove_staged(bucket, folder).await,
            Kind::S3 { .. } | Kind::Supabase { .. } => Ok(0),
        }
    }
}

impl Upload {
    /// Has one part under way at a time, for objects that are written side by side: each keeps the store busy while
    /// the others fill, and so they take two thirds of the memory.
    #[must_use]
    pub fn one_part_at_a_time(mut self) -> Self {
        self.most_under_way = 1;
        self
    }

    /// Takes more bytes. Returns once there is room for the next ones, which may take as long as the store does.
    /// After an error the upload can only be dropped.
    pub async fn write(&mut self, bytes: &[u8]) -> StorageResult<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.part_bytes() - self.filling.len();
            let (chunk, after) = rest.split_at(room.min(rest.len()));
            rest = after;
            if self.multipart.is_some() && self.filling.is_empty() {
                self.reuse_memory();
            }
            self.size_bytes += chunk.len() as u64;
            self.filling.extend_from_slice(chunk);
            if chunk.len() == room {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Makes the object visible, whole, and asks the store what it has.
    pub async fn finish(mut self) -> StorageResult<StoredObject> {
        if self.multipart.is_none() {
            let whole = self.filling.split().freeze();
            return self.storage.put(self.bucket, &self.key, whole, &self.mime).await;
        }
        if !self.filling.is_empty() {
            self.send_part().await?;
        }
        while let Some(sent) = self.under_way.join_next().await {
            arrived(sent)?;
        }
        let sha256 = hex::encode(self.hash.settled().await?.finalize());
        if let Some(mut multipart) = self.multipart.take()
            && let Err(fault) = multipart.complete().await
        {
            self.multipart = Some(multipart);
            return Err(error::classify(fault));
        }
        let verified = self.storage.head(self.bucket, &self.key).await?.size_bytes == self.size_bytes;
        Ok(StoredObject { size_bytes: self.size_bytes, sha256, verified })
    }

    /// Undoes it and waits until that is done. What cannot be undone is invisible.
    pub async fn abort(mut self) {
        if let Some(multipart) = self.multipart.take() {
            undo(std::mem::take(&mut self.under_way), multipart).await;
        }
    }

    /// Memory for the next part: that of one which is done with, or new.
    fn reuse_memory(&mut self) {
        for place in 0..self.sent.len() {
            match self.sent.swap_remove(place).try_into_mut() {
                Ok(mut memory) => {
                    memory.clear();
                    self.filling = memory;
                    return;
                }
                Err(in_use) => self.sent.push(in_use),
            }
        }
        self.filling = BytesMut::with_capacity(self.part_bytes());
    }

    /// How large the part is that is being filled.
    fn part_bytes(&self) -> usize {
        match &self.storage.0.kind {
            Kind::Local { .. } => LOCAL_PART_BYTES,
            Kind::S3 { .. } | Kind::Supabase { .. } => part_bytes(self.parts),
        }
    }

    async fn send_part(&mut self) -> StorageResult<()> {
        while self.under_way.len() >= self.most_under_way
            && let Some(sent) = self.under_way.join_next().await
        {
            arrived(sent)?;
        }
        let mut multipart = match self.multipart.take() {
            Some(multipart) => multipart,
            None => begin(&self.storage, self.bucket, &self.path, &self.mime).await?,
        };
        let part = std::mem::take(&mut self.filling).freeze();
        self.parts += 1;
        self.under_way.spawn(multipart.put_part(PutPayload::from(part.clone())));
        self.multipart = Some(multipart);
        self.sent.push(part.clone());
        self.flush();
        self.hash.add(part).await
    }

    /// Has a local disk take what there is, beside all else. A fault of it shows at the end, where all of it is asked for.
    fn flush(&mut self) {
        let Kind::Local { folders, .. } = &self.storage.0.kind else { return };
        let is_busy = self.flushing.as_ref().is_some_and(|flushing| !flushing.is_finished());
        if is_busy || self.size_bytes - self.flushed_bytes < FLUSH_BYTES {
            return;
        }
        self.flushed_bytes = self.size_bytes;
        let path = folders.path(self.bucket, &self.key);
        self.flushing = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = flush_staged(&path) {
                tracing::debug!(%error, "a growing file was not handed to the disk");
            }
        }));
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(multipart) = self.multipart.take() else { return };
        let under_way = std::mem::take(&mut self.under_way);
        // Without a runtime a local upload still removes its staged file by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(undo(under_way, multipart));
        }
    }
}

async fn begin(
    storage: &Storage,
    bucket: Bucket,
    path: &StorePath,
    mime: &str,
) -> StorageResult<Box<dyn MultipartUpload>> {
    let mut options = PutMultipartOptions::default();
    // A local folder keeps no attributes and refuses them.
    if !matches!(storage.0.kind, Kind::Local { .. }) {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, mime.to_owned().into());
        options.attributes = attributes;
    }
    storage.store(bucket).put_multipart_opts(path, options).await.map_err(error::classify)
}

/// How large the part after `parts` others is in S3.
fn part_bytes(parts: u32) -> usize {
    match parts.checked_sub(EQUAL_PARTS) {
        None => PART_BYTES,
        Some(further) => PART_BYTES << (further / 1_000 + 1).min(4),
    }
}

fn arrived(sent: Result<object_store::Result<()>, tokio::task::JoinError>) -> StorageResult<()> {
    sent.map_err(|e| StorageError::Unavailable(Box::new(e)))?.map_err(error::classify)
}

async fn undo(mut under_way: JoinSet<object_store::Result<()>>, mut multipart: Box<dyn MultipartUpload>) {
    under_way.shutdown().await;
    if let Err(fault) = multipart.abort().await {
        tracing::debug!(error = %fault, "an unfinished upload was not undone");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{path::PathBuf, time::Duration};

    use super::*;
    use crate::storage::StorageSettings;

    fn folder() -> (tempfile::TempDir, Storage) {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(&StorageSettings::default(), dir.path(), None).unwrap();
        (dir, storage)
    }

    fn files(dir: &tempfile::TempDir) -> Vec<PathBuf> {
        let Ok(found) = std::fs::read_dir(dir.path().join("storage/exports/u/job/1")) else {
            return Vec::new();
        };
        found.map(|entry| entry.unwrap().path()).collect()
    }

    fn name() -> Key {
        Key::parse("u/job/1/rows.csv").unwrap()
    }

    async fn write(upload: &mut Upload, bytes: usize) -> Vec<u8> {
        let all: Vec<u8> = (0..bytes).map(|i| (i % 251) as u8).collect();
        for chunk in all.chunks(700_001) {
            upload.write(chunk).await.unwrap();
        }
        all
    }

    #[tokio::test]
    async fn what_was_written_in_chunks_is_read_back_whole_whatever_its_size() {
        let (dir, storage) = folder();
        for bytes in [0, 1, LOCAL_PART_BYTES - 1, LOCAL_PART_BYTES, 40 * LOCAL_PART_BYTES + 17] {
            let mut upload = storage.upload(Bucket::Exports, &name(), "text/csv").await.unwrap();
            let all = write(&mut upload, bytes).await;
            assert_eq!(upload.flushed_bytes > 0, bytes as u64 > FLUSH_BYTES, "{bytes}");
            let stored = upload.finish().await.unwrap();
            assert_eq!((stored.size_bytes, stored.verified), (bytes as u64, true));
            assert_eq!(stored.sha256, hex::encode(Sha256::digest(&all)));
            let found = storage.get_limited(Bucket::Exports, &name(), 1 << 30).await.unwrap();
            assert!(found == all, "{bytes} bytes");
            assert_eq!(files(&dir).len(), 1, "nothing else is left");
        }
    }

    #[tokio::test]
    async fn nothing_is_visible_before_the_end_and_an_upload_that_is_given_up_leaves_nothing() {
        let (dir, storage) = folder();
        for dropped in [false, true] {
            let mut upload = storage.upload(Bucket::Exports, &name(), "text/csv").await.unwrap();
            write(&mut upload, 2 * LOCAL_PART_BYTES).await;
            assert!(!storage.exists(Bucket::Exports, &name()).await.unwrap());
            assert_eq!(files(&dir).len(), 1, "it is staged");
            if dropped {
                drop(upload);
            } else {
                upload.abort().await;
            }
            tokio::time::timeout(Duration::from_secs(20), async {
                while !files(&dir).is_empty() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
            .await
            .unwrap();
        }
    }

    #[tokio::test]
    async fn what_a_dead_process_left_staged_is_removed_and_whole_files_stay() {
        let (dir, storage) = folder();
        storage.put(Bucket::Exports, &name(), Bytes::from_static(b"whole"), "text/csv").await.unwrap();
        let place = dir.path().join("storage/exports/u/job/1");
        for staged in ["rows.csv#1", "rows.parquet#12", "notes #x"] {
            std::fs::write(place.join(staged), "half").unwrap();
        }
        let folder = Key::parse("u/job/1").unwrap();
        assert_eq!(storage.remove_unfinished(Bucket::Exports, &folder).await.unwrap(), 2);
        assert_eq!(storage.remove_unfinished(Bucket::Exports, &folder).await.unwrap(), 0);
        assert_eq!(files(&dir).len(), 2);
        let none = Key::parse("u/none").unwrap();
        assert_eq!(storage.remove_unfinished(Bucket::Exports, &none).await.unwrap(), 0);
    }

    #[test]
    fn ten_thousand_parts_hold_any_export() {
        assert_eq!(part_bytes(0), part_bytes(EQUAL_PARTS - 1));
        let all: u64 = (0..10_000).map(|parts| part_bytes(parts) as u64).sum();
        assert!(all >= 150 << 30, "{all}");
        assert!((0..10_000).all(|parts| part_bytes(parts) <= 80 << 20));
    }
}
