//! A connection while it is lent out: it goes back to its pool only when it is known to be at rest.
//!
//! A statement that was given up, or cut off by an error of the line, leaves a connection of which nobody knows whether it
//! will ever answer, and whether a transaction is open on it. Such a connection is closed at once: the server undoes what
//! was not committed, and its place in the pool is free. Asking it first, as the pool itself does with every connection
//! that comes back, would wait for ever on one that is half-open.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Executor, PgConnection, Postgres, pool::PoolConnection};
use tokio::runtime::Handle;

use super::{Db, DbResult};

/// So long a connection that is at rest may take to be rolled back, or to answer when it comes back to its pool.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// A statement that was given up after so long makes one doubt the line. One that was given up sooner was just not wanted
/// any more.
const IN_DOUBT_AFTER: Duration = Duration::from_secs(2);

/// When a connection of a pool was last given up because it did not answer. The line is then in doubt: what has not
/// answered since is not asked one by one, each for seconds, but made anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt(Arc<Mutex<Option<Instant>>>);

impl Doubt {
    /// No answer came.
    pub(super) fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it is about a connection that has been idle for so long.
    pub(super) fn concerns(&self, idle_for: Duration) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|at| at.elapsed() < idle_for)
    }
}

/// The connection.
#[derive(Debug)]
pub(super) struct Lent {
    connection: Option<PoolConnection<Postgres>>,
    doubt: Doubt,
    /// Since when an answer is outstanding.
    asked: Option<Instant>,
    /// A transaction is open on it.
    pub(super) in_transaction: bool,
    silence: Duration,
}

impl Lent {
    /// The next one that is free.
    pub(super) async fn from(db: &Db) -> DbResult<Self> {
        let connection = Some(db.pool.acquire().await?);
        Ok(Self {
            connection,
            doubt: db.doubt.clone(),
            asked: None,
            in_transaction: false,
            silence: db.silence,
        })
    }

    /// The connection itself; nobody watches whether it comes to rest.
    pub(super) fn bare(&mut self) -> &mut PgConnection {
        lent(&mut self.connection)
    }

    /// The connection, for one statement, and who waits for its answer.
    pub(super) fn ask(&mut self) -> (&mut PgConnection, Answer<'_>) {
        (lent(&mut self.connection), Answer { asked: &mut self.asked, silence: self.silence })
    }

    /// Runs statements that answer nothing.
    pub(super) async fn run(&mut self, sql: String) -> DbResult<()> {
        let (connection, answer) = self.ask();
        answer.wait_for(connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))).await?;
        Ok(())
    }
}

fn lent(connection: &mut Option<PoolConnection<Postgres>>) -> &mut PgConnection {
    connection
        .as_mut()
        .unwrap_or_else(|| unreachable!("a connection is taken from it only when it is dropped"))
}

/// Waits for the answer to one statement, and takes the connection for dead when nothing comes for too long.
pub(super) struct Answer<'c> {
    asked: &'c mut Option<Instant>,
    silence: Duration,
}

impl Answer<'_> {
    /// The whole answer.
    pub(super) async fn wait_for<T>(
        mut self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let heard = self.hear(answer).await;
        if at_rest(&heard) {
            *self.asked = None;
        }
        heard
    }

    /// The next part of it; `None` is its end.
    pub(super) async fn wait_for_more<T>(
        &mut self,
        part: impl Future<Output = Result<Option<T>, sqlx::Error>>,
    ) -> Result<Option<T>, sqlx::Error> {
        let heard = self.hear(part).await;
        if at_rest(&heard) && !matches!(heard, Ok(Some(_))) {
            *self.asked = None;
        }
        heard
    }

    async fn hear<T>(
        &mut self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        *self.asked = Some(Instant::now());
        let patience = tokio::time::timeout(self.silence, answer).await;
        patience.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
    }
}

/// A statement that the server refused has been answered, unless the server ended the connection with it.
fn at_rest<T>(heard: &Result<T, sqlx::Error>) -> bool {
    match heard {
        Ok(_) => true,
        Err(sqlx::Error::Database(refusal)) => {
            refusal.code().is_some_and(|code| !code.starts_with("08") && !code.starts_with("57"))
        }
        Err(_) => false,
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.asked.is_some_and(|at| at.elapsed() >= IN_DOUBT_AFTER) {
            self.doubt.raise();
        }
        let runtime = match Handle::try_current() {
            Ok(runtime) if self.asked.is_none() => runtime,
            _ => {
                // Closes the socket. The server sees that, and so does a pooler.
                drop(connection.detach());
                return;
            }
        };
        let doubt = self.doubt.clone();
        let in_transaction = self.in_transaction;
        runtime.spawn(async move {
            if in_transaction {
                let rollback = connection.execute(sqlx::raw_sql("rollback"));
                if !matches!(tokio::time::timeout(BACK_WITHIN, rollback).await, Ok(Ok(_))) {
                    drop(connection.detach());
                    return;
                }
            }
            // The pool asks it once more, without a limit. Given up, it is closed.
            if tokio::time::timeout(BACK_WITHIN, connection.return_to_pool()).await.is_err() {
                doubt.raise();
            }
        });
    }
}
