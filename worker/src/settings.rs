//! The settings: what exists, in which layers it is set, and what the program makes of it.
//!
//! Weakest first: the compiled-in `config/default.toml`, `config/{FORGEOS_ENV}.toml`, the file of `--config`, the
//! environment, flags. A key that does not exist, or a value that does not fit, is an error that names the key and where
//! it stands; the value itself is never shown, because it may be a secret.

mod error;
mod keys;
mod layers;
mod machine;
mod schedules;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use forgeos_core::storage::{StorageSettings, SupabaseEnvironment};
use secrecy::SecretString;

pub use error::SettingsError;
pub use layers::SettingsSources;
use layers::{DEFAULTS_ORIGIN, Layers};
pub use schedules::ScheduleSettings;

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `data_dir`, absolute.
    pub data_dir: PathBuf,
    /// Whether this is `FORGEOS_ENV=production`, where nothing is made up.
    pub production: bool,
    /// `[database]`.
    pub database: DatabaseSettings,
    /// `[storage]`.
    pub storage: StorageSettings,
    /// `[worker]`.
    pub worker: WorkerSettings,
    /// `[reporting]`.
    pub reporting: ReportingSettings,
    /// `[retention]`.
    pub retention: RetentionSettings,
    /// `[schedules.*]`.
    pub schedules: Vec<ScheduleSettings>,
    /// `[http]`.
    pub http: HttpSettings,
    /// `[log]`.
    pub log: LogSettings,
}

/// `[database]`.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Where the database is; none: the embedded one.
    pub url: Option<SecretString>,
    /// A direct connection for LISTEN and migrations.
    pub listen_url: Option<SecretString>,
    /// Whether a transaction pooler stands before it.
    pub pooler: Pooler,
    /// Connections for handlers.
    pub max_connections: u32,
}

/// `database.pooler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// Told by port and host.
    Auto,
    /// There is none, or one that keeps a session.
    None,
    /// PgBouncer or Supavisor in transaction mode.
    Transaction,
}

/// `[worker]`.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Job types that this process takes; empty: all that are registered.
    pub job_types: Vec<String>,
    /// Jobs of a type that run at once.
    pub slots: BTreeMap<String, usize>,
    /// How long a lease lasts without a heartbeat.
    pub lease_seconds: u64,
    /// How long running jobs may go on after SIGTERM.
    pub shutdown_grace_seconds: u64,
    /// How often the table is looked at when nothing wakes the worker.
    pub poll_interval_ms: u64,
    /// Memory for pixels under way, MiB; never 0 once loaded.
    pub memory_budget_mb: u32,
    /// Threads for CPU work; 0: one a core.
    pub compute_threads: usize,
}

/// `[reporting]`: what an operator has put in place of built-in files.
#[derive(Debug, Clone, Default)]
pub struct ReportingSettings {
    /// A folder of templates.
    pub templates_dir: Option<PathBuf>,
    /// A file of rules for recommendations.
    pub rules_file: Option<PathBuf>,
    /// A folder of fonts.
    pub fonts_dir: Option<PathBuf>,
}

/// `[retention]`: after how many days what is finished goes; 0 keeps it for ever.
#[derive(Debug, Clone, Copy)]
pub struct RetentionSettings {
    /// Whether workers prune jobs by themselves.
    pub automatic: bool,
    /// Completed jobs.
    pub completed_days: u32,
    /// Failed and cancelled jobs.
    pub failed_days: u32,
    /// Lines of jobs' logs.
    pub log_days: u32,
}

/// `[http]`.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where to listen; none: `off`.
    pub listen: Option<SocketAddr>,
    /// Whether `listen` was set by somebody: then it must be free.
    pub explicit: bool,
    /// How the world reaches this server.
    pub public_url: Option<String>,
    /// Who may read files of a local store below `/files`.
    pub files: FileAccess,
}

/// `http.files`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileAccess {
    /// Whoever has a link with a signature.
    Signed,
    /// Whoever knows a file's name.
    Public,
    /// Nobody: another server serves the folder, or none.
    Off,
}

