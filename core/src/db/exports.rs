//! Reads the rows of one table for an export: one snapshot, one statement, row by row in a fixed order.
//!
//! The statement is a plain `select` with its filters as parameters, streamed by the protocol itself: the server sends
//! rows as fast as they are taken and waits when they are not, because the socket is full. So nothing is ever whole in
//! memory on either side, no cursor must be fetched from in turns, and nothing that a user wrote stands in the text, as it would with
//! COPY, which takes no parameters.
//!
//! What a snapshot costs: until it ends, vacuum removes no row version in the whole database that was still visible
//! when it was taken, as with any long query. It is held from the first statement until the last row was taken
//! (which is when the files are all but written), never while a file is finished or a row is recorded, and at most
//! for the time limit of the job: the server ends the statement then, even if the worker
//! hangs. `queue_health` shows who holds vacuum back.
//!
//! The connection is none of the pool's: it is busy for as long as the export, and of an export that was stopped the
//! server may still have a million rows to send, which the next user would have to read first. It is closed instead.
//! So a worker has one connection more for each export that it runs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, Row, ValueRef,
    postgres::{PgRow, PgValueFormat},
};
use uuid::Uuid;

use super::{Db, DbResult, within};
use crate::ids::UserId;

/// How long the server waits inside the snapshot for the worker while no statement runs, which is only between two
/// statements, or when the last rows lie in the socket's buffers and an upload holds up their reading.
const IDLE_LIMIT: &str = "5min";
/// The server's limit comes after the worker's own, so that it is the job that times out.
const STATEMENT_GRACE: Duration = Duration::from_secs(60);

/// How long the server may take to let the worker in.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// A table that is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// `analyses`.
    Analyses,
    /// `reports`.
    Reports,
    /// `jobs`.
    Jobs,
    /// `training_sessions`.
    TrainingSessions,
}

/// Which rows. `None` is no restriction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Rows of this user; `None` is for jobs of the service only.
    pub owner: Option<UserId>,
    /// Created at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub to: Option<DateTime<Utc>>,
    /// In one of these statuses; reports have none, see [`Table::statuses`].
    pub statuses: Option<Vec<String>>,
    /// Of this job; training sessions have none, see [`Table::has_job`].
    pub job: Option<Uuid>,
    /// With one of these ids.
    pub ids: Option<Vec<Uuid>>,
}

/// The statements of a table: what makes a column appear (`$7` has a bit for each), and which rows count.
struct Statements {
    columns: &'static [&'static str],
    rows: &'static str,
    count: &'static str,
}

// A column that is not asked for is null: the planner sees that before it runs, and does not even read it. In the same
// way conditions without a value are gone before an index is chosen, because the plan is made for the values.
macro_rules! statements {
    ($table:literal, [$($column:literal = $bit:literal),+ $(,)?], $condition:literal) => {
        Statements {
            columns: &[$($column),+],
            rows: concat!(
                "select ",
                $("case when $7::int & (1 << ", $bit, ") <> 0 then t.", $column, " end as ", $column, ", ",)+
                "null from public.", $table, " t where ", $condition, " order by t.created_at, t.id"
            ),
            count: concat!("select count(*) from public.", $table, " t where ", $condition),
        }
    };
}

const ANALYSES: Statements = statements!(
    "analyses",
    [
        "id" = 0,
        "created_at" = 1,
        "filename" = 2,
        "output_filename" = 3,
        "metrics" = 4,
        "status" = 5,
        "user_id" = 6,
        "job_id" = 7
    ],
    "($1::uuid is null or t.user_id = $1)
     and ($2::timestamptz is null or t.created_at >= $2)
     and ($3::timestamptz is null or t.created_at < $3)
     and ($4::text[] is null or t.status = any($4))
     and ($5::uuid is null or t.job_id = $5)
     and ($6::uuid[] is null or t.id = any($6))"
);

