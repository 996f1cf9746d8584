//! The database: reached, of a usable version, migrated, with the rights a worker needs, with a way to wake it.

use std::time::{Duration, Instant};

use chrono::Utc;
use forgeos_core::db::{Db, DbResult, doctor, migrate};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use super::{Finding, words};
use crate::{database::Database, settings::Settings};

/// The oldest server that the migrations run on.
const OLDEST: i32 = 150_000;
/// A clock that is off by more than this confuses whoever reads logs of both machines.
const CLOCK_SECONDS: i64 = 5;
/// A transaction that is older than this makes the queue's table swell.
const OLD_TRANSACTION_SECONDS: f64 = 3600.0;
/// Connections of the engine beside those of the handlers: queue, heartbeats, LISTEN.
const ENGINE_CONNECTIONS: i64 = 8;
/// SQLSTATE of a right that is missing.
const FORBIDDEN: &str = "42501";
/// How long a notification may take.
const ECHO: Duration = Duration::from_secs(5);

pub(super) async fn examine(settings: &Settings, database: &Database, findings: &mut Vec<Finding>) {
    if let Err(error) = database.probe().await {
        let mend = match error.code().as_deref() {
            Some("3D000") => "create that database, or correct its name in DATABASE_URL",
            Some("28000" | "28P01") => {
                "correct user and password in DATABASE_URL, or let that role log in from here"
            }
            Some("53300") => {
                "lower database.max_connections, raise the server's max_connections, or use a pooler"
            }
            _ => "look at host, port and TLS mode of DATABASE_URL, and whether the server runs",
        };
        findings.push(Finding::fail("database", words(error), mend));
        return;
    }
    let db = database.pool(1);
    let mut role = String::new();
    if let Err(error) = examine_reached(settings, database, &db, &mut role, findings).await {
        findings.push(match error.code() {
            Some(FORBIDDEN) => {
                Finding::fail("privileges", format!("role {role}: {}", words(error)), grant(&role))
            }
            _ => Finding::fail("database", words(error), "try again, or look into the server's log"),
        });
    }
    db.close().await;
    findings.push(wake_up(settings, database).await);
}

async fn examine_reached(
    settings: &Settings,
    database: &Database,
    db: &Db,
    role: &mut String,
    findings: &mut Vec<Finding>,
) -> DbResult<()> {
    let began = Instant::now();
    let mut session = db.session().await?;
    let server = doctor::server(&mut session).await?;
    session.finish().await?;
    role.clone_from(&server.role);
    findings.push(reached(settings, database, &server, began.elapsed()));
    let skew = (server.now - Utc::now()).num_seconds();
    findings.push(if skew.abs() > CLOCK_SECONDS {
        let found = format!("the database's clock and this machine's differ by {} s", skew.abs());
        Finding::warn("clock", found, "let both follow NTP; leases and schedules go by the database's alone")
    } else {
        Finding::ok("clock", format!("within {CLOCK_SECONDS} s of the database's"))
    });
    let Some(finding) = schema(database, db).await? else { return Ok(()) };
    let current = finding.mend.is_none();
    findings.push(finding);
    if !current {
        return Ok(());
    }
    let mut session = db.session().await?;
    rights(&mut session, &server.role, findings).await?;
    rows(&mut session, findings).await?;
    session.finish().await
}

fn reached(
    settings: &Settings,
    database: &Database,
    server: &doctor::ServerFacts,
    round_trip: Duration,
) -> Finding {
    let (major, shown) = (server.version / 10_000, database.shown());
    let found = format!("PostgreSQL {major}, {shown}, connected and asked in {} ms", round_trip.as_millis());
    let wanted = i64::from(settings.database.max_connections) + ENGINE_CONNECTIONS;
    if server.version < OLDEST {
        return Finding::fail("database", found, "PostgreSQL 15 or newer is needed");
    }
    if server.standby {
        return Finding::fail(
            "database",
            format!("{found}; it is a read-only standby"),
            "connect to the primary",
        );
    }
    if server.connections_left < wanted {
        let left = server.connections_left;
        let mend = format!(
            "a worker may open {wanted}: lower database.max_connections, raise the server's max_connections, or use a pooler"
        );
        return Finding::warn("database", format!("{found}; {left} connections are left"), mend);
    }
    Finding::ok("database", found)
}

async fn schema(database: &Database, db: &Db) -> DbResult<Option<Finding>> {
    if database.embedded().is_some()
        && let Err(error) = database.ensure_schema().await
    {
        return Ok(Some(Finding::fail("schema", words(error), "delete data_dir if nothing in it is needed")));
    }
    Ok(Some(match migrate::state(db).await? {
        migrate::SchemaState::Current => {
            Finding::ok("schema", format!("all {} migrations", migrate::MIGRATIONS.len()))
        }
        migrate::SchemaState::Behind { missing } => {
            let found = format!("{} of {} migrations are missing", missing.len(), migrate::MIGRATIONS.len());
            Finding::fail("schema", found, "run `forgeos-worker migrate`")
        }
        migrate::SchemaState::Newer { unknown } => {
            let found = format!("newer than this worker ({})", unknown.join(", "));
            Finding::fail("schema", found, "upgrade the worker")
        }
        migrate::SchemaState::Changed { name } => {
            let mend = "run the worker that the schema was made with, or restore the file";
            Finding::fail("schema", format!("{name} was changed after it ran"), mend)
        }
    }))
}