/// `[log]`.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// `text` or `json`.
    pub format: LogFormat,
    /// As in RUST_LOG.
    pub filter: String,
    /// Whether somebody set the filter; if not, short commands only warn.
    pub explicit: bool,
}

/// `log.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Reads and checks all layers.
    pub fn load(sources: SettingsSources) -> Result<Self, SettingsError> {
        let layers = Layers::read(&sources)?;
        let data_dir = std::path::absolute(layers.text("data_dir").unwrap_or(".forgeos"))
            .map_err(|error| layers.bad("data_dir", format!("it is not a path: {error}")))?;
        Ok(Self {
            data_dir,
            production: sources.variable("FORGEOS_ENV") == Some("production"),
            database: database(&layers)?,
            storage: storage(&layers, &sources),
            worker: worker(&layers),
            reporting: reporting(&layers)?,
            retention: RetentionSettings {
                automatic: layers.flag("retention.automatic").unwrap_or_default(),
                completed_days: layers.whole("retention.completed_days"),
                failed_days: layers.whole("retention.failed_days"),
                log_days: layers.whole("retention.log_days"),
            },
            schedules: schedules::read(&layers)?,
            http: http(&layers)?,
            log: LogSettings {
                format: match layers.text("log.format") {
                    Some("json") => LogFormat::Json,
                    _ => LogFormat::Text,
                },
                filter: log_filter(&layers)?,
                explicit: layers.origin("log.filter") != DEFAULTS_ORIGIN,
            },
        })
    }
}

fn database(layers: &Layers) -> Result<DatabaseSettings, SettingsError> {
    let url = |key: &str| -> Result<Option<SecretString>, SettingsError> {
        let Some(text) = layers.text(key) else { return Ok(None) };
        let wanted = "it must look like postgresql://user:password@host:5432/name (special characters of the \
                      password percent-encoded)";
        let parsed = url::Url::parse(text).map_err(|_| layers.bad(key, wanted))?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(layers.bad(key, wanted));
        }
        text.parse::<sqlx::postgres::PgConnectOptions>().map_err(|_| layers.bad(key, wanted))?;
        Ok(Some(SecretString::from(text.to_owned())))
    };
    Ok(DatabaseSettings {
        url: url("database.url")?,
        listen_url: url("database.listen_url")?,
        pooler: match layers.text("database.pooler") {
            Some("none") => Pooler::None,
            Some("transaction") => Pooler::Transaction,
            _ => Pooler::Auto,
        },
        max_connections: layers.whole("database.max_connections"),
    })
}

fn storage(layers: &Layers, sources: &SettingsSources) -> StorageSettings {
    let text = |key: &str| layers.text(key).map(str::to_owned);
    let secret = |key: &str| layers.text(key).map(|text| SecretString::from(text.to_owned()));
    let variable = |name: &str| sources.variable(name).map(str::to_owned);
    let secret_variable = |name: &str| variable(name).map(SecretString::from);
    let mut storage = StorageSettings {
        url: text("storage.url"),
        endpoint: text("storage.endpoint"),
        region: text("storage.region"),
        access_key_id: text("storage.access_key_id"),
        secret_access_key: secret("storage.secret_access_key"),
        session_token: secret("storage.session_token"),
        path_style: layers.flag("storage.path_style"),
        public_url: text("storage.public_url"),
    };
    // Who has set all that Supabase gives means its storage, too.
    let project = ["SUPABASE_URL", "SUPABASE_ANON_KEY"].iter().all(|name| variable(name).is_some())
        && ["SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY"].iter().any(|name| variable(name).is_some());
    if storage.url.is_none() && project {
        storage.url = Some("supabase".to_owned());
    }
    // For S3 only: somebody's AWS keys in the shell must not be taken for a Supabase project's.
    if storage.url.as_deref().is_some_and(|url| url.starts_with("s3://")) {
        storage.endpoint = storage
            .endpoint
            .or_else(|| variable("AWS_ENDPOINT_URL_S3"))
            .or_else(|| variable("AWS_ENDPOINT_URL"));
        storage.region =
            storage.region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        if storage.access_key_id.is_none() {
            storage.access_key_id = variable("AWS_ACCESS_KEY_ID");
            storage.secret_access_key =
                storage.secret_access_key.or_else(|| secret_variable("AWS_SECRET_ACCESS_KEY"));
            storage.session_token = storage.session_token.or_else(|| secret_variable("AWS_SESSION_TOKEN"));
        }
    }
    storage.with_supabase(&SupabaseEnvironment {
        url: variable("SUPABASE_URL"),
        project_ref: variable("SUPABASE_PROJECT_REF"),
        region: variable("SUPABASE_REGION"),
        anon_key: secret_variable("SUPABASE_ANON_KEY"),
        service_key: secret_variable("SUPABASE_SERVICE_KEY")
            .or_else(|| secret_variable("SUPABASE_SERVICE_ROLE_KEY")),
    })
}