// The reports of a job are those that it wrote (their files lie in its folder) and those about its analyses.
const REPORTS: Statements = statements!(
    "reports",
    ["id" = 0, "created_at" = 1, "analysis_id" = 2, "url" = 3, "metadata" = 4, "template" = 5, "user_id" = 6],
    "($1::uuid is null or t.user_id = $1)
     and ($2::timestamptz is null or t.created_at >= $2)
     and ($3::timestamptz is null or t.created_at < $3)
     and $4::text[] is null
     and ($5::uuid is null
          or position('/' || $5::text || '/' in t.url) > 0
          or t.analysis_id in (select a.id from public.analyses a where a.job_id = $5))
     and ($6::uuid[] is null or t.id = any($6))"
);

const JOBS: Statements = statements!(
    "jobs",
    [
        "id" = 0,
        "created_at" = 1,
        "updated_at" = 2,
        "status" = 3,
        "job_type" = 4,
        "params" = 5,
        "results" = 6,
        "error_message" = 7,
        "user_id" = 8,
        "priority" = 9,
        "run_at" = 10,
        "attempt" = 11,
        "attempts_forgiven" = 12,
        "max_attempts" = 13,
        "crashes" = 14,
        "locked_by" = 15,
        "locked_until" = 16,
        "started_at" = 17,
        "completed_at" = 18,
        "progress" = 19,
        "error_code" = 20,
        "unique_key" = 21,
        "traceparent" = 22
    ],
    "($1::uuid is null or t.user_id = $1)
     and ($2::timestamptz is null or t.created_at >= $2)
     and ($3::timestamptz is null or t.created_at < $3)
     and ($4::text[] is null or t.status = any($4))
     and ($5::uuid is null or t.id = $5)
     and ($6::uuid[] is null or t.id = any($6))"
);

const TRAINING_SESSIONS: Statements = statements!(
    "training_sessions",
    [
        "id" = 0,
        "created_at" = 1,
        "updated_at" = 2,
        "notes" = 3,
        "data" = 4,
        "status" = 5,
        "model_version" = 6,
        "accuracy_metrics" = 7,
        "user_id" = 8
    ],
    "($1::uuid is null or t.user_id = $1)
     and ($2::timestamptz is null or t.created_at >= $2)
     and ($3::timestamptz is null or t.created_at < $3)
     and ($4::text[] is null or t.status = any($4))
     and $5::uuid is null
     and ($6::uuid[] is null or t.id = any($6))"
);

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Analyses, Self::Reports, Self::Jobs, Self::TrainingSessions];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analyses => "analyses",
            Self::Reports => "reports",
            Self::Jobs => "jobs",
            Self::TrainingSessions => "training_sessions",
        }
    }

    /// The words that its `status` knows; none for a table without one.
    #[must_use]
    pub fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Analyses => &["pending", "processing", "completed", "failed"],
            Self::Reports => &[],
            Self::Jobs => &["pending", "running", "completed", "failed", "cancelled"],
            Self::TrainingSessions => &["pending", "running", "completed", "failed"],
        }
    }

    /// Whether its rows belong to jobs.
    #[must_use]
    pub fn has_job(self) -> bool {
        self != Self::TrainingSessions
    }

    /// The columns that can be read, in the order of a row.
    #[must_use]
    pub fn columns(self) -> &'static [&'static str] {
        self.statements().columns
    }

    fn statements(self) -> &'static Statements {
        match self {
            Self::Analyses => &ANALYSES,
            Self::Reports => &REPORTS,
            Self::Jobs => &JOBS,
            Self::TrainingSessions => &TRAINING_SESSIONS,
        }
    }
}

/// A row as the server sent it; nothing is decoded.
#[derive(Debug)]
pub struct ExportRow(PgRow);

impl ExportRow {
    /// The value at a place of [`Table::columns`] in PostgreSQL's binary form; `None` is null, or not asked for.
    #[must_use]
    pub fn value(&self, place: usize) -> Option<&[u8]> {
        let value = self.0.try_get_raw(place).ok().filter(|value| !value.is_null())?;
        debug_assert_eq!(value.format(), PgValueFormat::Binary);
        value.as_bytes().ok()
    }
}

