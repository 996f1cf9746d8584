//! Reading objects: whole into memory up to a limit, or piece by piece.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectStore};

use super::{Bucket, Key, Storage, StorageError, StorageResult, error};

impl Storage {
    /// Reads a whole object of at most `max_bytes`. A larger one is given up by its announced size before its first
    /// byte is read, and by what really arrives when the store announced less.
    pub async fn get_limited(&self, bucket: Bucket, key: &Key, max_bytes: u64) -> StorageResult<Bytes> {
        self.guard(bucket, key).await?;
        let path = self.path(bucket, key)?;
        let found = self
            .store(bucket)
            .get_opts(&path, GetOptions::default())
            .await
            .map_err(error::classify_reading)?;
        let announced = found.meta.size;
        if announced > max_bytes {
            return Err(StorageError::TooLarge { limit: max_bytes });
        }
        let mut body = found.into_stream();
        let mut whole = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
        while let Some(chunk) = body.try_next().await.map_err(error::classify_reading)? {
            if (whole.len() + chunk.len()) as u64 > max_bytes {
                return Err(StorageError::TooLarge { limit: max_bytes });
            }
            whole.extend_from_slice(&chunk);
        }
        if (whole.len() as u64) < announced {
            let cut = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the object ended early");
            return Err(StorageError::Unavailable(Box::new(cut)));
        }
        Ok(whole.freeze())
    }

    /// Reads a part of an object, in pieces as they come; an empty range reads nothing. What ends early is an error at its
    /// end.
    pub async fn get_range(
        &self,
        bucket: Bucket,
        key: &Key,
        range: Range<u64>,
    ) -> StorageResult<impl Stream<Item = StorageResult<Bytes>> + Send + use<>> {
        self.guard(bucket, key).await?;
        let wanted = range.end.saturating_sub(range.start);
        let body = if wanted == 0 {
            futures::stream::empty().boxed()
        } else {
            let options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
            let path = self.path(bucket, key)?;
            let found = self.store(bucket).get_opts(&path, options).await.map_err(error::classify_reading)?;
            found.into_stream().map_err(error::classify_reading).boxed()
        };
        Ok(futures::stream::try_unfold((body, wanted), |(mut body, left)| async move {
            match body.try_next().await? {
                Some(piece) => {
                    let left = left.saturating_sub(piece.len() as u64);
                    Ok(Some((piece, (body, left))))
                }
                None if left == 0 => Ok(None),
                None => {
                    let cut =
                        std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the object ended early");
                    Err(StorageError::Unavailable(Box::new(cut)))
                }
            }
        }))
    }
}
