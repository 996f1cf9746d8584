//! A worker process: starts the engine's parts in order, waits for the word to stop, stops them in reverse.

use std::{sync::Arc, time::Duration};

use apalis::{
    layers::WorkerBuilderExt,
    prelude::{Monitor, WorkerBuilder},
};
use forgeos_core::{StopReason, db::workers::WorkerRow};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

pub use crate::health::{Health, HealthState, WakeupMode};
use crate::{
    attempt::{AttemptService, Stuck},
    environment::Environment,
    job_log, outcome,
    queue::{
        backend::JobsBackend, claim::Claimer, heartbeat::Heartbeat, lanes::Lane, leases::Leases, settle,
        sweep::Sweeper, turns::Turns, wakeup::Wakeup,
    },
    registry::Registry,
    settings::{RetentionSettings, ScheduleSettings, WorkerSettings},
    upkeep::Upkeep,
};

/// How long handlers that were told to stop have before their jobs are given back over their heads.
const STOP_PATIENCE: Duration = Duration::from_secs(7);
/// The same after the second signal.
const HARD_STOP_PATIENCE: Duration = Duration::from_millis(500);

/// The two words to stop.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// No new jobs; running ones get the grace time.
    pub soft: CancellationToken,
    /// Running ones are given back at once.
    pub hard: CancellationToken,
}

/// Why a worker process ended on its own.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The settings name a job type that this program does not know.
    #[error("worker.job_types: unknown job type `{name}`; known: {known}")]
    UnknownJobType {
        /// The unknown one.
        name: String,
        /// The known ones.
        known: String,
    },
    /// A thread could not be started.
    #[error("cannot start the heartbeat thread")]
    Thread(#[source] std::io::Error),
    /// A part of the engine ended that never should.
    #[error("the worker stopped by itself: {0}")]
    Ended(String),
}

/// A worker that was not started yet.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    settings: WorkerSettings,
    registry: Registry,
    health: Arc<HealthState>,
    leases: Leases,
    upkeep: Option<(RetentionSettings, Vec<ScheduleSettings>)>,
}

impl Runtime {
    /// Puts a worker together.
    #[must_use]
    pub fn new(environment: Environment, settings: WorkerSettings, registry: Registry) -> Self {
        Self {
            environment,
            settings,
            registry,
            health: Arc::default(),
            leases: Leases::default(),
            upkeep: None,
        }
    }

    /// Takes part in upkeep, too.
    #[must_use]
    pub fn with_upkeep(mut self, retention: RetentionSettings, schedules: Vec<ScheduleSettings>) -> Self {
        self.upkeep = Some((retention, schedules));
        self
    }

