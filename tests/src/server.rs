//! One throw-away PostgreSQL for a whole test binary.
//!
//! The worker's own throw-away server ([`Ephemeral`]): it ends with this process, however that ends, so nothing lingers
//! after a run. A thread of its own keeps it, because every test has a runtime that ends with the test. A template
//! database is migrated once, every test copies it.

use std::sync::{OnceLock, mpsc};

use forgeos_worker::embedded::Ephemeral;
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{mpsc as orders, oneshot};

/// The running server.
#[derive(Debug)]
pub struct Server {
    maintenance: PgConnectOptions,
    url: String,
    orders: orders::UnboundedSender<Order>,
}

#[derive(Debug)]
enum Order {
    Create { database: String, template: Option<String>, done: oneshot::Sender<Result<(), String>> },
    Drop { database: String },
}

/// The server of this test binary, started by the first test that asks. Without PostgreSQL's programs every test fails
/// with the sentence that says how to install them.
#[must_use]
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(|| Server::start(Durability::ThrowAway)) {
        Ok(server) => server,
        Err(sentence) => panic!("{sentence}"),
    }
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// For tests: nothing has to survive.
    ThrowAway,
    /// For benchmarks: as an operator would run it.
    Durable,
}

impl Server {
    /// Starts a server and migrates its template database.
    pub fn start(durability: Durability) -> Result<Self, String> {
        let (started, starting) = mpsc::channel();
        std::thread::Builder::new()
            .name("postgresql".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(serve(durability, &started));
            })
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        starting.recv().map_err(|_| "the thread of the test server panicked".to_owned())?
    }

    /// How to reach one of its databases.
    #[must_use]
    pub fn options(&self, database: &str) -> PgConnectOptions {
        self.maintenance.clone().database(database)
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let mut url: url::Url = self.url.parse().unwrap();
        url.set_path(database);
        url.into()
    }

    /// Where its socket lies.
    #[must_use]
    pub fn socket_folder(&self) -> std::path::PathBuf {
        let url: url::Url = self.url.parse().unwrap();
        let host = url.query_pairs().find(|(name, _)| name == "host").map(|(_, folder)| folder.into_owned());
        host.unwrap().into()
    }

    pub(crate) async fn create_database(&self, database: &str, template: Option<&str>) {
        let (done, created) = oneshot::channel();
        let order =
            Order::Create { database: database.to_owned(), template: template.map(str::to_owned), done };
        self.orders.send(order).unwrap();
        created.await.unwrap().unwrap();
    }

    pub(crate) fn drop_database_later(&self, database: String) {
        let _ = self.orders.send(Order::Drop { database });
    }
}

async fn serve(durability: Durability, started: &mpsc::Sender<Result<Server, String>>) {
    let running = match durability {
        Durability::ThrowAway => Ephemeral::start().await,
        Durability::Durable => Ephemeral::start_durable().await,
    };
    let running = match running {
        Ok(running) => running,
        Err(error) => {
            let _ = started.send(Err(error.to_string()));
            return;
        }
    };
    let maintenance = running.options("postgres");
    let (orders, mut received) = orders::unbounded_channel();
    let mut connection = PgConnection::connect_with(&maintenance).await.unwrap();
    if let Err(sentence) = prepare_template(&mut connection, &maintenance).await {
        let _ = started.send(Err(sentence));
        return;
    }
    let url = running.url("postgres");
    let _ = started.send(Ok(Server { maintenance, url, orders }));
    while let Some(order) = received.recv().await {
        match order {
            Order::Create { database, template, done } => {
                let template = template.map(|t| format!(" template {t}")).unwrap_or_default();
                let created = run(&mut connection, format!("create database {database}{template}")).await;
                let _ = done.send(created.map_err(|e| e.to_string()));
            }
            Order::Drop { database } => {
                let _ =
                    run(&mut connection, format!("drop database if exists {database} with (force)")).await;
            }
        }
    }
}

async fn prepare_template(connection: &mut PgConnection, options: &PgConnectOptions) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("the template database cannot be prepared: {error}");
    run(connection, "create database forgeos_template".to_owned()).await.map_err(|e| failed(&e))?;
    let template = options.clone().database("forgeos_template");
    forgeos_core::db::migrate::run(&template).await.map_err(|e| failed(&e))?;
    let mut inside = PgConnection::connect_with(&template).await.map_err(|e| failed(&e))?;
    run(&mut inside, TEST_JOB_TYPES.to_owned()).await.map_err(|e| failed(&e))?;
    inside.close().await.map_err(|e| failed(&e))
}

const TEST_JOB_TYPES: &str = "
    insert into job_types (name, description) values
      ('noop', 'Does nothing, for load tests'), ('scripted', 'Does what its params say'),
      ('faulty', 'Has one effect, and goes wrong when its params say so');
    analyze";

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}
