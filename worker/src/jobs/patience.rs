//! Tries a step of the object store again while its fault is one of the moment. What it means when the fault stays is
//! for the caller to say.

use std::time::Duration;

use forgeos_core::storage::{StorageError, StorageResult};

/// How often a step is tried before its fault counts.
pub(super) const TRIES: u32 = 3;

/// Runs `step` until it succeeds, fails for good, or has failed [`TRIES`] times.
pub(super) async fn patiently<T, F: Future<Output = StorageResult<T>>>(
    step: impl Fn() -> F,
) -> StorageResult<T> {
    let mut tries = 0;
    loop {
        tries += 1;
        match step().await {
            Err(StorageError::Unavailable(_)) if tries < TRIES => pause(tries).await,
            answer => return answer,
        }
    }
}

/// Half a second, then twice that, each with jitter.
pub(super) async fn pause(tries: u32) {
    let base = 250_u64 << tries.min(6);
    tokio::time::sleep(Duration::from_millis(base / 2 + fastrand::u64(0..=base / 2))).await;
}
