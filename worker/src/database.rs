//! How this process reaches its database: the one of the settings, or an embedded one. Opens no pool by itself.

use std::{str::FromStr, sync::Arc, time::Duration};

use forgeos_core::db::{Db, Statements, migrate};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use crate::{
    embedded::{Embedded, EmbeddedError},
    settings::{DatabaseSettings, Pooler, Settings, shown_url},
};

/// How long the first connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Nothing is made up in production.
    #[error("FORGEOS_ENV=production needs DATABASE_URL; the embedded database is for development only")]
    MissingInProduction,
    /// A URL that does not parse; checked by the settings, so this does not happen.
    #[error("`{0}` is not a database URL")]
    BadUrl(&'static str),
    /// The embedded one could not be started.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// Its schema is not this version's.
    #[error("the database lacks {missing} of this version's migrations: run `forgeos-worker migrate`")]
    Behind {
        /// How many.
        missing: usize,
    },
    /// The migrations did not run, or cannot.
    #[error(transparent)]
    Migrate(#[from] migrate::MigrateError),
    /// A pooler stands before it that the settings do not tell of.
    #[error(
        "{shown} is a pooler that takes no session settings: set `database.pooler` to `transaction`, and `database.listen_url` to a direct connection if there is one"
    )]
    Pooler {
        /// Its URL without secrets.
        shown: String,
    },
    /// What it shows is not what the URL's `sslmode` wants.
    #[error("cannot trust the database {shown}: {why}")]
    Untrusted {
        /// Its URL without secrets.
        shown: String,
        /// What is wrong and how it is mended.
        why: &'static str,
        /// The words of TLS.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// A file that the URL names for TLS is not there.
    #[error("cannot read `{file}`, which the database's URL names as `{parameter}`")]
    MissingFile {
        /// The parameter of the URL.
        parameter: String,
        /// Its value.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It could not be asked.
    #[error("cannot reach the database {shown}")]
    Unreachable {
        /// Its URL without secrets.
        shown: String,
        /// Why.
        #[source]
        source: Box<sqlx::Error>,
    },
}

impl DatabaseError {
    /// SQLSTATE, when the server has answered and refused.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let (Self::Unreachable { source, .. } | Self::Untrusted { source, .. }) = self else { return None };
        Some(source.as_database_error()?.code()?.into_owned())
    }
}

/// The way to the database.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
    direct: Option<PgConnectOptions>,
    statements: Statements,
    shown: String,
    shown_direct: Option<String>,
    embedded: Option<Arc<Embedded>>,
}

impl Database {
    /// The database of the settings; without one, and outside production, the embedded one, started if need be.
    pub async fn open(settings: &Settings) -> Result<Self, DatabaseError> {
        match &settings.database.url {
            Some(url) => Self::external(&settings.database, url),
            None if settings.production => Err(DatabaseError::MissingInProduction),
            None => {
                let embedded = Embedded::open(&settings.data_dir).await?;
                Ok(Self {
                    options: named(embedded.options().clone()),
                    direct: Some(named(embedded.options().clone())),
                    statements: Statements::Named,
                    shown: format!("psql -h {} -U forgeos forgeos", embedded.socket_dir().display()),
                    shown_direct: None,
                    embedded: Some(Arc::new(embedded)),
                })
            }
        }
    }

    fn external(settings: &DatabaseSettings, url: &SecretString) -> Result<Self, DatabaseError> {
        let parse = |url: &SecretString, key| {
            assert_files(url.expose_secret())?;
            let options = PgConnectOptions::from_str(&with_known_parameters(url.expose_secret()));
            options.map(named).map_err(|_| DatabaseError::BadUrl(key))
        };
        let mut options = parse(url, "database.url")?;
        let pooled = match settings.pooler {
            Pooler::Transaction => true,
            Pooler::None => false,
            Pooler::Auto => behind_transaction_pooler(&options),
        };
        let direct = match &settings.listen_url {
            Some(url) => Some(parse(url, "database.listen_url")?),
            None if pooled => None,
            None => Some(options.clone()),
        };
        let statements = if pooled {
            // PgBouncer refuses startup parameters that it does not keep track of. What this one asks for (floats as
            // text lose nothing) PostgreSQL 12 and later do anyway.
            options = options.statement_cache_capacity(0).extra_float_digits(None);
            Statements::Unnamed
        } else {
            Statements::Named
        };
        let shown_direct = settings.listen_url.as_ref().map(shown_url);
        Ok(Self { options, direct, statements, shown: shown_url(url), shown_direct, embedded: None })
    }

