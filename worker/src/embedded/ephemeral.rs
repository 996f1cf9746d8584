//! A server for tests: fast, forgetful, and gone with its process, even after `kill -9`.
//!
//! A small shell stands between: it reads from a pipe whose other end only this process has. When the process ends, for
//! whatever reason, the pipe ends, and the shell stops the server and removes the folder. (A death signal of the kernel
//! would need unsafe code, be Linux only, and depend on the thread that started the server.)

use std::{
    fs::{self, DirBuilder},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use sqlx::postgres::PgConnectOptions;

use super::{
    Binaries, EmbeddedError, NAME,
    account::Account,
    server::{self, PORT},
    socket_options,
};

const WATCH: &str = r#"
dir=$1; shift
"$@" </dev/null >"$dir/log" 2>&1 &
server=$!
read -r _
kill -INT "$server" 2>/dev/null
wait "$server"
rm -rf "$dir"
"#;

/// Nothing has to survive.
const FORGETFUL: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// A running server; dropping it stops the server and removes everything.
#[derive(Debug)]
pub struct Ephemeral {
    pub(super) folder: PathBuf,
    watcher: Child,
}

impl Ephemeral {
    /// Starts a server in a folder of its own below /tmp (the socket's path must be short) and waits until it answers.
    pub async fn start() -> Result<Self, EmbeddedError> {
        Self::start_with(FORGETFUL, "").await
    }

    /// The same, reachable at an address of this machine, too, for what does not pass through a socket, such as TLS.
    pub async fn start_listening(address: &str) -> Result<Self, EmbeddedError> {
        Self::start_with(FORGETFUL, address).await
    }

    /// The same, but a commit waits for the disk as an operator's server would: for benchmarks.
    pub async fn start_durable() -> Result<Self, EmbeddedError> {
        Self::start_with(&[], "").await
    }

    async fn start_with(settings: &'static [&'static str], address: &str) -> Result<Self, EmbeddedError> {
        let address = address.to_owned();
        let started = tokio::task::spawn_blocking(move || Self::launch(settings, &address)).await;
        let ephemeral = match started {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        server::ensure_database(&ephemeral.folder, &ephemeral.folder.join("log")).await?;
        Ok(ephemeral)
    }

    fn launch(settings: &[&str], address: &str) -> Result<Self, EmbeddedError> {
        let account = Account::for_server()?;
        let binaries = Binaries::find(None)?;
        let folder =
            Path::new("/tmp").join(format!("forgeos-test-{}-{:08x}", std::process::id(), fastrand::u32(..)));
        DirBuilder::new().mode(0o700).create(&folder).map_err(EmbeddedError::file(&folder))?;
        account.give(&folder)?;
        let data = folder.join("data");
        server::init_data(&binaries, account, &data).inspect_err(|_| {
            let _ = fs::remove_dir_all(&folder);
        })?;

        let mut command = account.command("/bin/sh");
        command.args(["-c", WATCH, "sh"]).arg(&folder).arg(binaries.program("postgres")).arg("-D").arg(&data);
        let socket = format!("unix_socket_directories={}", folder.display());
        let port = format!("port={PORT}");
        let listen = format!("listen_addresses={address}");
        for setting in [
            socket.as_str(),
            port.as_str(),
            listen.as_str(),
            "unix_socket_permissions=0700",
            "timezone=UTC",
            "max_connections=200",
        ]
        .iter()
        .chain(settings)
        {
            command.args(["-c", setting]);
        }
        // A group of its own: Ctrl-C in a terminal reaches us, and through the pipe the server.
        let watcher = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(EmbeddedError::file(Path::new("/bin/sh")))?;
        Ok(Self { folder, watcher })
    }

    /// Where its socket, its data and its log lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How to connect to a database of this server; `postgres` and `forgeos` exist.
    #[must_use]
    pub fn options(&self, database: &str) -> PgConnectOptions {
        socket_options(&self.folder, database)
    }

    /// The same as a URL, for DATABASE_URL of a child process.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgresql://{NAME}@localhost:{PORT}/{database}?host={folder}&sslmode=disable")
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}
