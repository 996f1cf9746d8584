//! The command line. Tables are for people, `--json` for programs. Exit codes: 0 done, 1 failed, 2 wrong use. An error is
//! one line on stderr that says what to do.

mod arguments;
mod artifacts;
mod doctor;
mod enqueue;
mod erase;
mod jobs;
mod loadtest;
mod migrate;
pub(crate) mod output;
mod prune;
mod run;
mod types;
pub(crate) mod watch;

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser};
use forgeos_core::{
    db::{Db, DbError, console},
    error::in_one_line,
};
use serde_json::Value;

use crate::{
    database::{Database, DatabaseError},
    demo,
    registry::Registry,
    settings::{Settings, SettingsSources},
    telemetry,
};
use arguments::{Arguments, Command, JobsCommand, WorkersCommand};

/// Why a command did not do what it was asked to.
#[derive(Debug)]
enum Failure {
    /// What was typed or set is wrong: exit code 2.
    WrongUse(String),
    /// It was right to ask, but it did not work: exit code 1.
    Failed(anyhow::Error),
    /// All was said already: exit code 1.
    Said,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

type Outcome = Result<(), Failure>;

/// Parses the arguments of this process and carries them out.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse(); // ends the process with 2 by itself
    match begin(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Said) => ExitCode::from(1),
        Err(Failure::WrongUse(message)) => {
            output::error(&message);
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            output::error(&one_line(&error));
            ExitCode::from(1)
        }
    }
}

/// Most characters of one error.
const MESSAGE_LIMIT: usize = 2_000;

/// An error and its causes in one line, each said once.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        // Below a database's own words stand the same once more, with the line of the server's source.
        if let Some(DbError::Refused { message, .. }) = cause.downcast_ref::<DbError>() {
            words.push(in_one_line(message, MESSAGE_LIMIT));
            break;
        }
        let of_driver = cause
            .downcast_ref::<sqlx::Error>()
            .or_else(|| cause.downcast_ref::<Box<sqlx::Error>>().map(AsRef::as_ref));
        if let Some(sqlx::Error::Database(error)) = of_driver {
            words.push(in_one_line(error.message(), MESSAGE_LIMIT));
            break;
        }
        let text = in_one_line(&cause.to_string(), MESSAGE_LIMIT);
        if !words.iter().any(|said| said.contains(&text)) {
            words.push(text);
        }
    }
    words.join(": ")
}

fn begin(arguments: Arguments) -> Outcome {
    match &arguments.command {
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "forgeos-worker", &mut text);
            output::text(String::from_utf8_lossy(&text).trim_end());
            return Ok(());
        }
        Command::Schema { job_type } => return schema(job_type.as_deref()),
        _ => {}
    }
    let mut settings =
        Settings::load(sources(&arguments)?).map_err(|error| Failure::WrongUse(one_line(&error.into())))?;
    if !settings.log.explicit {
        match arguments.command {
            Command::Run { .. } => {}
            // Its damaged picture is refused on purpose; the table says so.
            Command::Demo => "error".clone_into(&mut settings.log.filter),
            _ => "warn".clone_into(&mut settings.log.filter),
        }
    }
    check(&arguments.command, &settings)?;
    telemetry::init(&settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(carry_out(arguments.command, settings));
    // A handler that does not return must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// Refuses what can be seen to be wrong before a database is opened or started.
fn check(command: &Command, settings: &Settings) -> Outcome {
    // The demo has a database of its own in any case.
    if settings.production && settings.database.url.is_none() && !matches!(command, Command::Demo) {
        return Err(Failure::WrongUse(one_line(&DatabaseError::MissingInProduction.into())));
    }
    match command {
        Command::Run { .. } => run::check(settings)?,
        Command::Jobs { command } => jobs::check(command)?,
        Command::Types { command } => types::check(command)?,
        Command::Erase(what) => erase::check(what)?,
        _ => {}
    }
    Ok(())
}

/// Refuses a job type that neither this program nor the database knows.
async fn check_type(db: &Db, name: &str) -> Outcome {
    let known: Vec<String> = console::types(db).await?.into_iter().map(|line| line.name).collect();
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(Failure::WrongUse(format!("unknown job type `{name}`; allowed: {}", known.join(", "))))
}

fn sources(arguments: &Arguments) -> Result<SettingsSources, Failure> {
    let mut sources = SettingsSources::of_process();
    sources.config_file.clone_from(&arguments.config);
    let mut flag = |name: &str, key: &str, value: Option<&String>| {
        if let Some(value) = value {
            sources.flags.push((name.to_owned(), key.to_owned(), value.clone()));
        }
    };
    flag("--data-dir", "data_dir", arguments.data_dir.as_ref());
    flag("--database-url", "database.url", arguments.database_url.as_ref());
    flag("--storage-url", "storage.url", arguments.storage_url.as_ref());
    if let Command::Run { job_types, http } = &arguments.command {
        flag("--job-types", "worker.job_types", job_types.as_ref());
        flag("--http", "http.listen", http.as_ref());
    }
    for setting in &arguments.set {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(Failure::WrongUse("--set takes KEY=VALUE, e.g. worker.lease_seconds=5".to_owned()));
        };
        sources.flags.push(("--set".to_owned(), key.to_owned(), value.to_owned()));
    }
    Ok(sources)
}

