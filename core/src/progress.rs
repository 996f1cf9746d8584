//! How far a job is. A handler sets it as often as it likes; the heartbeat writes it, at most once a second.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

/// `jobs.progress`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressSnapshot {
    /// What is being done, one word: `planning`, `analysing`, …
    pub phase: String,
    /// Items done, whether they succeeded or not.
    pub done: u64,
    /// Items in all.
    pub total: u64,
    /// `done` of `total`, 0 to 100, rounded down.
    pub percent: u8,
}

#[derive(Debug, Default)]
struct State {
    snapshot: Option<ProgressSnapshot>,
    changed: bool,
}

/// The progress of one attempt; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<State>>);

impl Progress {
    /// Sets all of it.
    pub fn set(&self, phase: &str, done: u64, total: u64) {
        let percent = (done.min(total) * 100).checked_div(total).unwrap_or(0) as u8;
        let next = ProgressSnapshot { phase: phase.to_owned(), done, total, percent };
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.snapshot.as_ref() != Some(&next) {
            state.snapshot = Some(next);
            state.changed = true;
        }
    }

    /// What was set last.
    #[must_use]
    pub fn current(&self) -> Option<ProgressSnapshot> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).snapshot.clone()
    }

    /// What was set since the last call, if anything was.
    #[must_use]
    pub fn take_change(&self) -> Option<ProgressSnapshot> {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if std::mem::take(&mut state.changed) { state.snapshot.clone() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_taken_once_and_equal_values_are_no_change() {
        let progress = Progress::default();
        assert_eq!(progress.take_change(), None);
        progress.set("analysing", 1, 3);
        assert_eq!(progress.take_change().map(|p| p.percent), Some(33));
        progress.set("analysing", 1, 3);
        assert_eq!(progress.take_change(), None);
        assert_eq!(progress.current().map(|p| p.done), Some(1));
    }
}