fn worker(layers: &Layers) -> WorkerSettings {
    WorkerSettings {
        job_types: layers.words("worker.job_types"),
        slots: layers.numbers_below("worker.slots"),
        lease_seconds: layers.whole("worker.lease_seconds").into(),
        shutdown_grace_seconds: layers.whole("worker.shutdown_grace_seconds").into(),
        poll_interval_ms: layers.whole("worker.poll_interval_ms").into(),
        memory_budget_mb: match layers.whole("worker.memory_budget_mb") {
            0 => machine::half_of_memory_mib(),
            megabytes => megabytes,
        },
        compute_threads: layers.whole("worker.compute_threads") as usize,
    }
}

fn reporting(layers: &Layers) -> Result<ReportingSettings, SettingsError> {
    let path = |key: &str, fits: fn(&Path) -> bool, wanted: &str| match layers.text(key).map(PathBuf::from) {
        Some(path) if !fits(&path) => Err(layers.bad(key, format!("it must be {wanted} that can be read"))),
        path => Ok(path),
    };
    Ok(ReportingSettings {
        templates_dir: path("reporting.templates_dir", Path::is_dir, "a folder")?,
        rules_file: path("reporting.rules_file", Path::is_file, "a file")?,
        fonts_dir: path("reporting.fonts_dir", Path::is_dir, "a folder")?,
    })
}

fn http(layers: &Layers) -> Result<HttpSettings, SettingsError> {
    let listen = match layers.text("http.listen") {
        None | Some("off") => None,
        Some(text) => Some(
            text.to_socket_addrs()
                .ok()
                .and_then(|mut addresses| addresses.next())
                .ok_or_else(|| layers.bad("http.listen", "it must be `host:port` or `off`"))?,
        ),
    };
    let public_url = layers.text("http.public_url").map(|url| url.trim_end_matches('/').to_owned());
    if public_url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        return Err(layers.bad("http.public_url", "it must start with http:// or https://"));
    }
    let files = match layers.text("http.files") {
        Some("public") => FileAccess::Public,
        Some("off") => FileAccess::Off,
        _ => FileAccess::Signed,
    };
    Ok(HttpSettings { listen, explicit: layers.origin("http.listen") != DEFAULTS_ORIGIN, public_url, files })
}

fn log_filter(layers: &Layers) -> Result<String, SettingsError> {
    let filter = layers.text("log.filter").unwrap_or("info");
    filter
        .parse::<tracing_subscriber::EnvFilter>()
        .map_err(|error| layers.bad("log.filter", format!("it must be like `info,sqlx=warn`: {error}")))?;
    Ok(filter.to_owned())
}

/// A database URL as it may be shown: without its password, and without its query, which may hold one.
#[must_use]
pub fn shown_url(url: &SecretString) -> String {
    use secrecy::ExposeSecret;
    let Ok(mut parsed) = url::Url::parse(url.expose_secret()) else { return "(not a URL)".to_owned() };
    if parsed.password().is_some() {
        let _ = parsed.set_password(Some("***"));
    }
    parsed.set_query(None);
    parsed.to_string()
}
