//! A worker inside the test's own process: the real runtime with the real registry, the tests' job types added.

use std::{collections::BTreeMap, time::Duration};

use forgeos_core::{
    Compute, WorkerId,
    db::{Db, Statements},
};
use forgeos_worker::{
    environment::Environment,
    registry::Registry,
    runtime::{Health, Runtime, RuntimeError, Shutdown},
    settings::WorkerSettings,
};
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinHandle;

use crate::{Noop, Scripted, TestWorld, world::poll};

/// A worker that was not started yet.
#[derive(Debug)]
pub struct InProcess {
    /// What would stand in `[worker]`. Short lease and poll interval, because tests wait for them.
    pub settings: WorkerSettings,
    /// What it can do.
    pub registry: Registry,
    /// Whether it has a direct connection to listen on.
    pub listens: bool,
    /// How its statements run.
    pub statements: Statements,
    options: PgConnectOptions,
    storage_folder: std::path::PathBuf,
}

impl InProcess {
    pub(crate) fn new(world: &TestWorld) -> Self {
        Self {
            settings: WorkerSettings {
                job_types: Vec::new(),
                slots: BTreeMap::new(),
                lease_seconds: 2,
                shutdown_grace_seconds: 5,
                poll_interval_ms: 50,
                memory_budget_mb: 256,
                compute_threads: 1,
            },
            registry: Registry::product().with::<Noop>(4).with::<Scripted>(4),
            listens: true,
            statements: Statements::Named,
            options: world.options.clone().application_name("forgeos worker"),
            storage_folder: world.storage_folder(),
        }
    }

    /// Takes only these job types.
    #[must_use]
    pub fn only(mut self, job_types: &[&str]) -> Self {
        self.settings.job_types = job_types.iter().map(|&t| t.to_owned()).collect();
        self
    }

    /// Slots of a job type.
    #[must_use]
    pub fn slots(mut self, job_type: &str, slots: usize) -> Self {
        self.settings.slots.insert(job_type.to_owned(), slots);
        self
    }

    /// Looks unasked only this often.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.settings.poll_interval_ms = interval.as_millis() as u64;
        self
    }

    /// How long its leases last.
    #[must_use]
    pub fn lease_seconds(mut self, seconds: u64) -> Self {
        self.settings.lease_seconds = seconds;
        self
    }

    /// How long running jobs may go on after the word to stop.
    #[must_use]
    pub fn grace_seconds(mut self, seconds: u64) -> Self {
        self.settings.shutdown_grace_seconds = seconds;
        self
    }

    /// Has no connection to listen on.
    #[must_use]
    pub fn deaf(mut self) -> Self {
        self.listens = false;
        self
    }

    /// Runs its statements as behind a transaction pooler.
    #[must_use]
    pub fn behind_a_pooler(mut self) -> Self {
        self.statements = Statements::Unnamed;
        self.deaf()
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> RunningWorker {
        let id = WorkerId::random();
        let environment = Environment {
            worker: id,
            control: Db::lazy(self.options.clone(), self.statements, 4),
            handlers: Db::lazy(self.options.clone(), self.statements, 8),
            listen: self.listens.then(|| self.options.clone()),
            storage: storage(&self.storage_folder),
            compute: Compute::new(self.settings.compute_threads, self.settings.memory_budget_mb).unwrap(),
            http_address: None,
        };
        let pools = [environment.control.clone(), environment.handlers.clone()];
        let runtime = Runtime::new(environment, self.settings, self.registry);
        let health = runtime.health();
        let shutdown = Shutdown::default();
        let task = tokio::spawn(runtime.run(shutdown.clone()));
        RunningWorker { id, health, shutdown, task: Some(task), pools }
    }

    /// Starts it and waits until it is ready.
    pub async fn ready(self) -> RunningWorker {
        let listens = self.listens;
        let worker = self.start();
        poll("the worker to be ready", async || {
            let heard = !listens || worker.health.wakeup_mode() == "listen";
            (worker.health.ready().is_ok() && heard).then_some(())
        })
        .await;
        worker
    }
}

/// A worker under way; told to stop when dropped.
#[derive(Debug)]
pub struct RunningWorker {
    /// Its boot id, as in `jobs.locked_by`.
    pub id: WorkerId,
    /// A look at it.
    pub health: Health,
    /// The two words to stop.
    pub shutdown: Shutdown,
    task: Option<JoinHandle<Result<(), RuntimeError>>>,
    pools: [Db; 2],
}

impl RunningWorker {
    /// Stops it and waits until everything is settled.
    pub async fn stop(mut self) {
        self.shutdown.soft.cancel();
        self.finished().await.unwrap();
    }

    /// Waits until it has ended.
    pub async fn finished(&mut self) -> Result<(), RuntimeError> {
        let task = self.task.take().unwrap();
        let ended = tokio::time::timeout(crate::world::DEADLINE, task).await;
        for pool in &self.pools {
            pool.close().await;
        }
        ended.expect("the worker did not end").unwrap()
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.shutdown.soft.cancel();
        self.shutdown.hard.cancel();
    }
}

fn storage(folder: &std::path::Path) -> forgeos_core::storage::Storage {
    let _ = folder;
    forgeos_core::storage::Storage {}
}
