//! A PostgreSQL of one's own, for a machine where nobody has set one up.
//!
//! The server's binaries must be installed; nothing is downloaded. The data lies below `data_dir` and is durable. The
//! first process starts the server, others join it, the last one stops it:
//!
//! - Every user of the server holds a shared lock on the file `users`; starting and stopping happens under an exclusive
//!   lock on the file `turn`. Locks vanish with their process, however it ends.
//! - Whoever leaves takes its turn and tries to lock `users` exclusively: who gets that is the last one, and stops the
//!   server.
//! - After `kill -9` of every user the server stays up, in a session of its own; the next command joins it and stops it
//!   when it leaves. That is harmless, the data is whole at every moment.
//!
//! Only the user who started it (and root) can connect: there is a unix socket in a folder of mode 0700 and no TCP.
//! Production refuses to come here at all, see [`crate::environment`].
//!
//! [`Ephemeral`] is the same for tests: a fast, forgetful server in a temporary folder that dies with its process.

mod account;
mod binaries;
mod ephemeral;
mod home;
mod server;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

pub use binaries::Binaries;
pub use ephemeral::Ephemeral;
use home::Home;

/// Name of the database and of its owner.
const NAME: &str = "forgeos";

/// Why there is no embedded database. One sentence each, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL on this machine.
    #[error(
        "PostgreSQL is not installed: run `{install}`, or set DATABASE_URL (looked in FORGEOS_PG_BINDIR, \
         pg_config, PATH and the usual folders)"
    )]
    NotInstalled {
        /// The command for this kind of machine.
        install: &'static str,
    },
    /// FORGEOS_PG_BINDIR is wrong.
    #[error(
        "FORGEOS_PG_BINDIR is `{}`, but there is no initdb, postgres and pg_ctl in it", .0.display()
    )]
    WrongFolder(PathBuf),
    /// The data belong to another major version.
    #[error(
        "the data in {} are of PostgreSQL {found}, and only other versions are installed: install PostgreSQL \
         {found} or move the folder away", .folder.display()
    )]
    OtherVersion {
        /// The data folder.
        folder: PathBuf,
        /// The version that made them.
        found: String,
    },
    /// Running as root, and no other user to run the server.
    #[error(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: set DATABASE_URL"
    )]
    NoAccount,
    /// A user id that /etc/passwd does not know.
    #[error(
        "the user id {0} has no entry in /etc/passwd, which PostgreSQL needs: add one (in a container: `USER` with a \
         named user) or set DATABASE_URL"
    )]
    NamelessUser(u32),
    /// The folder belongs to somebody else.
    #[error("{} belongs to another user: run as that user, or choose another folder with --data-dir", .0.display())]
    ForeignFolder(PathBuf),
    /// A program of PostgreSQL failed.
    #[error("`{program}` failed: {message}")]
    Program {
        /// `initdb` or `pg_ctl`.
        program: &'static str,
        /// Its last words.
        message: String,
    },
    /// The server runs but does not answer.
    #[error("the embedded PostgreSQL does not answer, see {}", .log.display())]
    NoAnswer {
        /// Its log.
        log: PathBuf,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// A folder or file could not be made.
    #[error("cannot use {} for the embedded database (--data-dir chooses another folder)", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl EmbeddedError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// A share in the running server. Leave it with [`Embedded::close`]; dropping does the same, but blocks.
#[derive(Debug)]
pub struct Embedded {
    options: PgConnectOptions,
    notes: Vec<String>,
    home: Home,
    binaries: Binaries,
    // Taken when leaving.
    users: Mutex<Option<File>>,
}

impl Embedded {
    /// Starts the server below `data_dir`, or joins it.
    pub async fn open(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir = data_dir.to_owned();
        let joined = tokio::task::spawn_blocking(move || join(&data_dir)).await;
        let (embedded, turn) = match joined {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        // Still our turn: two first processes must not both create the database.
        server::ensure_database(&embedded.home.socket_dir, &embedded.home.log).await?;
        drop(turn);
        Ok(embedded)
    }

    /// How to connect.
    #[must_use]
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// What a user should know, a line each: that the database is embedded, and where it lies.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The folder of the unix socket, as `psql -h` takes it.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.home.socket_dir
    }

    /// [`Embedded::leave`] without blocking. All connections should be closed before.
    pub async fn close(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Leaves the server, and stops it when nobody else uses it; blocks meanwhile. A second call does nothing.
    pub fn leave(&self) {
        let Some(users) = self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() else {
            return;
        };
        let Ok(turn) = self.home.take_turn() else { return };
        // Changing a shared lock to an exclusive one may lose the shared one for a moment. Nobody can slip in: who
        // joins needs the turn.
        if users.try_lock().is_ok()
            && let Err(error) = server::stop(&self.binaries, &self.home)
        {
            tracing::warn!(%error, "the embedded database could not be stopped");
        }
        drop(users);
        drop(turn);
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.leave();
    }
}

fn join(data_dir: &Path) -> Result<(Embedded, File), EmbeddedError> {
    let account = account::Account::for_server()?;
    let home = Home::prepare(data_dir, account)?;
    let turn = home.take_turn().map_err(EmbeddedError::file(&home.root))?;
    let binaries = Binaries::find(home.data_version().as_deref()).map_err(|error| home.explain(error))?;
    if home.data_version().is_none() {
        server::initialise(&binaries, &home)?;
    }
    let started = server::ensure_running(&binaries, &home)?;
    let users_file = home.root.join("users");
    let users = home::open_lock(&users_file).map_err(EmbeddedError::file(&users_file))?;
    users.lock_shared().map_err(EmbeddedError::file(&users_file))?;

    let mut notes = home.notes.clone();
    notes.push(format!(
        "{} the embedded PostgreSQL {} in {} (set DATABASE_URL to use another database)",
        if started { "started" } else { "joined" },
        binaries.version(),
        home.root.display(),
    ));
    let options = socket_options(&home.socket_dir, NAME);
    Ok((Embedded { options, notes, home, binaries, users: Mutex::new(Some(users)) }, turn))
}

/// Options for a socket folder. Everything is said, so that no PG* variable of the shell can turn them elsewhere.
fn socket_options(socket_dir: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(server::PORT)
        .username(NAME)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}
