//! One test's own world: a database, a storage folder, and what is usually done with them.

use std::{future::Future, path::Path, time::Duration};

use forgeos_core::db::{Db, Statements};
use serde_json::Value;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    caller::Caller,
    pgbouncer::{self, PgBouncer},
    process::Process,
    rows::{self, JobRow, Rows, SqlError},
    server::{Server, server},
    worker::InProcess,
};

/// How long a test waits for a state that must come: far more than it takes, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A database and a folder of one test; both are removed with it.
#[derive(Debug)]
pub struct TestWorld {
    /// Connections of the test itself, as superuser.
    pub pool: PgPool,
    /// How to reach the database.
    pub options: PgConnectOptions,
    /// Its name.
    pub database: String,
    pub(crate) pooler: Option<&'static PgBouncer>,
    folder: TempDir,
    server: &'static Server,
}

impl TestWorld {
    /// A database with all migrations and the tests' own job types.
    pub async fn new() -> Self {
        Self::on(server(), Some("forgeos_template")).await
    }

    /// An empty database.
    pub async fn empty() -> Self {
        Self::on(server(), None).await
    }

    /// The same on a server of one's own.
    pub async fn on_server(server: &'static Server) -> Self {
        Self::on(server, Some("forgeos_template")).await
    }

    async fn on(server: &'static Server, template: Option<&str>) -> Self {
        let database = format!("test_{}", Uuid::new_v4().simple());
        server.create_database(&database, template).await;
        let options = server.options(&database);
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(DEADLINE)
            .connect_lazy_with(options.clone());
        let pooler = PgBouncer::everywhere();
        let folder = TempDir::with_prefix("forgeos-test-world-").unwrap();
        Self { pool, options, database, pooler, folder, server }
    }

