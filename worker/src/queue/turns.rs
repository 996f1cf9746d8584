//! Who runs beside whom: everybody, except that a job which has lost its worker before runs alone in its process, so
//! that a job that kills its process takes nothing else along.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long a job that must run alone waits for the others to end; then it goes back to wait for an idler worker.
const PATIENCE: Duration = Duration::from_secs(30);

/// The turns of one process.
#[derive(Debug, Default)]
pub struct Turns {
    lock: RwLock<()>,
    alone: AtomicUsize,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
#[must_use]
pub enum Turn<'a> {
    /// Beside others.
    Shared {
        /// Keeps those out that must run alone.
        _guard: RwLockReadGuard<'a, ()>,
    },
    /// Alone.
    Alone {
        /// Keeps everybody out.
        _guard: RwLockWriteGuard<'a, ()>,
        /// Keeps the claim loop from claiming.
        _quiet: Quiet<'a>,
    },
}

/// While it lives, the claim loop claims nothing.
#[derive(Debug)]
pub struct Quiet<'a>(&'a AtomicUsize);

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Turns {
    /// Waits for a turn; `None` when the others did not end in time.
    pub async fn take(&self, alone: bool) -> Option<Turn<'_>> {
        if !alone {
            return Some(Turn::Shared { _guard: self.lock.read().await });
        }
        self.alone.fetch_add(1, Ordering::AcqRel);
        let quiet = Quiet(&self.alone);
        let guard = tokio::time::timeout(PATIENCE, self.lock.write()).await.ok()?;
        Some(Turn::Alone { _guard: guard, _quiet: quiet })
    }

    /// Whether a job runs alone or waits for it; then nothing is to be claimed.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.alone.load(Ordering::Acquire) > 0
    }
}