    /// A look at it from outside.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::new(Arc::clone(&self.health), self.leases.clone())
    }

    /// The job types that this worker takes, with their slots.
    pub fn slots(&self) -> Result<Vec<(&'static str, usize)>, RuntimeError> {
        let wanted = &self.settings.job_types;
        for name in wanted.iter().chain(self.settings.slots.keys()) {
            if self.registry.get(name).is_none() {
                let known = self.registry.names().join(", ");
                return Err(RuntimeError::UnknownJobType { name: name.clone(), known });
            }
        }
        Ok(self
            .registry
            .iter()
            .filter(|job_type| wanted.is_empty() || wanted.iter().any(|name| name == job_type.name))
            .map(|t| (t.name, self.settings.slots.get(t.name).copied().unwrap_or(t.default_slots)))
            .filter(|(_, slots)| *slots > 0)
            .collect())
    }

    /// Runs until it is told to stop and everything that was under way is settled.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), RuntimeError> {
        let slots = self.slots()?;
        let lease = Duration::from_secs(self.settings.lease_seconds.max(1));
        let poll_interval = Duration::from_millis(self.settings.poll_interval_ms.max(1));
        let (wake, nudge) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let Environment { worker, control, .. } = &self.environment;

        let (heartbeat_stop, heartbeat_ended) = (CancellationToken::new(), CancellationToken::new());
        // Nothing of ours is renewed by a thread that was left behind.
        let _heartbeat_ends_with_us = heartbeat_stop.clone().drop_guard();
        let heartbeat = Heartbeat {
            db: control.clone(),
            row: self.worker_row(&slots),
            lease,
            leases: self.leases.clone(),
            nudge: Arc::clone(&nudge),
            health: Arc::clone(&self.health),
        }
        .start(heartbeat_stop.clone(), heartbeat_ended.clone().drop_guard())
        .map_err(RuntimeError::Thread)?;
        let (settler, writers) = settle::start(control.clone(), *worker, self.leases.clone());
        let log_writer = job_log::start(control.clone());

        let (turns, stuck) = (Arc::<Turns>::default(), Arc::<Stuck>::default());
        let mut lanes = Vec::new();
        let mut monitor = Monitor::new();
        for (name, slots) in &slots {
            let Some(job_type) = self.registry.get(name) else { continue };
            let lane = Arc::new(Lane::new(job_type.name, *slots, Arc::clone(&wake)));
            let service = AttemptService {
                job_type: Arc::clone(job_type),
                lane: Arc::clone(&lane),
                environment: self.environment.clone(),
                settler: settler.clone(),
                turns: Arc::clone(&turns),
                stuck: Arc::clone(&stuck),
                health: Arc::clone(&self.health),
            };
            monitor = register(monitor, &lane, service);
            lanes.push(lane);
        }

        let claimer = Claimer {
            db: control.clone(),
            worker: *worker,
            lease,
            poll_interval,
            lanes: lanes.clone(),
            wake: Arc::clone(&wake),
            turns,
            leases: self.leases.clone(),
            settler: settler.clone(),
            health: Arc::clone(&self.health),
        };
        let mut claimer = tokio::spawn(claimer.run(shutdown.soft.child_token()));
        let mut parts = JoinSet::new();
        parts.spawn(Arc::clone(&self.health).turn());
        let every = poll_interval.clamp(Duration::from_millis(100), lease / 8);
        self.health.looks_every(every);
        let (claim, health) = (Arc::clone(&wake), Arc::clone(&self.health));
        parts.spawn(Sweeper { db: control.clone(), lease, every, claim, health }.run());
        if let Some(options) = self.environment.listen.clone() {
            let wakeup = Wakeup {
                options,
                claim: Arc::clone(&wake),
                heartbeat: nudge,
                leases: self.leases.clone(),
                health: Arc::clone(&self.health),
            };
            parts.spawn(wakeup.run());
        }
        if let Some((retention, schedules)) = self.upkeep.clone() {
            let upkeep = Upkeep {
                worker: *worker,
                db: self.environment.handlers.clone(),
                storage: self.environment.storage.clone(),
                retention,
                schedules,
                lease,
            };
            parts.spawn(upkeep.run());
        }
        let in_words: Vec<String> = slots.iter().map(|(name, n)| format!("{name}={n}")).collect();
        info!(worker = %worker, slots = in_words.join(" "), "ready for jobs");

        // The monitor ends when every backend has closed; until then only a fault ends it.
        let closing = CancellationToken::new();
        let closed = closing.clone();
        let mut monitor = tokio::spawn(monitor.run_with_signal(async move {
            closed.cancelled().await;
            Ok(())
        }));
        // A part that ends by itself has panicked: a worker that looks alive and takes no jobs is worse than none, so
        // the process ends and its supervisor starts another.
        let fault = tokio::select! {
            biased;
            () = shutdown.soft.cancelled() => None,
            () = shutdown.hard.cancelled() => None,
            ended = &mut monitor => Some(format!("the job monitor ended: {ended:?}")),
            ended = &mut claimer => Some(format!("the claim loop ended: {ended:?}")),
            ended = parts.join_next() => Some(format!("sweeping, listening or upkeep ended: {ended:?}")),
            () = stuck.wait_for_too_many() => {
                Some("too many handlers ignored their stop signal and may hold threads".to_owned())
            }
            () = heartbeat_ended.cancelled() => Some("the heartbeat thread ended".to_owned()),
        };
        if let Some(words) = &fault {
            error!("{words}");
        }
        shutdown.soft.cancel();
        self.health.stopping();
        for lane in &lanes {
            lane.close();
        }
        if !claimer.is_finished() {
            let _ = claimer.await;
        }
        parts.shutdown().await;
        if !monitor.is_finished() {
            closing.cancel();
            self.drain(&mut monitor, &shutdown).await;
        }
        for (_, held) in self.leases.all() {
            held.stop.request(StopReason::ShuttingDown);
        }
        // Handlers that are still there have lost their jobs: what is not settled by now is given back.
        drop(lanes);
        self.give_back_the_rest(&settler).await;
        drop(settler);
        if tokio::time::timeout(Duration::from_secs(30), writers.finish()).await.is_err() {
            warn!("not everything could be settled; leases will run out instead");
        }
        log_writer.finish().await;
        heartbeat_stop.cancel();
        let _ = tokio::task::spawn_blocking(move || heartbeat.join()).await;
        match fault {
            None => Ok(()),
            Some(words) => Err(RuntimeError::Ended(words)),
        }
    }
}

impl Runtime {
    fn worker_row(&self, slots: &[(&'static str, usize)]) -> WorkerRow {
        WorkerRow {
            id: self.environment.worker,
            host: host_name(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            job_types: slots.iter().map(|(name, _)| (*name).to_owned()).collect(),
            slots: slots.iter().map(|(name, n)| ((*name).to_owned(), serde_json::json!(n))).collect(),
            http_address: self.environment.http_address.clone(),
        }
    }

    /// Lets running jobs end: first by themselves, then told to, then without them.
    async fn drain(&self, monitor: &mut MonitorTask, shutdown: &Shutdown) {
        let grace = Duration::from_secs(self.settings.shutdown_grace_seconds);
        if !self.leases.is_empty() {
            info!(jobs = self.leases.len(), grace_seconds = grace.as_secs(), "waiting for running jobs");
        }
        tokio::select! {
            _ = &mut *monitor => return,
            () = tokio::time::sleep(grace) => {}
            () = shutdown.hard.cancelled() => {}
        }
        for (_, held) in self.leases.all() {
            held.stop.request(StopReason::ShuttingDown);
        }
        let patience = tokio::time::sleep(STOP_PATIENCE);
        let at_once = async {
            shutdown.hard.cancelled().await;
            tokio::time::sleep(HARD_STOP_PATIENCE).await;
        };
        tokio::select! {
            _ = &mut *monitor => return,
            () = patience => {}
            () = at_once => {}
        }
        monitor.abort();
        let _ = monitor.await;
    }

    async fn give_back_the_rest(&self, settler: &settle::Settler) {
        for (job, held) in self.leases.all() {
            if !held.settling && held.stop.reason() == Some(StopReason::ShuttingDown) {
                warn!(job.id = %job, "given back although its handler has not returned");
                settler.send(held.job.lease, outcome::release(&held.job, 0.0, None));
            }
        }
    }
}

type MonitorTask = tokio::task::JoinHandle<Result<(), apalis_core::monitor::MonitorError>>;

fn register(monitor: Monitor, lane: &Arc<Lane>, service: AttemptService) -> Monitor {
    let lane = Arc::clone(lane);
    monitor.register(move |_restarts| {
        WorkerBuilder::new(lane.job_type)
            .backend(JobsBackend::new(Arc::clone(&lane)))
            .catch_panic()
            .concurrency(lane.slots)
            .build(service.clone())
    })
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}
