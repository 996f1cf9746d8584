//! Threads for CPU work, apart from the threads that keep leases and talk to the database.
//!
//! The number of threads bounds the work under way, the memory budget bounds what it may hold, and so many files at most
//! wait in memory for it. A panic inside is
//! caught and returned; it never takes the pool down.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Encoded files in memory on the smallest machine; stores answer several requests at once.
const FEWEST_FILES: usize = 6;

/// The pool; clones share it.
#[derive(Debug, Clone)]
pub struct Compute {
    threads: Arc<rayon::ThreadPool>,
    thread_count: usize,
    memory_mib: Arc<Semaphore>,
    files: Arc<Semaphore>,
    budget_mib: u32,
}

/// Why a piece of work gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The work panicked, with these words.
    #[error("the computation panicked: {0}")]
    Panicked(String),
    /// The pool is shutting down.
    #[error("the compute threads are gone")]
    Gone,
}

impl Compute {
    /// Starts `threads` threads that together may hold `memory_mb` MiB of pixels.
    pub fn new(threads: usize, memory_mb: u32) -> Result<Self, rayon::ThreadPoolBuildError> {
        let thread_count = threads.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(thread_count)
            .thread_name(|n| format!("compute-{n}"))
            .build()?;
        let budget_mib = memory_mb.max(1);
        Ok(Self {
            threads: Arc::new(pool),
            thread_count,
            memory_mib: Arc::new(Semaphore::new(budget_mib as usize)),
            files: Arc::new(Semaphore::new((thread_count + 2).max(FEWEST_FILES))),
            budget_mib,
        })
    }

    /// How many pieces of work run at once.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.thread_count
    }

    /// Waits until `bytes` fit into the memory budget. Work larger than the whole budget waits for all of it, and so
    /// runs alone.
    pub async fn reserve_memory(&self, bytes: u64) -> Result<OwnedSemaphorePermit, ComputeError> {
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).clamp(1, self.budget_mib);
        Arc::clone(&self.memory_mib).acquire_many_owned(mib).await.map_err(|_| ComputeError::Gone)
    }

    /// Waits until one more encoded file may be held in memory, by whichever job: enough that the threads never wait for
    /// a store, and not more, however many jobs run. Taken before [`Compute::reserve_memory`], so that nobody waits for a
    /// file while holding memory.
    pub async fn admit_file(&self) -> Result<OwnedSemaphorePermit, ComputeError> {
        Arc::clone(&self.files).acquire_owned().await.map_err(|_| ComputeError::Gone)
    }

    /// The memory budget, in bytes.
    #[must_use]
    pub fn memory_budget_bytes(&self) -> u64 {
        u64::from(self.budget_mib) << 20
    }

    /// Runs `work` on the pool. Dropping the future abandons the result, not the work: a thread cannot be interrupted.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ComputeError> {
        let (sender, receiver) = oneshot::channel();
        self.threads.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(&*panic));
            let _ = sender.send(result);
        });
        receiver.await.map_err(|_| ComputeError::Gone)?.map_err(ComputeError::Panicked)
    }

    /// The same for work of minutes that uses all threads: it gets as many of its own, so that short pieces of other
    /// jobs do not wait behind it but share the cores with it.
    pub async fn run_beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ComputeError> {
        let threads = threads_beside(self.thread_count).map_err(|_| ComputeError::Gone)?;
        let (sender, receiver) = oneshot::channel();
        threads.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(&*panic));
            let _ = sender.send(result);
        });
        receiver.await.map_err(|_| ComputeError::Gone)?.map_err(ComputeError::Panicked)
    }
}

/// Threads of a long work end with it.
fn threads_beside(count: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(|n| format!("beside-{n}")).build()
}

/// The words of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_panic_is_returned_and_the_pool_goes_on() {
        let compute = Compute::new(1, 16).unwrap();
        assert!(
            matches!(compute.run(|| panic!("boom")).await, Err::<(), _>(ComputeError::Panicked(w)) if w == "boom")
        );
        assert_eq!(compute.run(|| 2 + 2).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn short_work_does_not_wait_for_long_work_beside_it() {
        let compute = Compute::new(1, 16).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let long = async {
            let work = move || held.recv().is_ok() && rayon::current_num_threads() == 1;
            compute.run_beside(work).await.unwrap()
        };
        let short = async {
            let answer = compute.run(|| 7).await.unwrap();
            release.send(()).unwrap();
            answer
        };
        assert_eq!(tokio::join!(long, short), (true, 7));
    }

    #[tokio::test]
    async fn work_over_the_whole_budget_runs_alone() {
        let compute = Compute::new(1, 16).unwrap();
        let all = compute.reserve_memory(1 << 40).await.unwrap();
        assert_eq!(compute.memory_mib.available_permits(), 0);
        drop(all);
        assert_eq!(compute.memory_mib.available_permits(), 16);
    }
}
