//! Reads an object back to know what the store really holds, in memory that does not grow with it.

use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};

use super::{Bucket, Key, Storage, StorageError, StorageResult, error};

/// Bytes of a read: few, because each is memory of whatever thread does the reading.
const RANGE_BYTES: u64 = 1 << 20;
/// Reads that are under way, so that a store that is far away is not asked for one after the other.
const READS_AHEAD: usize = 4;

impl Storage {
    /// The size of an object and the SHA-256 of its bytes, in lower-case hexadecimal, as they are read from the store.
    pub async fn checksum(&self, bucket: Bucket, key: &Key) -> StorageResult<(u64, String)> {
        let size_bytes = self.head(bucket, key).await?.size_bytes;
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
                let cut = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the object ended early");
                return Err(StorageError::Unavailable(Box::new(cut)));
            }
            hash = tokio::task::spawn_blocking(move || hash.chain_update(&read))
                .await
                .map_err(|e| StorageError::Unavailable(Box::new(e)))?;
        }
        Ok((size_bytes, hex::encode(hash.finalize())))
    }
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
        for size in [0, 1, RANGE_BYTES, RANGE_BYTES + 3] {
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
