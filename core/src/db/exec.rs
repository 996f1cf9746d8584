//! How statements run: the one place that knows about transaction poolers.
//!
//! A direct connection runs named, cached statements. Behind a transaction pooler (PgBouncer, Supavisor) a name may be
//! looked up on another server connection, so there every statement is unnamed and stands inside an explicit
//! transaction, which pins the server connection from parse to execute.

use std::fmt;

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Database, Execute, Executor, PgConnection, Postgres, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use super::{Db, DbResult, lent::Lent};

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
pub struct Session(Inner);

#[derive(Debug)]
enum Inner {
    Plain(Lent),
    Pinned(Transaction),
}

impl Session {
    pub(super) async fn open(db: &Db) -> DbResult<Self> {
        Ok(Self(match db.statements {
            Statements::Named => Inner::Plain(Lent::from(db).await?),
            Statements::Unnamed => Inner::Pinned(Transaction::open(db).await?),
        }))
    }

    /// Where the next statement runs.
    pub fn exec(&mut self) -> Exec<'_> {
        match &mut self.0 {
            Inner::Plain(connection) => Exec { connection, statements: Statements::Named },
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
    connection: Lent,
    statements: Statements,
}

impl Transaction {
    pub(super) async fn open(db: &Db) -> DbResult<Self> {
        // Whoever gives up waiting leaves the queue for a connection, and ends its attempt to make one. Left behind, such
        // attempts would have all places of a small pool after an outage, each asleep until its next try or stuck in a
        // connection that nobody answers, and those who came later would wait for them in vain.
        let mut connection = Lent::from(db).await?;
        let begin = match db.statements {
            Statements::Named => "begin".to_owned(),
            Statements::Unnamed => format!("begin;{}", db.planning.settings("set local")),
        };
        connection.in_transaction = true;
        connection.run(begin).await?;
        Ok(Self { connection, statements: db.statements })
    }

    /// Where the next statement runs.
    pub fn exec(&mut self) -> Exec<'_> {
        Exec { connection: &mut self.connection, statements: self.statements }
    }

    /// The bare connection, for the simple protocol, which never names a statement.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection.bare()
    }

    /// Makes the writes count.
    pub async fn commit(self) -> DbResult<()> {
        self.end("commit").await
    }

    /// Undoes the writes.
    pub async fn rollback(self) -> DbResult<()> {
        self.end("rollback").await
    }

    async fn end(mut self, how: &str) -> DbResult<()> {
        self.connection.run(how.to_owned()).await?;
        self.connection.in_transaction = false;
        Ok(())
    }
}

/// A connection that runs statements the way its database wants them.
pub struct Exec<'c> {
    connection: &'c mut Lent,
    statements: Statements,
}

impl fmt::Debug for Exec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("statements", &self.statements).finish_non_exhaustive()
    }
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
        let (connection, answer) = self.connection.ask();
        let rows = match self.statements {
            Statements::Named => connection.fetch_many(query),
            Statements::Unnamed => connection.fetch_many(Nameless(query)),
        };
        let heard = futures::stream::try_unfold((rows, answer), move |(mut rows, mut answer)| async move {
            let next = answer.wait_for_more(async { rows.next().await.transpose() }).await?;
            Ok(next.map(|row| (row, (rows, answer))))
        });
        heard.boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, answer) = self.connection.ask();
        let row = match self.statements {
            Statements::Named => connection.fetch_optional(query),
            Statements::Unnamed => connection.fetch_optional(Nameless(query)),
        };
        answer.wait_for(row).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        let (connection, answer) = self.connection.ask();
        answer.wait_for(connection.prepare_with(sql, parameters)).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        let (connection, answer) = self.connection.ask();
        answer.wait_for(connection.describe(sql)).boxed()
    }
}
