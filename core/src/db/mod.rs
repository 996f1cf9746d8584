//! All SQL of the project, one module a table or concern. Nothing else speaks SQL.
//!
//! Statements are static text, checked at build time against the description of the schema in `.sqlx`. Time is the
//! database's `now()`. No connection is held while a job computes.

pub mod analyses;
pub mod artifacts;
pub mod console;
pub mod dashboard;
pub mod doctor;
pub mod erase;
mod error;
mod exec;
pub mod exports;
pub mod fenced;
pub mod images;
pub mod items;
pub mod job_logs;
mod lent;
pub mod loadtest;
pub mod migrate;
pub mod models;
pub mod prune;
pub mod queue;
pub mod report_sources;
pub mod reports;
pub mod training;
pub mod upkeep;
pub mod workers;

pub use error::{DbError, DbResult, within};
pub use exec::{Exec, Planning, Session, Statements, Transaction};

use std::time::Duration;

use sqlx::{
    Connection, Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// A connection of the queue that was idle for this long is asked whether it lives before it is used. One of the
/// handlers is asked sooner: the queue just tries again, but a job whose connection has died goes back to wait.
const ASK_AFTER: Duration = Duration::from_secs(1);
const ASK_HANDLERS_AFTER: Duration = Duration::from_millis(5);
/// How long it may take to answer.
const ASK_PATIENCE: Duration = Duration::from_secs(1);
/// How long somebody waits for a connection. While a server refuses connections, sqlx tries again ever more seldom, at
/// last every fifth of this.
const PATIENCE: Duration = Duration::from_secs(10);
/// A statement that brings neither a row nor an answer for this long is given up, unless the pool says otherwise.
const SILENCE: Duration = Duration::from_secs(300);

/// A pool of connections and the way statements run on them; clones share it.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    statements: Statements,
    planning: Planning,
    silence: Duration,
    doubt: lent::Doubt,
}

impl Db {
    /// A pool of at most `max_connections`, opened when first used.
    #[must_use]
    pub fn lazy(options: PgConnectOptions, statements: Statements, max_connections: u32) -> Self {
        Self::with_planning(options, statements, max_connections, Planning::Usual, PATIENCE)
    }

    /// The same for the statements of [`queue`], see [`Planning::Queue`].
    #[must_use]
    pub fn lazy_for_queue(options: PgConnectOptions, statements: Statements, max_connections: u32) -> Self {
        Self::with_planning(options, statements, max_connections, Planning::Queue, PATIENCE)
    }

    fn with_planning(
        options: PgConnectOptions,
        statements: Statements,
        max_connections: u32,
        planning: Planning,
        patience: Duration,
    ) -> Self {
        // Asking leaves time to connect anew.
        let ask_patience = ASK_PATIENCE.min(patience / 4);
        let ask_after = match planning {
            Planning::Usual => ASK_HANDLERS_AFTER,
            Planning::Queue => ASK_AFTER,
        };
        let doubt = lent::Doubt::default();
        let in_doubt = doubt.clone();
        let mut pool = PgPoolOptions::new()
            .max_connections(max_connections.max(1))
            .min_connections(0)
            .acquire_timeout(patience)
            .test_before_acquire(false)
            // A busy connection is not asked. One that was idle may have died with its server: nobody's job should find
            // that out.
            .before_acquire(move |connection, meta| {
                let doubt = in_doubt.clone();
                Box::pin(async move {
                    if doubt.concerns(meta.idle_for) {
                        return Ok(false);
                    }
                    if meta.idle_for < ask_after {
                        return Ok(true);
                    }
                    let pong = tokio::time::timeout(ask_patience, connection.ping()).await;
                    if pong.is_err() {
                        doubt.raise();
                    }
                    Ok(pong.is_ok_and(|pong| pong.is_ok()))
                })
            });
        if statements == Statements::Named {
            let settings = planning.settings("set");
            pool = pool.after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move {
                    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(settings))).await?;
                    Ok(())
                })
            });
        }
        Self { pool: pool.connect_lazy_with(options), statements, planning, silence: SILENCE, doubt }
    }

    /// Gives up a statement that brings neither a row nor an answer for so long: its connection may be half-open, and
    /// nobody else would tell.
    #[must_use]
    pub fn with_silence(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// The pool itself, for what is not a statement (closing, counting).
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How statements run.
    #[must_use]
    pub fn statements(&self) -> Statements {
        self.statements
    }

    /// A place to run single statements that need not be atomic together. [`Session::finish`] must be called for
    /// writes to count.
    pub async fn session(&self) -> DbResult<Session> {
        Session::open(self).await
    }

    /// A transaction.
    pub async fn begin(&self) -> DbResult<Transaction> {
        Transaction::open(self).await
    }

    /// Another pool to the same database, for the runtime that calls this: connections belong to the runtime that opened
    /// them. Nobody waits for a connection longer than `patience`, and the tries to make one are as close together as that
    /// asks for.
    #[must_use]
    pub fn sibling(&self, max_connections: u32, patience: Duration) -> Self {
        let options = (*self.pool.connect_options()).clone();
        Self::with_planning(options, self.statements, max_connections, self.planning, patience)
            .with_silence(self.silence)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
