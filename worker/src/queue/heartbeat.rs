//! Renews leases and writes progress, on a thread, a runtime and a pool of its own: neither blocked handlers nor an
//! exhausted pool can cost a lease. Where handlers block everything else for good, it ends the process instead.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use forgeos_core::{
    StopReason, WorkerId,
    db::{
        Db, DbResult, queue, within,
        workers::{self, WorkerRow},
    },
};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

use super::leases::Leases;
use crate::runtime::HealthState;

/// Connections of the heartbeat's own pool.
const CONNECTIONS: u32 = 2;
/// Progress is written at most this often.
const TICK: Duration = Duration::from_secs(1);

/// When nothing but the heartbeat has run for this long, or four leases if that is longer, the process ends.
const SILENCE_LIMIT: Duration = Duration::from_secs(20);

/// Without LISTEN a cancel is seen by the heartbeat, which then looks at least this often.
const CANCEL_LATENCY: Duration = Duration::from_secs(2);

/// What the heartbeat works with.
#[derive(Debug)]
pub struct Heartbeat {
    /// The pool of which it opens a sibling.
    pub db: Db,
    /// The row in `workers`.
    pub row: WorkerRow,
    /// How long a lease lasts.
    pub lease: Duration,
    /// The held leases.
    pub leases: Leases,
    /// Wakes it early: a cancel may be waiting.
    pub nudge: Arc<Notify>,
    /// Where it notes its contact with the database.
    pub health: Arc<HealthState>,
}

impl Heartbeat {
    /// Starts the thread. It ends after `stop`, once the row in `workers` is removed; then, or when it panics, `ended`
    /// is dropped.
    pub fn start(self, stop: CancellationToken, ended: DropGuard) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
            let _ended = ended;
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(self.run(stop)),
                Err(error) => tracing::error!(%error, "the heartbeat cannot start"),
            }
        })
    }

    async fn run(self, stop: CancellationToken) {
        let tick = TICK.min(self.lease / 5);
        // A third of the lease: two heartbeats may fail before it runs out.
        let due_after = self.lease / 3;
        // A connection that comes later would find nobody who waits for it.
        let db = self.db.sibling(CONNECTIONS, due_after);
        let mut registered: Option<Instant> = None;
        let mut said_away = Vec::new();
        let mut silence = Silence::of(&self.health);
        loop {
            self.health.pulse();
            if silence.look(&self.health) > SILENCE_LIMIT.max(self.lease * 4) {
                silence.end_the_process(self.leases.len());
            }
            // Leases first: while the database cannot be reached, the row in `workers` would take half of the time.
            let reached = self.beat(&db, due_after).await;
            let away = self.health.store_away();
            let old = registered.is_none_or(|at| at.elapsed() >= due_after);
            if reached && (old || away != said_away) {
                match within(due_after, register(&db, &self.row, &away)).await {
                    Ok(()) => (registered, said_away) = (Some(Instant::now()), away),
                    Err(error) => debug!(%error, "cannot write the row in workers now"),
                }
            }
            tokio::select! {
                () = tokio::time::sleep(tick) => {}
                () = self.nudge.notified() => {}
                () = stop.cancelled() => break,
            }
        }
        let farewell = unregister(&db, self.row.id);
        let _ = tokio::time::timeout(Duration::from_secs(2), farewell).await;
        db.close().await;
    }

    /// Renews what is due; whether that could be done. After a nudge everything is due.
    async fn beat(&self, db: &Db, due_after: Duration) -> bool {
        let age = if self.health.take_cancel_hint() {
            Duration::ZERO
        } else if self.health.listens() {
            due_after
        } else {
            due_after.min(CANCEL_LATENCY)
        };
        let due = self.leases.due(age);
        if due.is_empty() {
            return true;
        }
        let began = Instant::now();
        match within(due_after, renew(db, self.row.id, self.lease, &due)).await {
            Ok(lost) => {
                self.health.contact();
                self.leases.renewed(&due, began);
                metrics::histogram!(crate::metrics::HEARTBEAT_SECONDS).record(began.elapsed().as_secs_f64());
                for entry in lost {
                    let Some(held) =
                        self.leases.get(entry.job).filter(|held| held.job.lease.attempt == entry.attempt)
                    else {
                        continue;
                    };
                    let reason = if entry.cancelled { StopReason::Cancelled } else { StopReason::LeaseLost };
                    if held.stop.reason() != Some(reason) {
                        debug!(job.id = %entry.job, job.attempt = entry.attempt, ?reason, "a job is to stop");
                    }
                    held.stop.request(reason);
                }
                true
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                warn!(%error, cause, jobs = due.len(), "cannot renew leases now, will try again");
                false
            }
        }
    }
}

/// How long the runtime of the handlers has not turned, as seen from this thread.
struct Silence {
    turns: u64,
    looked: Instant,
    lasted: Duration,
}

impl Silence {
    fn of(health: &HealthState) -> Self {
        Self { turns: health.turns(), looked: Instant::now(), lasted: Duration::ZERO }
    }

    /// A process that was frozen as a whole has been silent in nobody's eyes: between two looks counts little.
    fn look(&mut self, health: &HealthState) -> Duration {
        let (turns, gap) = (health.turns(), self.looked.elapsed().min(TICK * 2));
        self.lasted = if turns == self.turns { self.lasted + gap } else { Duration::ZERO };
        (self.turns, self.looked) = (turns, Instant::now());
        self.lasted
    }

    /// Handlers that block every thread for ever would be kept alive by these heartbeats, with nobody left to time them
    /// out. Nothing else of the process can run, so nothing is shut down in order: the leases run out, and a supervisor
    /// starts a fresh process.
    fn end_the_process(&self, jobs: usize) -> ! {
        tracing::error!(
            jobs,
            seconds = self.lasted.as_secs(),
            "handlers block every thread; nothing else runs any more, the process ends"
        );
        std::process::exit(1)
    }
}

async fn register(db: &Db, row: &WorkerRow, store_away: &[String]) -> DbResult<()> {
    let mut session = db.session().await?;
    workers::register(&mut session, row, store_away).await?;
    session.finish().await
}

async fn unregister(db: &Db, worker: WorkerId) -> DbResult<()> {
    let mut session = db.session().await?;
    workers::unregister(&mut session, worker).await?;
    session.finish().await
}

async fn renew(
    db: &Db,
    worker: WorkerId,
    lease: Duration,
    due: &[(forgeos_core::JobId, i32, Option<String>)],
) -> DbResult<Vec<queue::LostLease>> {
    let mut session = db.session().await?;
    let lost = queue::heartbeat(&mut session, worker, lease.as_secs_f64(), due).await?;
    session.finish().await?;
    Ok(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silence_that_was_watched_counts() {
        let health = HealthState::default();
        let mut silence = Silence::of(&health);
        // A process that was frozen for an hour has looked once.
        if let Some(an_hour_ago) = Instant::now().checked_sub(Duration::from_secs(3600)) {
            silence.looked = an_hour_ago;
        }
        assert!(silence.look(&health) <= TICK * 2);
        silence.lasted = SILENCE_LIMIT;
        assert!(silence.look(&health) >= SILENCE_LIMIT, "it goes on while nothing turns");
        silence.turns = silence.turns.wrapping_sub(1);
        assert_eq!(silence.look(&health), Duration::ZERO, "the runtime has turned since the last look");
    }
}