async fn rights(
    session: &mut forgeos_core::db::Session,
    role: &str,
    findings: &mut Vec<Finding>,
) -> DbResult<()> {
    let missing = doctor::missing_privileges(session).await?;
    let sees = doctor::sees_every_row(session).await?;
    let mend = grant(role);
    findings.push(if !missing.is_empty() {
        Finding::fail("privileges", format!("role {role} lacks {}", missing.join(", ")), mend)
    } else if !sees {
        Finding::fail("privileges", format!("row-level security hides rows from role {role}"), mend)
    } else {
        Finding::ok("privileges", format!("role {role} may do what a worker must"))
    });
    let roles = doctor::missing_roles(session).await?;
    if !roles.is_empty() {
        let mend =
            roles.iter().map(|role| format!("create role {role} nologin noinherit; ")).collect::<String>();
        let mend = format!("{mend}-- as an administrator; then `forgeos-worker migrate`");
        findings.push(Finding::warn("roles", format!("there is no role {}", roles.join(", ")), mend));
    }
    if let Some(storage) = doctor::storage_access(session).await? {
        if !storage.readable {
            let found = format!(
                "role {role} may not read storage.objects: images are not found by the id of an object"
            );
            let mend = format!(
                "grant forgeos_worker to {role}; run `forgeos-worker migrate` as a role that may set policies on storage.objects"
            );
            findings.push(Finding::warn("storage ids", found, mend));
        }
        if !storage.missing_policies.is_empty() {
            let missing = storage.missing_policies.join("`, `");
            let found =
                format!("policies on storage.objects are missing, users cannot upload or read: `{missing}`");
            let mend = "run migrations/0012_storage_access.sql as a role that may set policies there (the SQL editor's)";
            findings.push(Finding::warn("storage users", found, mend));
        }
    }
    for policy in doctor::other_policies(session).await? {
        let mend = "drop it, unless users are meant to see or change those rows";
        findings.push(Finding::warn("policies", format!("another policy opens rows: {policy}"), mend));
    }
    Ok(())
}

async fn rows(session: &mut forgeos_core::db::Session, findings: &mut Vec<Finding>) -> DbResult<()> {
    let odd = doctor::odd_rows(session).await?;
    if !odd.unknown_types.is_empty() {
        let found = format!("jobs of a type that no worker knows: {}", odd.unknown_types.join(", "));
        findings.push(Finding::warn("jobs", found, "correct their job_type, cancel or delete them"));
    }
    if !odd.unknown_statuses.is_empty() {
        let found = format!("jobs of a status that does not exist: {}", odd.unknown_statuses.join(", "));
        findings.push(Finding::warn("jobs", found, "delete them, or set a status that exists by hand"));
    }
    if odd.not_adopted > 0 {
        let found = format!(
            "pending jobs without `run_at`: {}; they were there before the first migration, or a hand has set it to null",
            odd.not_adopted
        );
        findings.push(Finding::warn("jobs", found, "run `forgeos-worker jobs adopt`, or cancel them"));
    }
    if let Some((holder, seconds)) = doctor::xmin_holder(session).await?
        && seconds > OLD_TRANSACTION_SECONDS
    {
        let found = format!("{holder} has held back vacuum for {:.1} h", seconds / 3600.0);
        findings.push(Finding::warn("vacuum", found, "end that transaction: the queue's table swells"));
    }
    Ok(())
}

/// What gives a role the rights of a worker.
fn grant(role: &str) -> String {
    format!("grant forgeos_worker to {role}; -- as an administrator")
}

/// A notification to ourselves, there and back.
async fn wake_up(settings: &Settings, database: &Database) -> Finding {
    let every = settings.worker.poll_interval_ms;
    let mend = "set database.listen_url to a direct connection";
    let Some(options) = database.direct() else {
        let found = format!("behind a transaction pooler: the table is looked at every {every} ms");
        return Finding::warn("wake-up", found, mend);
    };
    // A pool would hide for long why there is no connection.
    if let Err(error) = database.probe_for_migrations().await {
        return Finding::warn("wake-up", words(error), mend);
    }
    match tokio::time::timeout(ECHO, echo(options)).await {
        Ok(Ok(took)) => {
            Finding::ok("wake-up", format!("a notification came back in {} ms", took.as_millis()))
        }
        Ok(Err(error)) => Finding::warn("wake-up", format!("cannot listen: {}", words(error)), mend),
        Err(_) => {
            let found = format!("a notification did not come back; the table is looked at every {every} ms");
            Finding::warn("wake-up", found, mend)
        }
    }
}

async fn echo(options: &PgConnectOptions) -> Result<Duration, sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    let channel = format!("forgeos_doctor_{}", uuid::Uuid::new_v4().simple());
    listener.listen(&channel).await?;
    let began = Instant::now();
    sqlx::query("select pg_notify($1, '')").bind(&channel).persistent(false).execute(&mut listener).await?;
    listener.recv().await?;
    Ok(began.elapsed())
}