    /// A pool, opened when first used.
    #[must_use]
    pub fn pool(&self, max_connections: u32) -> Db {
        Db::lazy(self.options.clone(), self.statements, max_connections)
    }

    /// A pool for the engine's own statements.
    #[must_use]
    pub fn queue_pool(&self, max_connections: u32) -> Db {
        Db::lazy_for_queue(self.options.clone(), self.statements, max_connections)
    }

    /// A direct connection, for LISTEN; none behind a transaction pooler without `database.listen_url`.
    #[must_use]
    pub fn direct(&self) -> Option<&PgConnectOptions> {
        self.direct.as_ref()
    }

    /// Where migrations run: directly if possible.
    #[must_use]
    pub fn for_migrations(&self) -> &PgConnectOptions {
        self.direct.as_ref().unwrap_or(&self.options)
    }

    /// How a person reaches it: a URL without its secrets, or a psql command.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The embedded one.
    #[must_use]
    pub fn embedded(&self) -> Option<&Embedded> {
        self.embedded.as_deref()
    }

    /// Brings the embedded database up to date by itself; of another one it only says that it must be done.
    pub async fn ensure_schema(&self) -> Result<(), DatabaseError> {
        if self.embedded.is_some() {
            migrate::run(self.for_migrations()).await?;
            return Ok(());
        }
        self.probe().await?;
        let db = self.pool(1);
        let state = migrate::state(&db).await;
        db.close().await;
        let state = state.map_err(migrate::MigrateError::Db)?;
        match state {
            migrate::SchemaState::Current => Ok(()),
            migrate::SchemaState::Behind { missing } => Err(DatabaseError::Behind { missing: missing.len() }),
            migrate::SchemaState::Newer { unknown } => Err(migrate::MigrateError::Newer { unknown }.into()),
            migrate::SchemaState::Changed { name } => Err(migrate::MigrateError::Changed { name }.into()),
        }
    }

    /// Connects once, so that the reason is told why that does not work: a pool would hide it for ten seconds.
    pub async fn probe(&self) -> Result<(), DatabaseError> {
        probe(&self.options, &self.shown).await
    }

    /// The same for the connection on which migrations run.
    pub async fn probe_for_migrations(&self) -> Result<(), DatabaseError> {
        probe(self.for_migrations(), self.shown_direct.as_deref().unwrap_or(&self.shown)).await
    }
    /// Leaves the embedded server. Pools should be closed before.
    pub async fn close(&self) {
        if let Some(embedded) = self.embedded.clone() {
            let _ = tokio::task::spawn_blocking(move || embedded.leave()).await;
        }
    }
}

async fn probe(options: &PgConnectOptions, shown: &str) -> Result<(), DatabaseError> {
    let unreachable = |source: sqlx::Error| {
        let shown = shown.to_owned();
        let refused = source.as_database_error().map(|e| e.message().to_owned()).unwrap_or_default();
        // PgBouncer's words.
        if refused.contains("unsupported startup parameter") {
            return DatabaseError::Pooler { shown };
        }
        if let Some(why) = distrust(&source) {
            return DatabaseError::Untrusted { shown, why, source: Box::new(source) };
        }
        DatabaseError::Unreachable { shown, source: Box::new(source) }
    };
    let connection = tokio::time::timeout(CONNECT_PATIENCE, PgConnection::connect_with(options))
        .await
        .map_err(|_| unreachable(sqlx::Error::PoolTimedOut))?;
    let _ = connection.map_err(unreachable)?.close().await;
    Ok(())
}

/// What went wrong in TLS, and how it is mended; none when the error is not of TLS.
fn distrust(error: &sqlx::Error) -> Option<&'static str> {
    let words = match error {
        sqlx::Error::Tls(source) => source.to_string(),
        sqlx::Error::Io(source) => source.to_string(),
        _ => return None,
    };
    let known = [
        ("does not support tls", "it has no TLS; switch it on there, or use a `sslmode` that does without"),
        (
            "unknownissuer",
            "nobody who is known here has signed its certificate; name the file with the issuer's as `sslrootcert=/path/ca.crt` in the URL",
        ),
        (
            "not valid for name",
            "its certificate is for another name; use the name that stands in it as host, or `sslmode=verify-ca`",
        ),
        ("expired", "its certificate has expired; renew it there"),
        ("invalid peer certificate", "its certificate is not valid"),
    ];
    known.iter().find(|(said, _)| words.to_lowercase().contains(said)).map(|(_, why)| *why)
}

