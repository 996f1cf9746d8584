//! The lanes of a process: one a job type, with its slots, what is under way in it, and how fast it goes.
//!
//! A claim takes as many rows as there are free slots, plus what will start within 20 ms at the pace just measured:
//! jobs of microseconds then do not pay a round trip each. A pace may change: what has waited ten times as long is
//! given back, so that a slow job never waits claimed while another worker is idle.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::task::AtomicWaker;
use tokio::sync::Notify;

use super::{
    away::{Away, May, StoreWord},
    leases::HeldJob,
};

/// How far ahead of the slots a lane may claim.
const AHEAD: Duration = Duration::from_millis(20);
/// Upper bound of what is claimed ahead, whatever the pace.
const AHEAD_MAX: usize = 2_000;
/// Weight of the newest duration in the moving average: one in sixteen.
const PACE_SHIFT: u32 = 4;
/// A buffered job that has waited this long was claimed at a pace that no longer holds.
pub const STALE: Duration = Duration::from_millis(200);

/// One job type in this process.
#[derive(Debug)]
pub struct Lane {
    /// The job type.
    pub job_type: &'static str,
    /// Jobs that run at once.
    pub slots: usize,
    buffer: Mutex<VecDeque<(Instant, HeldJob)>>,
    waker: AtomicWaker,
    /// Claimed and not finished: buffered or running.
    taken: AtomicUsize,
    /// Moving average of a job's duration in nanoseconds; 0: none measured yet.
    pace_ns: AtomicU64,
    open: AtomicBool,
    store: Mutex<Away>,
    freed: Arc<Notify>,
}

impl Lane {
    /// A lane that tells `freed` when it wants jobs.
    #[must_use]
    pub fn new(job_type: &'static str, slots: usize, freed: Arc<Notify>) -> Self {
        Self {
            job_type,
            slots: slots.max(1),
            buffer: Mutex::default(),
            waker: AtomicWaker::new(),
            taken: AtomicUsize::new(0),
            pace_ns: AtomicU64::new(0),
            open: AtomicBool::new(true),
            store: Mutex::default(),
            freed,
        }
    }

    fn buffer(&self) -> MutexGuard<'_, VecDeque<(Instant, HeldJob)>> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows a claim may take now; 0 while enough are under way.
    #[must_use]
    pub fn demand(&self) -> usize {
        if !self.is_open() {
            return 0;
        }
        let capacity = self.slots + self.ahead();
        let taken = self.taken.load(Ordering::Acquire);
        match self.store().may(Instant::now()) {
            May::Claim => {}
            May::ClaimOne => return 1_usize.saturating_sub(taken),
            May::Wait => return 0,
        }
        // With a buffer the claim waits until half of it is gone, so that a claim is a batch.
        if capacity > self.slots && taken > capacity / 2 { 0 } else { capacity.saturating_sub(taken) }
    }

    fn store(&self) -> MutexGuard<'_, Away> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what an attempt tells of the object store. Answers whether it has just gone (`true`) or come back
    /// (`false`).
    pub fn hear_of_the_store(&self, word: StoreWord) -> Option<bool> {
        self.store().hear(word, Instant::now(), fastrand::f64())
    }

    fn ahead(&self) -> usize {
        match self.pace_ns.load(Ordering::Relaxed) {
            0 => 0,
            pace => (AHEAD.as_nanos() as u64 * self.slots as u64 / pace).min(AHEAD_MAX as u64) as usize,
        }
    }

    /// Takes in a claimed job.
    pub fn push(&self, job: HeldJob) {
        self.taken.fetch_add(1, Ordering::AcqRel);
        self.buffer().push_back((Instant::now(), job));
        self.waker.wake();
    }

    /// The next job to start; `None` once the lane is closed.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<HeldJob>> {
        self.waker.register(cx.waker());
        if !self.is_open() {
            return Poll::Ready(None);
        }
        self.buffer().pop_front().map_or(Poll::Pending, |(_, job)| Poll::Ready(Some(job)))
    }

    /// Whether jobs wait to be started.
    #[must_use]
    pub fn has_buffered(&self) -> bool {
        !self.buffer().is_empty()
    }

    /// What is to be given back: everything once the lane is closed; otherwise, when the oldest buffered job has waited
    /// too long, all that wait, and the pace is forgotten.
    pub fn take_stale(&self) -> Vec<HeldJob> {
        let mut buffer = self.buffer();
        let stale = buffer.front().is_some_and(|(since, _)| since.elapsed() >= STALE);
        if self.is_open() && !stale {
            return Vec::new();
        }
        if stale {
            self.pace_ns.store(STALE.as_nanos() as u64, Ordering::Relaxed);
        }
        self.taken.fetch_sub(buffer.len(), Ordering::AcqRel);
        buffer.drain(..).map(|(_, job)| job).collect()
    }

    /// Notes that a job has left its slot after `ran`; `None` when it did not get to work, which says nothing of the
    /// pace.
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

    /// From now on nothing is started; what is buffered waits to be given back.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.waker.wake();
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

    fn lane(slots: usize) -> Lane {
        Lane::new("noop", slots, Arc::new(Notify::new()))
    }

    #[test]
    fn a_lane_claims_only_into_free_slots_until_it_knows_its_pace() {
        let lane = lane(4);
        assert_eq!(lane.demand(), 4);
        lane.taken.store(4, Ordering::Release);
        assert_eq!(lane.demand(), 0);
        lane.release(Some(Duration::from_secs(3)));
        assert_eq!(lane.demand(), 1, "slow jobs are never claimed ahead");
    }

    #[test]
    fn a_lane_of_fast_jobs_claims_what_starts_within_20_ms() {
        let lane = lane(4);
        lane.taken.store(1, Ordering::Release);
        lane.release(Some(Duration::from_millis(2)));
        assert_eq!(lane.demand(), 4 + 40);
        lane.taken.store(1, Ordering::Release);
        lane.release(None);
        assert_eq!(lane.demand(), 4 + 40, "what did not get to work says nothing of the pace");
        lane.taken.store(1, Ordering::Release);
        lane.release(Some(Duration::from_millis(100)));
        assert_eq!(lane.demand(), 4, "one slow job ends it");
    }

    #[test]
    fn a_lane_whose_store_is_away_wants_nothing() {
        let lane = lane(4);
        assert_eq!(lane.hear_of_the_store(StoreWord::Away), None);
        assert_eq!((lane.demand(), lane.hear_of_the_store(StoreWord::Away)), (4, Some(true)));
        assert_eq!(lane.demand(), 0);
        assert_eq!((lane.hear_of_the_store(StoreWord::There), lane.demand()), (Some(false), 4));
    }

    #[test]
    fn a_closed_lane_wants_nothing() {
        let lane = lane(4);
        lane.close();
        assert_eq!(lane.demand(), 0);
    }
}
