//! Brings a database to the schema that this version was built with.
//!
//! The files of `/migrations` are part of the binary. Each runs in a transaction of its own, under a transaction-level
//! advisory lock (a session lock would be lost behind a pooler), and is written down with its checksum in
//! `forgeos.migrations`. Files are forward-only and safe to run again. What is refused: a database that knows a file
//! which this version does not, and a file that was changed after it ran.
//!
//! The statements here are not checked at build time: the bookkeeping table exists only once this module made it.

use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

use super::{Db, DbError};

/// One file of `/migrations`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file's name without `.sql`; the order of names is the order of running.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.sql))
    }
}

/// Every file, in order.
pub const MIGRATIONS: &[Migration] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Two migrating processes take turns on this key (`hashtext('forgeos.migrations')` would depend on the server).
const LOCK_KEY: &str = "7301648221390055";

/// How the database stands to this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// It is what this version was built with.
    Current,
    /// Files are missing; all of them when the database was never migrated.
    Behind {
        /// Names of the files that have not run.
        missing: Vec<String>,
    },
    /// It knows files that this version does not.
    Newer {
        /// Their names.
        unknown: Vec<String>,
    },
    /// A file is not what it was when it ran.
    Changed {
        /// Its name.
        name: String,
    },
}

/// Why the database was not brought up to date. What ran before stays.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database knows more than this version.
    #[error("schema is newer than this worker ({}); upgrade the worker", .unknown.join(", "))]
    Newer {
        /// Files that this version does not know.
        unknown: Vec<String>,
    },
    /// A file was changed after it ran.
    #[error("migration `{name}` was changed after it ran here; restore the file, changes go into a new one")]
    Changed {
        /// Its name.
        name: String,
    },
    /// A file failed and was rolled back.
    #[error("migration `{name}` failed and was rolled back: {message}")]
    Failed {
        /// Its name.
        name: String,
        /// The database's words, with a hint where one is known.
        message: String,
        /// The whole error.
        #[source]
        source: sqlx::Error,
    },
    /// The database could not be asked.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

/// What [`run`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that ran for the first time.
    pub applied: Vec<String>,
    /// True when all files ran once more, because a role was created since and had no rights yet.
    pub granted_again: bool,
    /// Roles that this server lacks and the migrating role may not create.
    pub missing_roles: Vec<String>,
}

/// Compares the database with this version; changes nothing. Works behind a transaction pooler.
pub async fn state(db: &Db) -> Result<SchemaState, DbError> {
    let mut transaction = db.begin().await?;
    let recorded = recorded(&mut *transaction.connection()).await?;
    transaction.rollback().await?;
    Ok(compare(MIGRATIONS, &recorded))
}

/// Runs what is missing. A second call does nothing.
pub async fn run(options: &PgConnectOptions) -> Result<Report, MigrateError> {
    let mut connection = PgConnection::connect_with(options).await?;
    let report = run_on(&mut connection).await;
    let _ = connection.close().await;
    report
}

async fn run_on(connection: &mut PgConnection) -> Result<Report, MigrateError> {
    let behind = match compare(MIGRATIONS, &recorded(connection).await?) {
        SchemaState::Newer { unknown } => return Err(MigrateError::Newer { unknown }),
        SchemaState::Changed { name } => return Err(MigrateError::Changed { name }),
        SchemaState::Behind { .. } => true,
        SchemaState::Current => false,
    };

    let mut report = Report::default();
    for migration in MIGRATIONS.iter().filter(|_| behind) {
        if apply(connection, migration, Again::No).await? {
            report.applied.push(migration.name.to_owned());
        }
    }
    // Grants skip a role that is not there; once an administrator made it, every file runs again to grant.
    if report.applied.is_empty()
        && ask(connection, "select forgeos.rights_incomplete()::text").await? == ["true"]
    {
        for migration in MIGRATIONS {
            apply(connection, migration, Again::Yes).await?;
        }
        report.granted_again = true;
    }
    report.missing_roles = ask(connection, "select unnest(forgeos.missing_roles())").await?;
    Ok(report)
}

/// Releases the pending jobs of an adopted database; returns how many.
pub async fn adopt_pending_jobs(options: &PgConnectOptions) -> Result<String, MigrateError> {
    once(options, "select forgeos.adopt_pending_jobs()::text").await
}

/// Adds `jobs` to the publication `supabase_realtime`; returns what was done, in the database's words.
pub async fn add_jobs_to_realtime(options: &PgConnectOptions) -> Result<String, MigrateError> {
    once(options, "select forgeos.add_jobs_to_realtime()::text").await
}

