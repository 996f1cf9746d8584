//! How a running job learns that it should stop, and why. Cooperative: a handler looks between items.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio_util::sync::CancellationToken;

/// Why a job should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum StopReason {
    /// Its user called it off: write partial results, then return.
    Cancelled = 1,
    /// Another worker may have it by now: write nothing more.
    LeaseLost = 2,
    /// The process ends: what is done stays done, the rest goes back.
    ShuttingDown = 3,
    /// Over its time limit.
    TimedOut = 4,
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "it was cancelled",
            Self::LeaseLost => "its lease was lost",
            Self::ShuttingDown => "the worker is shutting down",
            Self::TimedOut => "it ran over its time limit",
        })
    }
}

/// The stop signal of one attempt. Clones share it; the first reason stands.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<AtomicU8>,
}

impl Stop {
    /// A signal that nobody has given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal. A lost lease overrides every other reason, because it forbids writing.
    pub fn request(&self, reason: StopReason) {
        if reason == StopReason::LeaseLost {
            self.reason.store(reason as u8, Ordering::Release);
        } else {
            let _ = self.reason.compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
        }
        self.token.cancel();
    }

    /// The reason, once the signal was given.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        match self.reason.load(Ordering::Acquire) {
            1 => Some(StopReason::Cancelled),
            2 => Some(StopReason::LeaseLost),
            3 => Some(StopReason::ShuttingDown),
            4 => Some(StopReason::TimedOut),
            _ => None,
        }
    }

    /// Whether the signal was given.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Resolves when the signal is given.
    pub async fn wait(&self) {
        self.token.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands_unless_the_lease_is_lost() {
        let stop = Stop::new();
        assert_eq!(stop.reason(), None);
        stop.request(StopReason::ShuttingDown);
        stop.request(StopReason::Cancelled);
        assert_eq!(stop.reason(), Some(StopReason::ShuttingDown));
        stop.request(StopReason::LeaseLost);
        assert_eq!(stop.reason(), Some(StopReason::LeaseLost));
        assert!(stop.requested());
    }
}