async fn carry_out(command: Command, settings: Settings) -> Outcome {
    // Before the database: a slip of the pen must not start one.
    let params = match &command {
        Command::Enqueue(what) => enqueue::read_params(&what.params)?,
        _ => Value::Null,
    };
    match command {
        Command::Run { .. } => run::run(&settings).await,
        Command::Demo => match demo::run(&settings).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Said),
            Err(error) => Err(Failure::Failed(error)),
        },
        Command::Doctor { json } => doctor::doctor(&settings, json).await,
        Command::Migrate { adopt, realtime } => migrate::migrate(&settings, adopt, realtime).await,
        command => {
            let database = Database::open(&settings).await?;
            if let Some(embedded) = database.embedded() {
                embedded
                    .notes()
                    .iter()
                    .filter(|note| !note.starts_with("joined"))
                    .for_each(|note| output::note(note));
            }
            // An interrupted command still leaves the embedded server.
            let outcome = tokio::select! {
                outcome = with_database(command, &params, &settings, &database) => outcome,
                _ = tokio::signal::ctrl_c() => Err(Failure::Said),
            };
            database.close().await;
            outcome
        }
    }
}

/// How long a command waits for one statement: whoever typed it sees that it takes long, and can interrupt it.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

async fn with_database(
    command: Command,
    params: &Value,
    settings: &Settings,
    database: &Database,
) -> Outcome {
    database.ensure_schema().await?;
    let db: Db = database.pool(2).with_silence(PATIENCE);
    let outcome = match command {
        Command::Enqueue(what) => enqueue::enqueue(&db, &what, params).await,
        Command::Jobs { command } => jobs::jobs(&db, command).await,
        Command::Types { command } => types::types(&db, command).await,
        Command::Artifacts { command } => artifacts::artifacts(&db, settings, command).await,
        Command::Erase(what) => erase::erase(&db, settings, &what).await,
        Command::Prune(what) => prune::prune(&db, settings, &what).await,
        Command::Loadtest(what) => loadtest::loadtest(&db, settings, &what).await,
        Command::Workers { command: WorkersCommand::List { json } } => types::workers(&db, json).await,
        Command::Run { .. }
        | Command::Demo
        | Command::Doctor { .. }
        | Command::Migrate { .. }
        | Command::Schema { .. }
        | Command::Completions { .. } => Ok(()),
    };
    db.close().await;
    outcome
}

fn schema(job_type: Option<&str>) -> Outcome {
    let registry = Registry::product();
    let of = |job_type: &crate::registry::JobType| {
        serde_json::json!({
            "job_type": job_type.name,
            "params": job_type.params_schema(),
            "results": job_type.results_schema(),
        })
    };
    match job_type {
        None => output::json(&registry.iter().map(|job_type| of(job_type)).collect::<Vec<_>>()),
        Some(name) => match registry.get(name) {
            Some(job_type) => output::json(&of(job_type)),
            None => {
                let known = registry.names().join(", ");
                return Err(Failure::WrongUse(format!("unknown job type `{name}`; allowed: {known}")));
            }
        },
    }
    Ok(())
}