async fn once(options: &PgConnectOptions, statement: &'static str) -> Result<String, MigrateError> {
    let mut connection = PgConnection::connect_with(options).await?;
    let answer = ask(&mut connection, statement).await?;
    let _ = connection.close().await;
    Ok(answer.into_iter().next().unwrap_or_default())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// Runs one file; false when another process was faster or it ran long ago.
async fn apply(
    connection: &mut PgConnection,
    migration: &'static Migration,
    again: Again,
) -> Result<bool, MigrateError> {
    let failed = |source: sqlx::Error| match DbError::from(source) {
        DbError::Refused { message, source, .. } => {
            MigrateError::Failed { name: migration.name.to_owned(), message: with_hint(message), source }
        }
        other => MigrateError::Db(other),
    };

    let mut transaction = connection.begin().await?;
    sqlx::raw_sql("set local statement_timeout = 0; set local lock_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("select pg_advisory_xact_lock($1::text::bigint)")
        .persistent(false)
        .bind(LOCK_KEY)
        .execute(&mut *transaction)
        .await?;
    // Traffic on `jobs` must not pile up behind a migration that waits for a long transaction.
    sqlx::raw_sql("set local lock_timeout = '20s'").execute(&mut *transaction).await?;
    sqlx::raw_sql(BOOKKEEPING).execute(&mut *transaction).await.map_err(failed)?;
    let done = recorded(&mut transaction).await?.iter().any(|(name, _)| name == migration.name);
    if done && again == Again::No {
        return Ok(false);
    }
    sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(failed)?;
    sqlx::query(
        "insert into forgeos.migrations (name, checksum, worker_version) values ($1, $2, $3)
         on conflict (name) do nothing",
    )
    .persistent(false)
    .bind(migration.name)
    .bind(migration.checksum())
    .bind(env!("CARGO_PKG_VERSION"))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await.map_err(failed)?;
    tracing::debug!(migration = migration.name, "migration ran");
    Ok(true)
}

/// `if not exists` still needs the right to create, which a second role may lack: look first.
const BOOKKEEPING: &str = "
do $$
begin
  if to_regnamespace('forgeos') is null then
    create schema forgeos;
  end if;
  if to_regclass('forgeos.migrations') is null then
    create table forgeos.migrations (
      name text primary key,
      checksum text not null,
      worker_version text not null,
      applied_at timestamptz not null default now()
    );
  end if;
end
$$";

/// Name and checksum of every file that ran; empty on a database that was never migrated.
async fn recorded(connection: &mut PgConnection) -> Result<Vec<(String, String)>, DbError> {
    if ask(connection, "select coalesce(to_regclass('forgeos.migrations')::text, '')").await? == [""] {
        return Ok(Vec::new());
    }
    let rows = sqlx::raw_sql("select name, checksum from forgeos.migrations order by name")
        .fetch_all(connection)
        .await?;
    Ok(rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>, sqlx::Error>>()?)
}

/// The first column of every row, as text, through the simple protocol.
async fn ask(connection: &mut PgConnection, statement: &'static str) -> Result<Vec<String>, DbError> {
    let rows = sqlx::raw_sql(statement).fetch_all(connection).await?;
    Ok(rows
        .iter()
        .map(|row| Ok(row.try_get::<Option<String>, _>(0)?.unwrap_or_default()))
        .collect::<Result<Vec<_>, sqlx::Error>>()?)
}

fn compare(known: &[Migration], recorded: &[(String, String)]) -> SchemaState {
    let unknown: Vec<String> = recorded
        .iter()
        .filter(|(name, _)| !known.iter().any(|m| m.name == name))
        .map(|(name, _)| name.clone())
        .collect();
    if !unknown.is_empty() {
        return SchemaState::Newer { unknown };
    }
    let mut missing = Vec::new();
    for migration in known {
        match recorded.iter().find(|(name, _)| name == migration.name) {
            None => missing.push(migration.name.to_owned()),
            Some((_, checksum)) if *checksum != migration.checksum() => {
                return SchemaState::Changed { name: migration.name.to_owned() };
            }
            Some(_) => {}
        }
    }
    if missing.is_empty() { SchemaState::Current } else { SchemaState::Behind { missing } }
}

fn with_hint(message: String) -> String {
    if message.contains("extension control file") || message.contains("is not available") {
        format!("{message} (install PostgreSQL's contrib package, e.g. `dnf install postgresql-contrib`)")
    } else if message.contains("lock timeout") {
        format!("{message} (another session holds a table for long; end it or try again)")
    } else {
        message
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KNOWN: &[Migration] =
        &[Migration { name: "0001_a", sql: "select 1" }, Migration { name: "0002_b", sql: "select 2" }];

    fn record(migration: &Migration) -> (String, String) {
        (migration.name.to_owned(), migration.checksum())
    }

    #[test]
    fn every_file_on_disk_is_in_the_binary() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let mut on_disk: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        on_disk.sort();
        let embedded: Vec<&str> = MIGRATIONS.iter().map(|m| m.name).collect();
        assert_eq!(embedded, on_disk);
        assert!(!embedded.is_empty());
    }

    #[test]
    fn the_state_tells_behind_current_newer_and_changed_apart() {
        let (a, b) = (record(&KNOWN[0]), record(&KNOWN[1]));
        assert_eq!(
            compare(KNOWN, &[]),
            SchemaState::Behind { missing: vec!["0001_a".to_owned(), "0002_b".to_owned()] }
        );
        assert_eq!(compare(KNOWN, &[a.clone(), b.clone()]), SchemaState::Current);
        assert_eq!(
            compare(KNOWN, &[a.clone(), b, ("0003_c".to_owned(), String::new())]),
            SchemaState::Newer { unknown: vec!["0003_c".to_owned()] }
        );
        assert_eq!(
            compare(KNOWN, &[a, ("0002_b".to_owned(), "other".to_owned())]),
            SchemaState::Changed { name: "0002_b".to_owned() }
        );
    }
}