/// A connection of its own that sees the database as it was at one moment.
#[derive(Debug)]
pub struct Snapshot {
    connection: PgConnection,
    taken_at: DateTime<Utc>,
}

impl Snapshot {
    /// Takes one, for at most `limit`.
    pub async fn take(db: &Db, limit: Duration) -> DbResult<Self> {
        // An export takes as long as its store: that is no slow statement to be warned of.
        let options = (*db.pool().connect_options()).clone().disable_statement_logging();
        let mut connection =
            within(CONNECT_PATIENCE, async { Ok(PgConnection::connect_with(&options).await?) }).await?;
        connection.execute("begin isolation level repeatable read, read only").await?;
        // Compiling the statement takes longer than it saves: the time goes into printing JSON.
        let settings = format!(
            "set local idle_in_transaction_session_timeout = '{IDLE_LIMIT}'; set local statement_timeout = {}; \
             set local jit = off",
            (limit + STATEMENT_GRACE).as_millis()
        );
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(settings))).await?;
        let taken_at =
            sqlx::query_scalar("select now()").persistent(false).fetch_one(&mut connection).await?;
        Ok(Self { connection, taken_at })
    }

    /// When, by the database's clock.
    #[must_use]
    pub fn taken_at(&self) -> DateTime<Utc> {
        self.taken_at
    }

    /// Whether there is a job with this id for this owner.
    pub async fn has_job(&mut self, owner: Option<UserId>, id: Uuid) -> DbResult<bool> {
        let found = sqlx::query_scalar(
            "select exists (select from public.jobs where id = $1 and ($2::uuid is null or user_id = $2))",
        )
        .bind(id)
        .bind(owner.map(|owner| owner.0))
        .persistent(false)
        .fetch_one(&mut self.connection)
        .await?;
        Ok(found)
    }

    /// How many rows there are.
    pub async fn count(&mut self, table: Table, filter: &RowFilter) -> DbResult<u64> {
        let count: i64 = sqlx::query_scalar(table.statements().count)
            .bind(filter.owner.map(|owner| owner.0))
            .bind(filter.from)
            .bind(filter.to)
            .bind(filter.statuses.as_deref())
            .bind(filter.job)
            .bind(filter.ids.as_deref())
            .persistent(false)
            .fetch_one(&mut self.connection)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// The rows by `created_at`, then `id`; of their columns those that `columns` names, the others are null.
    pub fn rows<'s>(
        &'s mut self,
        table: Table,
        filter: &'s RowFilter,
        columns: &[&str],
    ) -> impl Stream<Item = DbResult<ExportRow>> + Send + 's {
        let places = (0..).zip(table.columns()).filter(|(_, column)| columns.contains(column));
        let wanted = places.fold(0_i32, |mask, (place, _)| mask | 1 << place);
        sqlx::query(table.statements().rows)
            .bind(filter.owner.map(|owner| owner.0))
            .bind(filter.from)
            .bind(filter.to)
            .bind(filter.statuses.as_deref())
            .bind(filter.job)
            .bind(filter.ids.as_deref())
            .bind(wanted)
            // Unnamed: works behind a transaction pooler, and is planned for these values.
            .persistent(false)
            .fetch(&mut self.connection)
            .map(|row| Ok(ExportRow(row?)))
    }

    /// Lets it go, once all rows were taken. Dropping it does the same without a word to the server.
    pub async fn end(mut self) -> DbResult<()> {
        self.connection.execute("commit").await?;
        Ok(self.connection.close().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_bit_of_its_own() {
        for table in Table::ALL {
            let statements = table.statements();
            assert!(statements.columns.len() < 31);
            for (place, column) in statements.columns.iter().enumerate() {
                let part = format!("(1 << {place}) <> 0 then t.{column} end as {column},");
                assert!(statements.rows.contains(&part), "{}: {column}", table.as_str());
            }
        }
    }
}