/// The files that a URL names are there: the driver would only say that some file is not.
fn assert_files(url: &str) -> Result<(), DatabaseError> {
    let Ok(parsed) = url::Url::parse(url) else { return Ok(()) };
    let named = ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];
    for (parameter, file) in parsed.query_pairs().filter(|(name, _)| named.contains(&name.as_ref())) {
        // The driver takes the text of a certificate, too.
        if !file.contains("-----BEGIN") {
            std::fs::metadata(file.as_ref()).map_err(|source| DatabaseError::MissingFile {
                parameter: parameter.to_string(),
                file: file.to_string(),
                source,
            })?;
        }
    }
    Ok(())
}

/// The parameters of a URL that the driver knows. Others (`sslpassword`, `pgbouncer`, `schema` …) are meant for other
/// drivers; this one would log them with their values.
const KNOWN_PARAMETERS: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The URL without the parameters that only other drivers know.
fn with_known_parameters(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return url.to_owned() };
    let known = |name: &str| KNOWN_PARAMETERS.contains(&name) || name.starts_with("options[");
    if parsed.query_pairs().all(|(name, _)| known(&name)) {
        return url.to_owned();
    }
    let kept: Vec<(String, String)> =
        parsed.query_pairs().filter(|(name, _)| known(name)).map(|(n, v)| (n.into(), v.into())).collect();
    parsed.set_query(None);
    if !kept.is_empty() {
        parsed.query_pairs_mut().extend_pairs(kept);
    }
    parsed.into()
}

/// What every connection has: a name for `pg_stat_activity`, and an end for what a lost client left open.
fn named(options: PgConnectOptions) -> PgConnectOptions {
    let keep = options.get_application_name().is_some();
    if keep { options } else { options.application_name("forgeos-worker") }
}

