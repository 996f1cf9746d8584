//! How statements run: the one place that knows about transaction poolers.
//!
//! A direct connection runs named, cached statements. Behind a transaction pooler (PgBouncer, Supavisor) a name may be
//! looked up on another server connection, so there every statement is unnamed and stands inside an explicit
//! transaction, which pins the server connection from parse to execute.

use std::{fmt, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Database, Execute, Executor, PgConnection, Postgres, SqlStr,
    pool::PoolConnection,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use super::{Db, DbResult};

/// So long a BEGIN that nobody waits for any more may still be answered.
const LEFT_ALONE: Duration = Duration::from_secs(2);

/// Whether statements may keep a name on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statements {
    /// A direct connection or a session pooler.
    Named,
    /// A transaction pooler.
    Unnamed,
}

/// How the planner is led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planning {
    /// As the server is set.
    Usual,
    /// For the statements of the queue, whose plans must not depend on statistics: the table goes from empty to full
    /// and back within one interval of autovacuum. They read through an index in its order (no sequential scan, no
    /// sort where an index serves) and join batches by hash (no nested loop over a batch), and are planned once.
    Queue,
}

impl Planning {
    /// The settings of a session (`set`) or of a transaction (`set local`), as statements.
    ///
    /// A worker that is frozen or cut off inside a transaction keeps its locks until the server ends it; ours last
    /// milliseconds.
    pub(super) fn settings(self, set: &str) -> String {
        const ALWAYS: [&str; 1] = ["idle_in_transaction_session_timeout = '10s'"];
        const QUEUE: [&str; 7] = [
            "enable_seqscan = off",
            "enable_bitmapscan = off",
            "enable_sort = off",
            "enable_mergejoin = off",
            "enable_nestloop = off",
            "jit = off",
            "plan_cache_mode = force_generic_plan",
        ];
        let queue = match self {
            Self::Usual => &[][..],
            Self::Queue => &QUEUE[..],
        };
        ALWAYS.iter().chain(queue).map(|setting| format!("{set} {setting};")).collect()
    }
}

/// Runs single statements: each on its own on a direct connection, all in one transaction behind a pooler.
#[derive(Debug)]
pub struct Session(Inner, Duration);

#[derive(Debug)]
enum Inner {
    Plain(PoolConnection<Postgres>),
    Pinned(Transaction),
}

impl Session {
    pub(super) async fn open(db: &Db) -> DbResult<Self> {
        let inner = match db.statements {
            Statements::Named => Inner::Plain(db.pool.acquire().await?),
            Statements::Unnamed => Inner::Pinned(Transaction::open(db).await?),
        };
        Ok(Self(inner, db.silence))
    }

    /// Where the next statement runs.
    pub fn exec(&mut self) -> Exec<'_> {
        match &mut self.0 {
            Inner::Plain(connection) => Exec { connection, statements: Statements::Named, silence: self.1 },
            Inner::Pinned(transaction) => transaction.exec(),
        }
    }

    /// Makes the writes count.
    pub async fn finish(self) -> DbResult<()> {
        match self.0 {
            Inner::Plain(_) => Ok(()),
            Inner::Pinned(transaction) => transaction.commit().await,
        }
    }
}

/// A transaction; dropped without [`Transaction::commit`], it is rolled back.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Postgres>,
    statements: Statements,
    silence: Duration,
}

impl Transaction {
    pub(super) async fn open(db: &Db) -> DbResult<Self> {
        // Whoever gives up waiting leaves the queue for a connection, and ends its attempt to make one. Left behind, such
        // attempts would have all places of a small pool after an outage, each asleep until its next try or stuck in a
        // connection that nobody answers, and those who came later would wait for them in vain.
        let connection = db.pool.acquire().await?;
        // The BEGIN itself on a task of its own: a future that is dropped while it is under way would put the connection
        // back into the pool with a transaction open on the server that sqlx 0.9 knows nothing of, and the next single
        // statement on it would be rolled back although it had succeeded. The task ends as a transaction that is
        // dropped, which sqlx does roll back.
        let (mut waiter, begun) = tokio::sync::oneshot::channel();
        let pooled = db.statements == Statements::Unnamed;
        tokio::spawn(async move {
            // On a half-open connection it would be under way for ever, and keep a place of the pool. Behind a pooler it
            // may be given up: there every statement has its own BEGIN and COMMIT, so nothing is ever rolled back unseen.
            let given_up = async {
                waiter.closed().await;
                tokio::time::sleep(LEFT_ALONE).await;
            };
            let answer = tokio::select! {
                answer = sqlx::Transaction::begin(connection, None) => answer,
                () = given_up, if pooled => return,
            };
            let _ = waiter.send(answer);
        });
        let begun = answered(db.silence, async {
            begun.await.map_err(std::io::Error::other).map_err(sqlx::Error::Io)?
        });
        let mut inner = begun.await?;
        if db.statements == Statements::Unnamed {
            let settings = db.planning.settings("set local");
            answered(db.silence, inner.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(settings)))).await?;
        }
        Ok(Self { inner, statements: db.statements, silence: db.silence })
    }

    /// Where the next statement runs.
    pub fn exec(&mut self) -> Exec<'_> {
        Exec { connection: &mut self.inner, statements: self.statements, silence: self.silence }
    }

    /// The bare connection, for the simple protocol, which never names a statement.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Makes the writes count.
    pub async fn commit(self) -> DbResult<()> {
        Ok(answered(self.silence, self.inner.commit()).await?)
    }

    /// Undoes the writes.
    pub async fn rollback(self) -> DbResult<()> {
        Ok(answered(self.silence, self.inner.rollback()).await?)
    }
}

/// A connection that runs statements the way its database wants them.
pub struct Exec<'c> {
    connection: &'c mut PgConnection,
    statements: Statements,
    silence: Duration,
}

impl fmt::Debug for Exec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("statements", &self.statements).finish_non_exhaustive()
    }
}

/// Waits for an answer, and takes the connection for dead when none comes for so long.
async fn answered<T>(
    silence: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let patience = tokio::time::timeout(silence, answer).await;
    patience.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// A statement that never gets a name.
struct Nameless<E>(E);

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Nameless<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(
        &mut self,
    ) -> Result<Option<<Postgres as Database>::Arguments>, sqlx::error::BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

impl<'c> Executor<'c> for Exec<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<sqlx::Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let rows = match self.statements {
            Statements::Named => self.connection.fetch_many(query),
            Statements::Unnamed => self.connection.fetch_many(Nameless(query)),
        };
        let silence = self.silence;
        let heard = futures::stream::try_unfold(rows, move |mut rows| async move {
            let next = answered(silence, async { rows.next().await.transpose() }).await?;
            Ok(next.map(|row| (row, rows)))
        });
        heard.boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let row = match self.statements {
            Statements::Named => self.connection.fetch_optional(query),
            Statements::Unnamed => self.connection.fetch_optional(Nameless(query)),
        };
        answered(self.silence, row).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.connection.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        self.connection.describe(sql)
    }
}
