//! Reads an object back to know what the store really holds, in memory that does not grow with it.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};

use super::{Bucket, Key, Kind, Storage, StorageError, StorageResult, error};

/// Bytes of a read: few, because each is memory of whatever thread does the reading.
const RANGE_BYTES: u64 = 1 << 20;
/// Reads that are under way, so that a store that is far away is not asked for one after the other.
const READS_AHEAD: usize = 4;
/// What a thread reads of a local file before it looks whether anybody still waits for it, and in what pieces.
const LOCAL_TURN_BYTES: u64 = 16 << 20;
const LOCAL_READ_BYTES: usize = 256 << 10;

impl Storage {
    /// The size of an object and the SHA-256 of its bytes, in lower-case hexadecimal, as they are read from the store.
    pub async fn checksum(&self, bucket: Bucket, key: &Key) -> StorageResult<(u64, String)> {
        let size_bytes = self.head(bucket, key).await?.size_bytes;
        let hash = match &self.0.kind {
            Kind::Local { folders, .. } => of_file(folders.path(bucket, key), size_bytes).await?,
            Kind::S3 { .. } | Kind::Supabase { .. } => self.of_object(bucket, key, size_bytes).await?,
        };
        Ok((size_bytes, hex::encode(hash.finalize())))
    }

    async fn of_object(&self, bucket: Bucket, key: &Key, size_bytes: u64) -> StorageResult<Sha256> {
        let path = self.path(bucket, key)?;
        let starts = (0..size_bytes).step_by(RANGE_BYTES as usize);
        let reads = starts.map(|start| {
            let end = size_bytes.min(start + RANGE_BYTES);
            let (store, path) = (self.store(bucket), &path);
            async move { (end - start, store.get_range(path, start..end).await) }
        });
        let mut reads = stream::iter(reads).buffered(READS_AHEAD);
        let mut hash = Sha256::new();
        while let Some((expected, read)) = reads.next().await {
            let read = read.map_err(error::classify_reading)?;
            if read.len() as u64 != expected {
                return Err(cut());
            }
            hash = tokio::task::spawn_blocking(move || hash.chain_update(&read))
                .await
                .map_err(|e| StorageError::Unavailable(Box::new(e)))?;
        }
        Ok(hash)
    }
}

/// Reads a file with one buffer, in turns: a thread cannot be told to stop.
async fn of_file(path: PathBuf, size_bytes: u64) -> StorageResult<Sha256> {
    let mut state = None;
    let mut left = size_bytes;
    loop {
        let path = path.clone();
        let turn = move || {
            let (mut file, mut hash, mut buffer) = match state {
                Some(state) => state,
                None => (File::open(path)?, Sha256::new(), vec![0; LOCAL_READ_BYTES]),
            };
            let turn_end = left.saturating_sub(LOCAL_TURN_BYTES);
            while left > turn_end {
                let most = usize::try_from(left - turn_end).unwrap_or(usize::MAX).min(LOCAL_READ_BYTES);
                let read = file.read(&mut buffer[..most])?;
                if read == 0 {
                    break;
                }
                hash.update(&buffer[..read]);
                left -= read as u64;
            }
            io::Result::Ok((left, left > turn_end, (file, hash, buffer)))
        };
        let done = tokio::task::spawn_blocking(turn).await;
        let (still_left, ended_early, after) = done
            .map_err(|e| StorageError::Unavailable(Box::new(e)))?
            .map_err(|e| StorageError::Unavailable(Box::new(e)))?;
        if ended_early {
            return Err(cut());
        }
        if still_left == 0 {
            return Ok(after.1);
        }
        left = still_left;
        state = Some(after);
    }
}

fn cut() -> StorageError {
    StorageError::Unavailable(Box::new(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the object ended early",
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;

    use super::*;
    use crate::storage::StorageSettings;

    #[tokio::test]
    async fn what_lies_in_the_store_counts_and_not_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(&StorageSettings::default(), dir.path(), None).unwrap();
        let key = Key::parse("u/job/1/rows.csv").unwrap();
        for size in [0, 1, RANGE_BYTES, RANGE_BYTES + 3, LOCAL_TURN_BYTES, LOCAL_TURN_BYTES + 5] {
            let bytes = Bytes::from((0..size).map(|n| (n % 251) as u8).collect::<Vec<_>>());
            let stored = storage.put(Bucket::Exports, &key, bytes, "text/csv").await.unwrap();
            let found = storage.checksum(Bucket::Exports, &key).await.unwrap();
            assert_eq!(found, (stored.size_bytes, stored.sha256));
        }
        let path = dir.path().join("storage/exports/u/job/1/rows.csv");
        let mut bytes = std::fs::read(&path).unwrap();
        let before = storage.checksum(Bucket::Exports, &key).await.unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let after = storage.checksum(Bucket::Exports, &key).await.unwrap();
        assert_eq!(before.0, after.0);
        assert_ne!(before.1, after.1);
    }
}
