//! Makes, starts and stops the server of a [`Home`]. The caller has its turn.

use std::{
    fs,
    io::{Read, Seek},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, PgConnection};

use super::{Binaries, EmbeddedError, account::Account, home::Home, socket_options};

/// Part of the socket's name; nothing listens on TCP.
pub(super) const PORT: u16 = 5432;

/// How long a server may take until it answers; recovery after a crash is part of it.
const START_SECONDS: u64 = 60;

/// Durable: a demo's results are still there tomorrow.
const SETTINGS: &str = "\
# Written by ForgeOS Worker at every start; changes here are lost.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 64MB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
";

/// Makes the data folder; an interrupted try leaves none.
pub(super) fn initialise(binaries: &Binaries, home: &Home) -> Result<(), EmbeddedError> {
    let fresh = home.data.with_extension("new");
    for leftover in [&home.data, &fresh] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(EmbeddedError::file(leftover))?;
        }
    }
    init_data(binaries, home.account, &fresh)?;
    fs::rename(&fresh, &home.data).map_err(EmbeddedError::file(&home.data))
}

/// `trust` on a socket in a folder of mode 0700: the folder is the lock.
pub(super) fn init_data(binaries: &Binaries, account: Account, data: &Path) -> Result<(), EmbeddedError> {
    let mut command = account.command(binaries.program("initdb"));
    command.arg("-D").arg(data).args(["-U", super::NAME, "-A", "trust", "-E", "UTF8", "--locale=C"]);
    run("initdb", &mut command)
}

/// Starts the server unless it runs; true when it was started.
pub(super) fn ensure_running(binaries: &Binaries, home: &Home) -> Result<bool, EmbeddedError> {
    if is_running(binaries, home) {
        return Ok(false);
    }
    let settings = format!(
        "{SETTINGS}port = {PORT}\nunix_socket_directories = '{}'\n",
        home.socket_dir.display().to_string().replace('\'', "''")
    );
    let file = home.data.join("postgresql.conf");
    fs::write(&file, settings).map_err(EmbeddedError::file(&file))?;
    home.account.give(&file)?;
    if fs::metadata(&home.log).is_ok_and(|log| log.len() > 5_000_000) {
        let _ = fs::remove_file(&home.log);
    }
    // pg_ctl puts the server into a session of its own: neither Ctrl-C nor the end of a terminal reaches it.
    let mut command = home.account.command(binaries.program("pg_ctl"));
    command
        .args(["start", "-w", "-s", "-t", &START_SECONDS.to_string(), "-D"])
        .arg(&home.data)
        .arg("-l")
        .arg(&home.log);
    run("pg_ctl", &mut command).map_err(|error| match error {
        EmbeddedError::Program { program, message } => {
            EmbeddedError::Program { program, message: format!("{message}{}", last_words(&home.log)) }
        }
        other => other,
    })?;
    Ok(true)
}

fn is_running(binaries: &Binaries, home: &Home) -> bool {
    // A stale pid file of a killed server is told apart by pg_ctl, which looks at the process.
    let mut command = home.account.command(binaries.program("pg_ctl"));
    command.args(["status", "-s", "-D"]).arg(&home.data).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Stops the server: open transactions are rolled back, what was committed is on disk.
pub(super) fn stop(binaries: &Binaries, home: &Home) -> Result<(), EmbeddedError> {
    let mut command = home.account.command(binaries.program("pg_ctl"));
    command.args(["stop", "-w", "-s", "-m", "fast", "-t", "30", "-D"]).arg(&home.data);
    run("pg_ctl", &mut command)
}

/// Waits for a real answer, and creates the database when it is not there.
pub(super) async fn ensure_database(socket_dir: &Path, log: &Path) -> Result<(), EmbeddedError> {
    let no_answer = |source| EmbeddedError::NoAnswer { log: log.to_owned(), source };
    let deadline = tokio::time::Instant::now() + Duration::from_secs(START_SECONDS);
    let mut connection = loop {
        // The socket is there before the server answers ("the database system is starting up").
        match PgConnection::connect_with(&socket_options(socket_dir, "postgres")).await {
            Ok(connection) => break connection,
            Err(error) if tokio::time::Instant::now() > deadline => return Err(no_answer(error)),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let found = sqlx::query("select 1 from pg_catalog.pg_database where datname = $1")
        .bind(super::NAME)
        .fetch_optional(&mut connection)
        .await
        .map_err(no_answer)?;
    if found.is_none() {
        sqlx::raw_sql("create database forgeos").execute(&mut connection).await.map_err(no_answer)?;
    }
    let _ = connection.close().await;
    Ok(())
}

/// Runs a program to its end. Its words go into a file, not into a pipe, which the server would inherit and keep open.
fn run(program: &'static str, command: &mut Command) -> Result<(), EmbeddedError> {
    let failed = |message: String| EmbeddedError::Program { program, message };
    let mut words = nameless_file().map_err(|error| failed(error.to_string()))?;
    let output = words.try_clone().and_then(|out| Ok((out, words.try_clone()?)));
    let (out, err) = output.map_err(|error| failed(error.to_string()))?;
    let status = command.stdout(out).stderr(err).status().map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    let _ = words.rewind().and_then(|()| words.read_to_string(&mut text));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // initdb tells a story first; what went wrong stands at its end.
    Err(failed(lines[lines.len().saturating_sub(3)..].join("; ")))
}

fn nameless_file() -> std::io::Result<fs::File> {
    let path =
        std::env::temp_dir().join(format!("forgeos-{}-{:016x}", std::process::id(), fastrand::u64(..)));
    let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn last_words(log: &Path) -> String {
    fs::read_to_string(log)
        .ok()
        .and_then(|text| text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned))
        .map_or_else(String::new, |line| format!("; the log {} ends in: {line}", log.display()))
}
