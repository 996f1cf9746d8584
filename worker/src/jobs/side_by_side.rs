//! Items of one job that are worked on at once, each on a task of its own.
//!
//! A set of futures that is polled by its owner alone stands still while the owner waits for something else. Had they
//! transactions open, and waited the owner for a connection of the same pool, nobody would ever get on.

use std::panic::resume_unwind;

use tokio::task::JoinSet;
use tracing::Instrument;

/// The items under way; dropped, they are broken off.
pub(super) struct SideBySide<T>(JoinSet<T>);

impl<T: Send + 'static> SideBySide<T> {
    pub(super) fn new() -> Self {
        Self(JoinSet::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins with one more.
    pub(super) fn begin(&mut self, work: impl Future<Output = T> + Send + 'static) {
        self.0.spawn(work.in_current_span());
    }

    /// The next that ends; `None` when none is under way. A panic goes on in who waits.
    pub(super) async fn next(&mut self) -> Option<T> {
        loop {
            match self.0.join_next().await? {
                Ok(ended) => return Some(ended),
                Err(failure) => {
                    if let Ok(panic) = failure.try_into_panic() {
                        resume_unwind(panic);
                    }
                }
            }
        }
    }
}
