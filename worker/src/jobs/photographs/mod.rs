//! Photographs of a job: from where an image id leads to the bytes of its file.
//!
//! A photograph that is not there, too large or not handed out fails alone; a store that does not answer stops the job.
//! Decoding is left to the job; how much memory to reserve for it is said here.

mod failure;

use bytes::Bytes;
use forgeos_core::{
    ErrorCode, JobContext, JobError,
    db::images::ImageSource,
    storage::{Bucket, Key, StorageError},
};

use forgeos_imaging::Header;

pub(super) use failure::{ImageFailure, Trouble};

use super::patience::patiently;
use failure::in_reading;

/// Memory that work on a decoded photograph takes per pixel: the RGB picture and the planes derived from it.
const BYTES_PER_PIXEL: u64 = 5;

/// The memory to reserve before a photograph is decoded and worked on, in bytes: the file, and whichever of decoding and
/// working takes more.
pub(super) fn memory_for(header: &Header, file: &[u8]) -> u64 {
    let pixels = u64::from(header.width) * u64::from(header.height);
    file.len() as u64 + header.decoding_bytes.max(pixels * BYTES_PER_PIXEL)
}

/// The first of the objects that the image may be which is there, and its key even when it cannot be read.
pub(super) async fn fetch(
    ctx: &JobContext,
    source: ImageSource,
    max_bytes: u64,
    found_at: &mut Option<Key>,
) -> Result<Bytes, Trouble> {
    for key in candidates(source)? {
        let read = || patiently(|| ctx.storage.get_limited(Bucket::Images, &key, max_bytes));
        let mut answer = read().await;
        if let Err(error @ StorageError::Unavailable(_)) = answer {
            answers_for_others(ctx, error).await?;
            // It may have come back just now.
            answer = read().await;
        }
        if matches!(answer, Err(StorageError::NotFound)) {
            continue;
        }
        *found_at = Some(key);
        return match answer {
            Ok(bytes) => Ok(bytes),
            Err(error @ StorageError::Unavailable(_)) => {
                let chain = JobError::from(answers_for_others(ctx, error).await?).chain();
                tracing::warn!(error = %chain.join(": "), "the store failed on one image");
                let words = "the object store failed on this image again and again";
                Err(ImageFailure::new(ErrorCode::StorageUnavailable, words).into())
            }
            Err(error) => Err(in_reading(error)),
        };
    }
    Err(ImageFailure::not_found().into())
}

/// A fault of the moment that lasts is an outage of the store; but an image that cannot be read from a store that
/// answers for others fails alone. Gives the fault back in that case.
async fn answers_for_others(ctx: &JobContext, error: StorageError) -> Result<StorageError, Trouble> {
    match ctx.storage.probe(Bucket::Images).await {
        Ok(_) => Ok(error),
        Err(_) => Err(Trouble::Job(error.into())),
    }
}

fn candidates(source: ImageSource) -> Result<Vec<Key>, ImageFailure> {
    match source {
        ImageSource::Object(key) | ImageSource::Analysis { key: Some(Ok(key)), .. } => Ok(vec![key]),
        ImageSource::Analysis { key: Some(Err(why)), .. } => Err(ImageFailure::bad_name(why)),
        ImageSource::Analysis { key: None, .. } => {
            Err(ImageFailure::new(ErrorCode::NotFound, "the analysis with this id names no file"))
        }
        ImageSource::ByName(keys) => Ok(keys),
    }
}
