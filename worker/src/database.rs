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

/// The way to the database.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
    direct: Option<PgConnectOptions>,
    statements: Statements,
    shown: String,
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
                    embedded: Some(Arc::new(embedded)),
                })
            }
        }
    }

    fn external(settings: &DatabaseSettings, url: &SecretString) -> Result<Self, DatabaseError> {
        let parse = |url: &SecretString, key| {
            let options = PgConnectOptions::from_str(url.expose_secret());
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
            options = options.statement_cache_capacity(0);
            Statements::Unnamed
        } else {
            Statements::Named
        };
        Ok(Self { options, direct, statements, shown: shown_url(url), embedded: None })
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
        // A pool would hide for ten seconds why there is no connection.
        let probe = tokio::time::timeout(CONNECT_PATIENCE, PgConnection::connect_with(&self.options));
        let unreachable = |source: sqlx::Error| DatabaseError::Unreachable {
            shown: self.shown.clone(),
            source: Box::new(source),
        };
        let connection = probe.await.map_err(|_| unreachable(sqlx::Error::PoolTimedOut))?;
        let _ = connection.map_err(unreachable)?.close().await;
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

    /// Leaves the embedded server. Pools should be closed before.
    pub async fn close(&self) {
        if let Some(embedded) = self.embedded.clone() {
            let _ = tokio::task::spawn_blocking(move || embedded.leave()).await;
        }
    }
}

/// What every connection has: a name for `pg_stat_activity`, and an end for what a lost client left open.
fn named(options: PgConnectOptions) -> PgConnectOptions {
    let keep = options.get_application_name().is_some();
    if keep { options } else { options.application_name("forgeos-worker") }
}

fn behind_transaction_pooler(options: &PgConnectOptions) -> bool {
    options.get_port() == 6543 || options.get_host().contains("pooler.")
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
        for url in ["postgresql://u@db.example:6543/x", "postgresql://u@aws-0-eu.pooler.example.com/x"] {
            let database = database(url, None, Pooler::Auto);
            assert_eq!(database.statements, Statements::Unnamed);
            assert!(database.direct().is_none());
        }
        let direct = database("postgresql://u@db.example/x", None, Pooler::Auto);
        assert_eq!(direct.statements, Statements::Named);
        assert!(direct.direct().is_some());
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
}
