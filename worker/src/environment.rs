//! What a process works with: pools, storage, threads. Opened once, in order, and closed in reverse.

use std::{path::PathBuf, time::Duration};

use forgeos_core::{
    Compute, Resources, WorkerId,
    db::{
        Db, DbError,
        artifacts::{self, ArtifactFilter},
    },
    storage::{Storage, StorageError},
};
use forgeos_reporting::pdf::{Setter, SetterError, SetterOptions};
use sqlx::postgres::PgConnectOptions;

use crate::{
    database::{Database, DatabaseError},
    jobs::models::ModelShelf,
    settings::Settings,
};

/// Connections of the engine: claim, two to settle, sweep, the log of jobs.
const CONTROL_CONNECTIONS: u32 = 5;

/// A statement of a handler that is silent for so many leases is given up.
const SILENT_LEASES: u32 = 10;

/// How long connections may take to come back at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Why a process has nothing to work with.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// No database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The folder of the store is empty, and should not be.
    #[error(
        "the folder `{}` has no buckets, but the database knows of files: mount its disk; if it is to be a new store, make the folder `images` in it",
        folder.display()
    )]
    StorageGone {
        /// Where the files should be.
        folder: PathBuf,
    },
    /// It could not be asked whether there are files.
    #[error(transparent)]
    Ask(#[from] DbError),
    /// No object store.
    #[error("cannot open the storage")]
    Storage(#[from] StorageError),
    /// No threads.
    #[error("cannot start the compute threads")]
    Threads(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the operator has put in place of built-in files of reports is not usable.
    #[error("cannot use the files of [reporting]")]
    Reporting(#[source] SetterError),
}

/// Opens the store. A folder without any bucket is made one only while the database knows of no file: a disk that is not
/// mounted must not become an empty store.
pub async fn open_storage(settings: &Settings, db: &Db) -> Result<Storage, EnvironmentError> {
    if let Some(folder) = Storage::unmade_folder(&settings.storage, &settings.data_dir)
        && !artifacts::list(db, ArtifactFilter::default(), 1).await?.is_empty()
    {
        return Err(EnvironmentError::StorageGone { folder });
    }
    Ok(Storage::open(&settings.storage, &settings.data_dir, settings.http.public_url.as_deref())?)
}

/// Everything that is opened once and shared.
#[derive(Debug, Clone)]
pub struct Environment {
    /// This start of this process.
    pub worker: WorkerId,
    /// Claims, settles, sweeps: a small pool of the engine's own. The heartbeat opens a sibling of it, on its own thread.
    pub control: Db,
    /// The handlers' pool.
    pub handlers: Db,
    /// A direct connection for LISTEN, when there is one.
    pub listen: Option<PgConnectOptions>,
    /// The object store.
    pub storage: Storage,
    /// The threads for CPU work.
    pub compute: Compute,
    /// What the handlers share besides.
    pub resources: Resources,
    /// Where the HTTP server listens, for the row in `workers`.
    pub http_address: Option<String>,
    /// The way to the database; keeps the embedded server up.
    pub database: Database,
}

impl Environment {
    /// Opens the database (the embedded one when none is set; it is migrated, another one must be), the store and the
    /// threads.
    pub async fn open(settings: &Settings) -> Result<Self, EnvironmentError> {
        let database = Database::open(settings).await?;
        match Self::with_database(settings, database.clone()).await {
            Ok(environment) => Ok(environment),
            Err(error) => {
                database.close().await;
                Err(error)
            }
        }
    }

    /// The same over a database that is open already.
    pub async fn with_database(settings: &Settings, database: Database) -> Result<Self, EnvironmentError> {
        database.ensure_schema().await?;
        let looking = database.pool(1);
        let storage = open_storage(settings, &looking).await;
        looking.close().await;
        let storage = storage?;
        let threads = match settings.worker.compute_threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let compute = Compute::new(threads, settings.worker.memory_budget_mb)
            .map_err(|error| EnvironmentError::Threads(error.into()))?;
        let setter = Setter::new(SetterOptions {
            templates_dir: settings.reporting.templates_dir.clone(),
            rules_file: settings.reporting.rules_file.clone(),
            fonts_dir: settings.reporting.fonts_dir.clone(),
        })
        .map_err(EnvironmentError::Reporting)?;
        let control = database.queue_pool(CONTROL_CONNECTIONS);
        Ok(Self {
            worker: WorkerId::random(),
            handlers: control
                .beside(settings.database.max_connections)
                .with_silence(Duration::from_secs(settings.worker.lease_seconds.max(1)) * SILENT_LEASES),
            control,
            listen: database.direct().cloned(),
            storage,
            compute,
            resources: Resources::new().with(setter).with(ModelShelf::default()),
            http_address: None,
            database,
        })
    }

    /// Closes the pools and leaves the embedded server. A handler that does not return may hold a connection for ever:
    /// it is not waited for long.
    pub async fn close(&self) {
        let pools = async { tokio::join!(self.handlers.close(), self.control.close()) };
        if tokio::time::timeout(CLOSE_PATIENCE, pools).await.is_err() {
            tracing::warn!("a connection is still in use; it ends with the process");
        }
        self.database.close().await;
    }
}
