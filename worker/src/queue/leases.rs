//! The jobs that this process holds. Shared by dispatch (adds), settling (removes), heartbeat (renews) and wake-up
//! (hints at cancels).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use forgeos_core::{ClaimedJob, JobId, Lease, Progress, Stop};

/// A claimed job with the two strings by which the engine holds it.
#[derive(Debug, Clone)]
pub struct HeldJob {
    /// The row as it was claimed.
    pub job: Arc<ClaimedJob>,
    /// What the handler says of itself.
    pub progress: Progress,
    /// How to stop it.
    pub stop: Stop,
}

impl HeldJob {
    /// A job that was just claimed.
    #[must_use]
    pub fn new(job: ClaimedJob) -> Self {
        Self { job: Arc::new(job), progress: Progress::default(), stop: Stop::new() }
    }
}

/// One held lease.
#[derive(Debug, Clone)]
pub struct Held {
    /// The row as it was claimed.
    pub job: Arc<ClaimedJob>,
    /// What the handler says of itself.
    pub progress: Progress,
    /// How to stop it.
    pub stop: Stop,
    /// Its outcome is decided and waits to be written.
    pub settling: bool,
    renewed: Instant,
}

/// The table; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Leases(Arc<Mutex<HashMap<JobId, Held>>>);

impl Leases {
    fn table(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fresh claim; `false` when this process still holds an older attempt of the same job, which then must not
    /// be started.
    #[must_use]
    pub fn insert(&self, job: &HeldJob) -> bool {
        use std::collections::hash_map::Entry;
        let lease = job.job.lease;
        match self.table().entry(lease.job) {
            Entry::Occupied(_) => false,
            Entry::Vacant(slot) => {
                slot.insert(Held {
                    job: Arc::clone(&job.job),
                    progress: job.progress.clone(),
                    stop: job.stop.clone(),
                    settling: false,
                    renewed: Instant::now(),
                });
                true
            }
        }
    }

    /// Notes that the outcome of this attempt is decided.
    pub fn settling(&self, lease: Lease) {
        if let Some(held) = self.table().get_mut(&lease.job).filter(|held| held.job.lease == lease) {
            held.settling = true;
        }
    }

    /// Forgets leases that were settled or lost.
    pub fn remove(&self, leases: impl IntoIterator<Item = Lease>) {
        let mut table = self.table();
        for lease in leases {
            if table.get(&lease.job).is_some_and(|held| held.job.lease == lease) {
                table.remove(&lease.job);
            }
        }
    }

    /// The lease of one job.
    #[must_use]
    pub fn get(&self, job: JobId) -> Option<Held> {
        self.table().get(&job).cloned()
    }

    /// Number of held leases.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    /// Every held lease.
    #[must_use]
    pub fn all(&self) -> Vec<(JobId, Held)> {
        self.table().iter().map(|(job, held)| (*job, held.clone())).collect()
    }

    /// The leases that are due for a heartbeat, either by age or because their progress has changed, with that
    /// progress as JSON text.
    #[must_use]
    pub fn due(&self, age: Duration) -> Vec<(JobId, i32, Option<String>)> {
        let now = Instant::now();
        self.table()
            .iter()
            .filter_map(|(job, held)| {
                let change = held.progress.take_change();
                if change.is_none() && now.duration_since(held.renewed) < age {
                    return None;
                }
                let progress = change.and_then(|p| serde_json::to_string(&p).ok());
                Some((*job, held.job.lease.attempt, progress))
            })
            .collect()
    }

    /// Notes a heartbeat that was written.
    pub fn renewed(&self, leases: &[(JobId, i32, Option<String>)], at: Instant) {
        let mut table = self.table();
        for (job, attempt, _) in leases {
            if let Some(held) = table.get_mut(job).filter(|held| held.job.lease.attempt == *attempt) {
                held.renewed = at;
            }
        }
    }
}