/// Supavisor's port for transactions, PgBouncer's own port, and hosts of poolers. A session pooler that is taken for one
/// works as well.
fn behind_transaction_pooler(options: &PgConnectOptions) -> bool {
    matches!(options.get_port(), 6543 | 6432) || options.get_host().contains("pooler.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn database(url: &str, listen_url: Option<&str>, pooler: Pooler) -> Database {
        let settings = DatabaseSettings {
            url: None,
            listen_url: listen_url.map(SecretString::from),
            pooler,
            max_connections: 1,
        };
        Database::external(&settings, &SecretString::from(url)).unwrap()
    }

    #[test]
    fn a_transaction_pooler_is_known_by_port_or_host() {
        for url in [
            "postgresql://u@db.example:6543/x",
            "postgresql://u@db.example:6432/x",
            "postgresql://u@aws-0-eu.pooler.example.com/x",
        ] {
            let database = database(url, None, Pooler::Auto);
            assert_eq!(database.statements, Statements::Unnamed);
            assert!(database.direct().is_none());
        }
        let direct = database("postgresql://u@db.example/x", None, Pooler::Auto);
        assert_eq!(direct.statements, Statements::Named);
        assert!(direct.direct().is_some());
    }

    #[test]
    fn parameters_of_other_drivers_are_left_out() {
        let url = "postgresql://u:p@h/db?sslmode=require&sslpassword=x&pgbouncer=true&application_name=a%20b";
        let kept = "postgresql://u:p@h/db?sslmode=require&application_name=a+b";
        assert_eq!(with_known_parameters(url), kept);
        assert_eq!(
            with_known_parameters("postgresql://u@h/db?host=/tmp/x"),
            "postgresql://u@h/db?host=/tmp/x"
        );
    }

    #[test]
    fn the_setting_overrides_the_guess_and_listen_url_gives_a_direct_way() {
        let told = database("postgresql://u@db.example:6543/x", None, Pooler::None);
        assert_eq!(told.statements, Statements::Named);
        let both = database(
            "postgresql://u@pooled.example/x",
            Some("postgresql://u@direct.example/x"),
            Pooler::Transaction,
        );
        assert_eq!(both.statements, Statements::Unnamed);
        assert_eq!(both.for_migrations().get_host(), "direct.example");
    }

    #[tokio::test]
    async fn migrations_run_once_and_a_database_of_another_version_is_refused() {
        let server = crate::embedded::Ephemeral::start().await.unwrap();
        let database = database(&server.url("forgeos"), None, Pooler::None);
        let behind = database.ensure_schema().await.unwrap_err();
        assert!(behind.to_string().contains("run `forgeos-worker migrate`"), "{behind}");

        let options = database.for_migrations();
        let (a, b) = tokio::join!(migrate::run(options), migrate::run(options));
        let applied = a.unwrap().applied.len() + b.unwrap().applied.len();
        assert_eq!(applied, migrate::MIGRATIONS.len(), "two at once take turns");
        let again = migrate::run(options).await.unwrap();
        assert!(again.applied.is_empty() && !again.granted_again && again.missing_roles.is_empty());
        database.ensure_schema().await.unwrap();

        let mut connection = PgConnection::connect_with(options).await.unwrap();
        let later =
            "insert into forgeos.migrations (name, checksum, worker_version) values ('9999_later', '', '9')";
        sqlx::raw_sql(later).execute(&mut connection).await.unwrap();
        for error in [
            migrate::run(options).await.unwrap_err().to_string(),
            database.ensure_schema().await.unwrap_err().to_string(),
        ] {
            assert_eq!(error, "schema is newer than this worker (9999_later); upgrade the worker");
        }

        sqlx::raw_sql("delete from forgeos.migrations where name = '9999_later'; update forgeos.migrations set checksum = 'x' where name like '0002%'")
            .execute(&mut connection)
            .await
            .unwrap();
        let changed = migrate::run(options).await.unwrap_err();
        assert!(changed.to_string().contains("was changed after it ran"), "{changed}");
    }

    #[tokio::test]
    async fn the_command_lines_queries_run_named_and_behind_a_transaction_pooler() {
        use forgeos_core::db::console::{self, JobFilter, NewJob};
        let server = crate::embedded::Ephemeral::start().await.unwrap();
        for pooler in [Pooler::None, Pooler::Transaction] {
            let database = database(&server.url("forgeos"), None, pooler);
            migrate::run(database.for_migrations()).await.unwrap();
            let db = database.pool(1);
            let params = serde_json::json!({ "image_ids": [] });
            let new = NewJob {
                job_type: "batch_analysis",
                params: &params,
                user: None,
                priority: 3,
                run_at: None,
                unique_key: Some("once"),
            };
            let job = console::enqueue(&db, &new).await.unwrap();
            assert_eq!(console::enqueue(&db, &new).await.unwrap(), job, "the key is taken");
            let pending =
                JobFilter { status: Some(forgeos_core::JobStatus::Pending), ..JobFilter::default() };
            assert_eq!(console::list(&db, &pending, 5).await.unwrap()[0].priority, 3);
            assert!(!console::explain(&db, job).await.unwrap().is_empty());
            assert!(!console::retry(&db, job).await.unwrap());
            assert!(console::cancel(&db, job).await.unwrap());
            assert_eq!(console::state(&db, job).await.unwrap().unwrap().status, "cancelled");
            assert!(console::retry(&db, job).await.unwrap());
            assert!(console::set_paused(&db, "batch_analysis", true).await.unwrap());
            assert!(console::types(&db).await.unwrap().iter().any(|t| t.paused));
            assert!(
                console::set_limits(&db, "batch_analysis", Some(Some(2)), None, Some(None), None)
                    .await
                    .unwrap()
            );
            assert!(!console::set_paused(&db, "nothing", true).await.unwrap());
            assert_eq!(console::stats(&db).await.unwrap().len(), 4);
            assert!(console::show(&db, job).await.unwrap().unwrap()["attempts"].is_array());
            let ids = console::matching(&db, &pending, &[forgeos_core::JobStatus::Pending], 9).await.unwrap();
            assert_eq!(ids, [job]);
            assert!(console::cancel(&db, job).await.unwrap());
            db.close().await;
        }
    }

    #[tokio::test]
    async fn a_role_that_may_not_create_roles_is_told_and_grants_follow_once_they_exist() {
        let server = crate::embedded::Ephemeral::start().await.unwrap();
        let mut admin = PgConnection::connect_with(&server.options("postgres")).await.unwrap();
        for statement in ["create role plain login", "create database plain owner plain"] {
            sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
        }
        let options = server.options("plain").username("plain");
        let first = migrate::run(&options).await.unwrap();
        assert_eq!(first.missing_roles, ["anon", "authenticated", "service_role", "forgeos_worker"]);
        for role in &first.missing_roles {
            let statement = sqlx::AssertSqlSafe(format!("create role {role} nologin noinherit"));
            sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
        }
        let second = migrate::run(&options).await.unwrap();
        assert!(second.granted_again && second.missing_roles.is_empty());
        assert!(!migrate::run(&options).await.unwrap().granted_again);
    }
}
