//! The lanes of a process: one a job type, with its slots, what is under way in it, and how fast it goes.
//!
//! A claim takes as many rows as there are free slots, plus what will start within 20 ms at the pace just measured:
//! jobs of microseconds then do not pay a round trip each, and a slow job never waits claimed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, mpsc};

use super::leases::HeldJob;

/// How far ahead of the slots a lane may claim.
const AHEAD: Duration = Duration::from_millis(20);
/// Upper bound of what is claimed ahead, whatever the pace.
const AHEAD_MAX: usize = 2_000;
/// Weight of the newest duration in the moving average: one in sixteen.
const PACE_SHIFT: u32 = 4;

/// One job type in this process.
#[derive(Debug)]
pub struct Lane {
    /// The job type.
    pub job_type: &'static str,
    /// Jobs that run at once.
    pub slots: usize,
    jobs: mpsc::UnboundedSender<HeldJob>,
    /// Claimed and not finished: buffered or running.
    taken: AtomicUsize,
    /// Moving average of a job's duration in nanoseconds; 0: none measured yet.
    pace_ns: AtomicU64,
    open: AtomicBool,
    freed: Arc<Notify>,
}

impl Lane {
    /// A lane and the end from which its backend receives.
    #[must_use]
    pub fn new(
        job_type: &'static str,
        slots: usize,
        freed: Arc<Notify>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<HeldJob>) {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let lane = Self {
            job_type,
            slots: slots.max(1),
            jobs,
            taken: AtomicUsize::new(0),
            pace_ns: AtomicU64::new(0),
            open: AtomicBool::new(true),
            freed,
        };
        (Arc::new(lane), receiver)
    }

    /// How many rows a claim may take now; 0 while enough are under way.
    #[must_use]
    pub fn demand(&self) -> usize {
        let capacity = self.slots + self.ahead();
        let taken = self.taken.load(Ordering::Acquire);
        // With a buffer the claim waits until half of it is gone, so that a claim is a batch.
        if capacity > self.slots && taken > capacity / 2 { 0 } else { capacity.saturating_sub(taken) }
    }

    fn ahead(&self) -> usize {
        match self.pace_ns.load(Ordering::Relaxed) {
            0 => 0,
            pace => (AHEAD.as_nanos() as u64 * self.slots as u64 / pace).min(AHEAD_MAX as u64) as usize,
        }
    }

    /// Hands a claimed job to the backend.
    pub fn push(&self, job: HeldJob) -> Result<(), Box<HeldJob>> {
        self.taken.fetch_add(1, Ordering::AcqRel);
        self.jobs.send(job).map_err(|refused| {
            self.taken.fetch_sub(1, Ordering::AcqRel);
            Box::new(refused.0)
        })
    }

    /// Notes that a job has left its slot after `ran`; `None` when it was given back unstarted.
    pub fn release(&self, ran: Option<Duration>) {
        if let Some(ran) = ran {
            let newest = (ran.as_nanos() as u64).max(1);
            let old = self.pace_ns.load(Ordering::Relaxed);
            // A slow job is believed at once, a fast one by and by: claiming too little is the lesser harm.
            let next =
                if old == 0 || newest > old { newest } else { old - ((old - newest) >> PACE_SHIFT).max(1) };
            self.pace_ns.store(next.max(1), Ordering::Relaxed);
        }
        self.taken.fetch_sub(1, Ordering::AcqRel);
        if self.demand() > 0 {
            self.freed.notify_one();
        }
    }

    /// Claimed and not finished.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// From now on buffered jobs are given back instead of started.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Whether jobs may still be started.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(slots: usize) -> (Arc<Lane>, mpsc::UnboundedReceiver<HeldJob>) {
        Lane::new("noop", slots, Arc::new(Notify::new()))
    }

    #[test]
    fn a_lane_claims_only_into_free_slots_until_it_knows_its_pace() {
        let (lane, _jobs) = lane(4);
        assert_eq!(lane.demand(), 4);
        lane.taken.store(4, Ordering::Release);
        assert_eq!(lane.demand(), 0);
        lane.release(Some(Duration::from_secs(3)));
        assert_eq!(lane.demand(), 1, "slow jobs are never claimed ahead");
    }

    #[test]
    fn a_lane_of_fast_jobs_claims_what_starts_within_20_ms() {
        let (lane, _jobs) = lane(4);
        lane.taken.store(1, Ordering::Release);
        lane.release(Some(Duration::from_millis(2)));
        assert_eq!(lane.demand(), 4 + 40);
        lane.taken.store(1, Ordering::Release);
        lane.release(Some(Duration::from_millis(100)));
        assert_eq!(lane.demand(), 4, "one slow job ends it");
    }
}
