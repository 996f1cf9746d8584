//! Who runs beside whom: everybody, except that a job which has lost its worker before runs alone in its process, so
//! that a job that kills its process takes nothing else along. Nobody waits beside it either: who waits holds a lease,
//! and would lose it with the process.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long a job that must run alone waits for the others to end; then it goes back to wait for an idler worker.
const PATIENCE: Duration = Duration::from_secs(30);

/// The turns of one process.
#[derive(Debug, Default)]
pub struct Turns {
    lock: RwLock<()>,
    alone: AtomicBool,
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

/// Why a job cannot run alone here now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTurn {
    /// Another one does, or waits for it.
    AnotherIsAlone,
    /// The others did not end in time.
    NoQuiet,
}

/// While it lives, the claim loop claims nothing.
#[derive(Debug)]
pub struct Quiet<'a>(&'a AtomicBool);

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Turns {
    /// A turn beside others; `None` when one runs alone or waits for it.
    pub fn shared(&self) -> Option<Turn<'_>> {
        self.lock.try_read().ok().map(|guard| Turn::Shared { _guard: guard })
    }

    /// Waits for a turn alone.
    pub async fn alone(&self) -> Result<Turn<'_>, NoTurn> {
        if self.alone.swap(true, Ordering::AcqRel) {
            return Err(NoTurn::AnotherIsAlone);
        }
        let quiet = Quiet(&self.alone);
        let guard = tokio::time::timeout(PATIENCE, self.lock.write()).await.map_err(|_| NoTurn::NoQuiet)?;
        Ok(Turn::Alone { _guard: guard, _quiet: quiet })
    }

    /// Whether a job runs alone or waits for it; then nothing is to be claimed.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.alone.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn nobody_waits_beside_the_one_alone() {
        let turns = Turns::default();
        let first = turns.shared().unwrap();
        assert!(turns.shared().is_some(), "others run beside each other");
        let waiting = turns.alone();
        tokio::pin!(waiting);
        assert!(futures::poll!(&mut waiting).is_pending(), "it waits for the one that runs");
        assert!(turns.quiet() && turns.shared().is_none(), "and nobody else begins");
        assert_eq!(turns.alone().await.unwrap_err(), NoTurn::AnotherIsAlone);
        drop(first);
        let alone = waiting.await.unwrap();
        assert!(turns.shared().is_none());
        drop(alone);
        assert!(!turns.quiet() && turns.shared().is_some());
    }
}