    /// The folder of the object store and of everything else this world writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database as a URL, without a pooler.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url(&self.database)
    }

    /// The database as its workers are told: through the pooler, if there is one.
    #[must_use]
    pub fn workers_url(&self) -> String {
        let Some(pooler) = self.pooler else { return self.url() };
        let encoded = |folder: &Path| folder.display().to_string().replace('/', "%2F");
        self.url()
            .replace(&encoded(&self.socket_folder()), &encoded(pooler.folder()))
            .replace(":5432/", &format!(":{}/", pgbouncer::PORT))
    }

    /// Where the server's socket lies.
    #[must_use]
    pub fn socket_folder(&self) -> std::path::PathBuf {
        self.server.socket_folder()
    }

    /// The server's socket.
    #[must_use]
    pub fn server_socket(&self) -> std::path::PathBuf {
        self.socket_folder().join(".s.PGSQL.5432")
    }

    /// The database as the engine sees it over a direct connection.
    #[must_use]
    pub fn db(&self) -> Db {
        Db::lazy(self.options.clone(), Statements::Named, 4)
    }

    /// The same behind a transaction pooler: every session is one transaction.
    #[must_use]
    pub fn pooled_db(&self) -> Db {
        Db::lazy(self.options.clone(), Statements::Unnamed, 4)
    }

    /// Runs SQL as superuser, each call on its own connection.
    pub async fn try_sql(&self, sql: impl AsRef<str>) -> Result<Rows, SqlError> {
        let mut connection = self.pool.acquire().await?;
        rows::run(&mut connection, sql.as_ref()).await
    }

    /// Runs SQL that must pass.
    pub async fn sql(&self, sql: impl AsRef<str>) -> Rows {
        self.try_sql(sql.as_ref()).await.unwrap_or_else(|e| panic!("`{}`: {e:?}", sql.as_ref()))
    }

    /// The refusal of SQL that must not pass.
    pub async fn refused(&self, sql: impl AsRef<str>) -> SqlError {
        match self.try_sql(sql.as_ref()).await {
            Err(refusal) => refusal,
            Ok(rows) => panic!("`{}` was allowed and answered {rows:?}", sql.as_ref()),
        }
    }

    /// A signed-in user.
    #[must_use]
    pub fn user(&self, user: Uuid) -> Caller {
        Caller::new(self.pool.clone(), "authenticated", Some(user))
    }

    /// Somebody with a role and no user id in the claims.
    #[must_use]
    pub fn role(&self, role: &str) -> Caller {
        Caller::new(self.pool.clone(), role, None)
    }

    /// A role without any claims, like a direct login.
    #[must_use]
    pub fn login(&self, role: &str) -> Caller {
        Caller::without_claims(self.pool.clone(), role)
    }

    /// Inserts a job as an API would.
    pub async fn enqueue(&self, job_type: &str, params: &Value) -> Uuid {
        self.enqueue_for(job_type, params, None).await
    }

    /// Inserts a user's job as an API with the service key would.
    pub async fn enqueue_for(&self, job_type: &str, params: &Value, user: Option<Uuid>) -> Uuid {
        sqlx::query_scalar("insert into jobs (job_type, params, user_id) values ($1, $2, $3) returning id")
            .bind(job_type)
            .bind(params)
            .bind(user)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// A row of `jobs`.
    pub async fn job(&self, id: Uuid) -> JobRow {
        // Without `params`: a test may have put anything there.
        let row: Value = sqlx::query_scalar("select to_jsonb(j) - 'params' from public.jobs j where id = $1")
            .bind(id)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        serde_json::from_value(row).unwrap()
    }

    /// Waits until a job has a status.
    pub async fn wait_for(&self, id: Uuid, status: &str) -> JobRow {
        let what = format!("job {id} to be {status}");
        let mut last = None;
        let found = poll(&what, async || {
            let job = self.job(id).await;
            let reached = job.status() == status;
            // A job that ended otherwise will not come back: say so at once.
            let hopeless = job.is_finished() && !reached;
            last = Some(job);
            if hopeless { Some(false) } else { reached.then_some(true) }
        })
        .await;
        let job = last.unwrap();
        assert!(found, "waited for {what}, but it ended as {job:#?}");
        job
    }

    /// Waits until a job has ended, in whatever way.
    pub async fn wait_finished(&self, id: Uuid) -> JobRow {
        poll(&format!("job {id} to end"), async || {
            let job = self.job(id).await;
            job.is_finished().then_some(job)
        })
        .await
    }

    /// Waits until a query answers `true`.
    pub async fn wait_until(&self, question: &str) {
        poll(question, async || (self.sql(question).await.value() == "t").then_some(())).await;
    }

    /// The same with a deadline of its own, for long work; looks ten times a second at most.
    pub async fn wait_within(&self, seconds: u64, question: &str) {
        poll_within(Duration::from_secs(seconds), question, async || {
            (self.sql(question).await.value() == "t").then_some(())
        })
        .await;
    }

    /// A worker inside the test's own process.
    #[must_use]
    pub fn worker(&self) -> InProcess {
        InProcess::new(self)
    }

    /// A process of the real program.
    #[must_use]
    pub fn program(&self) -> Process {
        Process::new(self)
    }

    /// A process of a program of the tests' own that takes the worker's settings.
    #[must_use]
    pub fn other_program(&self, program: &Path) -> Process {
        Process::of(program, self)
    }

    /// Puts a file into the object store.
    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let path = self.object_path(bucket, key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Where an object lies: one folder a bucket.
    #[must_use]
    pub fn object_path(&self, bucket: &str, key: &str) -> std::path::PathBuf {
        self.storage_folder().join(bucket).join(key)
    }

    /// The folder of the object store.
    #[must_use]
    pub fn storage_folder(&self) -> std::path::PathBuf {
        self.folder().join("storage")
    }
}

impl Drop for TestWorld {
    fn drop(&mut self) {
        self.server.drop_database_later(self.database.clone());
    }
}

/// Looks until there is an answer; panics with `what` when it does not come.
pub async fn poll<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    poll_within(DEADLINE, what, look).await
}

/// The same with a deadline of one's own.
pub async fn poll_within<T>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(answer) = look().await {
            return answer;
        }
        assert!(began.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Waits for several futures that must all come true.
pub async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    futures::future::join_all(futures).await
}
