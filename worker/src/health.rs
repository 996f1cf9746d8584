//! What the engine tells of itself: to the HTTP server, and between its own parts.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::queue::leases::Leases;

/// A worker that could not reach the database for this long, or has missed so many looks if that is longer, is not ready.
const CONTACT_LIMIT: Duration = Duration::from_secs(5);
const MISSED_LOOKS: u32 = 3;

/// A heartbeat loop that has not come round for this long is stuck; its waits are bounded far below.
const PULSE_LIMIT: Duration = Duration::from_secs(120);

/// How often the runtime shows that it turns.
const TURN: Duration = Duration::from_millis(500);

/// How the worker learns of new jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WakeupMode {
    /// By looking every poll interval.
    Polling = 0,
    /// By notification, with polling as the backstop.
    Listening = 1,
}

/// The shared state.
#[derive(Debug, Default)]
pub struct HealthState {
    contact: Mutex<Option<Instant>>,
    looks_every: Mutex<Duration>,
    pulse: Mutex<Option<Instant>>,
    turns_of_the_runtime: AtomicU64,
    wakeup: AtomicU8,
    cancel_hint: AtomicBool,
    stopping: AtomicBool,
    store_away: Mutex<BTreeSet<&'static str>>,
}

impl HealthState {
    /// The database has just answered.
    pub fn contact(&self) {
        *self.contact.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The database is asked so often, whatever else there is to do.
    pub fn looks_every(&self, interval: Duration) {
        *self.looks_every.lock().unwrap_or_else(PoisonError::into_inner) = interval;
    }

    fn contact_limit(&self) -> Duration {
        let every = *self.looks_every.lock().unwrap_or_else(PoisonError::into_inner);
        CONTACT_LIMIT.max(every * MISSED_LOOKS)
    }

    /// The heartbeat has come round.
    pub fn pulse(&self) {
        *self.pulse.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Counts, on the runtime of the handlers, that it still turns; for ever.
    pub async fn turn(self: Arc<Self>) {
        loop {
            self.turns_of_the_runtime.fetch_add(1, Ordering::AcqRel);
            tokio::time::sleep(TURN).await;
        }
    }

    /// How often it did.
    pub fn turns(&self) -> u64 {
        self.turns_of_the_runtime.load(Ordering::Acquire)
    }

    /// How the worker learns of new jobs from now on.
    pub fn set_wakeup(&self, mode: WakeupMode) {
        self.wakeup.store(mode as u8, Ordering::Release);
    }

    /// Whether notifications are heard now.
    pub fn listens(&self) -> bool {
        self.wakeup.load(Ordering::Acquire) == WakeupMode::Listening as u8
    }

    /// A held job may have been cancelled.
    pub fn hint_cancel(&self) {
        self.cancel_hint.store(true, Ordering::Release);
    }

    /// Whether there was such a hint since the last call.
    pub fn take_cancel_hint(&self) -> bool {
        self.cancel_hint.swap(false, Ordering::AcqRel)
    }

    /// The object store is away for this type of jobs, or back.
    pub fn note_store(&self, job_type: &'static str, away: bool) {
        let mut types = self.store_away.lock().unwrap_or_else(PoisonError::into_inner);
        match away {
            true => types.insert(job_type),
            false => types.remove(job_type),
        };
    }

    /// The types of jobs for which the object store is away.
    pub fn store_away(&self) -> Vec<String> {
        let types = self.store_away.lock().unwrap_or_else(PoisonError::into_inner);
        types.iter().map(|job_type| (*job_type).to_owned()).collect()
    }

    /// No new jobs from now on.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}

/// A look at the engine from outside; clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<HealthState>,
    leases: Leases,
}

impl Health {
    pub(crate) fn new(state: Arc<HealthState>, leases: Leases) -> Self {
        Self { state, leases }
    }

    /// Whether the worker can take jobs; otherwise why not.
    pub fn ready(&self) -> Result<(), String> {
        if self.state.stopping.load(Ordering::Acquire) {
            return Err("shutting down".to_owned());
        }
        match *self.state.contact.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Err("the database has not answered yet".to_owned()),
            Some(at) if at.elapsed() > self.state.contact_limit() => {
                Err(format!("the database last answered {} s ago", at.elapsed().as_secs()))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether the process does its rounds, be the database there or not; otherwise what is stuck.
    pub fn alive(&self) -> Result<(), String> {
        match *self.state.pulse.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(at) if at.elapsed() > PULSE_LIMIT => {
                Err(format!("the heartbeat has not come round for {} s", at.elapsed().as_secs()))
            }
            _ => Ok(()),
        }
    }

    /// Jobs under way or claimed.
    #[must_use]
    pub fn running(&self) -> usize {
        self.leases.len()
    }

    /// `listen` or `poll`.
    #[must_use]
    pub fn wakeup_mode(&self) -> &'static str {
        if self.state.listens() { "listen" } else { "poll" }
    }
}
