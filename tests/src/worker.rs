//! A worker inside the test's own process: the real runtime with the real registry, the tests' job types added.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use forgeos_core::WorkerId;
use forgeos_worker::{
    environment::Environment,
    registry::Registry,
    runtime::{Health, Runtime, RuntimeError, Shutdown},
    settings::{Settings, SettingsSources},
};
use tokio::task::JoinHandle;

use crate::{Faulty, Noop, Scripted, TestWorld, line::Line, outage::Way, world::poll};

/// A worker that was not started yet.
#[derive(Debug)]
pub struct InProcess {
    /// What it can do.
    pub registry: Registry,
    settings: Settings,
    listens: bool,
    url: String,
    listen_url: Option<String>,
    /// The folders of the sockets that its URLs name.
    sockets: Vec<PathBuf>,
}

impl InProcess {
    pub(crate) fn new(world: &TestWorld) -> Self {
        let named = |url: String| format!("{url}&application_name=forgeos%20worker");
        let url = named(world.workers_url());
        let mut environment = vec![
            ("DATABASE_URL", url.clone()),
            ("FORGEOS__STORAGE__URL", format!("file://{}", world.storage_folder().display())),
            ("FORGEOS__HTTP__LISTEN", "off".to_owned()),
            // Short, because tests wait for them.
            ("FORGEOS__WORKER__LEASE_SECONDS", "2".to_owned()),
            ("FORGEOS__WORKER__SHUTDOWN_GRACE_SECONDS", "5".to_owned()),
            ("FORGEOS__WORKER__POLL_INTERVAL_MS", "50".to_owned()),
        ];
        let mut sockets = vec![world.socket_folder()];
        let listen_url = world.pooler.map(|_| named(world.url()));
        if let (Some(pooler), Some(listen_url)) = (world.pooler, &listen_url) {
            environment.push(("FORGEOS__DATABASE__LISTEN_URL", listen_url.clone()));
            sockets.push(pooler.folder().to_owned());
        }
        let sources = SettingsSources {
            environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ..SettingsSources::default()
        };
        Self {
            registry: Registry::product().with::<Noop>(4).with::<Scripted>(4).with::<Faulty>(4),
            settings: Settings::load(sources).unwrap(),
            listens: true,
            url,
            listen_url,
            sockets,
        }
    }

    /// Reaches the database, and the pooler before it, by a way that can be cut.
    #[must_use]
    pub fn through(mut self, way: &Way) -> Self {
        let encoded = |folder: &Path| folder.display().to_string().replace('/', "%2F");
        for url in [Some(&mut self.url), self.listen_url.as_mut()].into_iter().flatten() {
            for socket in &self.sockets {
                *url = url.replace(&encoded(socket), &encoded(way.folder()));
            }
        }
        self.settings.database.url = Some(self.url.clone().into());
        self.settings.database.listen_url = self.listen_url.clone().map(Into::into);
        self
    }

    /// Reaches the database over TCP lines that can go dead, one for its pools and one to listen on.
    #[must_use]
    pub fn over(mut self, pool: &Line, listening: &Line) -> Self {
        let (path, _) = self.url.split_once("?").unwrap();
        let database = path.rsplit_once('/').unwrap().1;
        let url = |line: &Line| {
            let address = line.address();
            format!(
                "postgresql://forgeos@{address}/{database}?sslmode=disable&application_name=forgeos%20worker"
            )
        };
        self.settings.database.url = Some(url(pool).into());
        self.settings.database.listen_url = Some(url(listening).into());
        self
    }

    /// Takes only these job types.
    #[must_use]
    pub fn only(mut self, job_types: &[&str]) -> Self {
        self.settings.worker.job_types = job_types.iter().map(|&t| t.to_owned()).collect();
        self
    }

    /// Slots of a job type.
    #[must_use]
    pub fn slots(mut self, job_type: &str, slots: usize) -> Self {
        self.settings.worker.slots.insert(job_type.to_owned(), slots);
        self
    }

    /// Looks unasked only this often.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.settings.worker.poll_interval_ms = interval.as_millis() as u64;
        self
    }

    /// At most so many connections for its handlers.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.settings.database.max_connections = connections;
        self
    }

    /// How long its leases last.
    #[must_use]
    pub fn lease_seconds(mut self, seconds: u64) -> Self {
        self.settings.worker.lease_seconds = seconds;
        self
    }

    /// How long running jobs may go on after the word to stop.
    #[must_use]
    pub fn grace_seconds(mut self, seconds: u64) -> Self {
        self.settings.worker.shutdown_grace_seconds = seconds;
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
        self.settings.database.pooler = forgeos_worker::settings::Pooler::Transaction;
        self.deaf()
    }

    /// Starts it.
    pub async fn start(self) -> RunningWorker {
        let mut environment = Environment::open(&self.settings).await.unwrap();
        if !self.listens {
            environment.listen = None;
        }
        let runtime = Runtime::new(environment.clone(), self.settings.worker, self.registry);
        let health = runtime.health();
        let shutdown = Shutdown::default();
        let task = tokio::spawn(runtime.run(shutdown.clone()));
        RunningWorker { id: environment.worker, health, shutdown, task: Some(task), environment }
    }

    /// Starts it and waits until it is ready.
    pub async fn ready(self) -> RunningWorker {
        let listens = self.listens;
        let worker = self.start().await;
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
    /// What it works with.
    pub environment: Environment,
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
        self.environment.close().await;
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
