//! A transaction pooler between the workers and the test server: PgBouncer, set up as an operator would, with nothing
//! loosened for us.
//!
//! It needs the program `pgbouncer`, which a machine with Rust and PostgreSQL may lack; the tests that need it are
//! `#[ignore]`d and fail with one sentence when they are asked for in vain. The pooler runs as the owner of the server
//! (it refuses to run as root) and ends with this process, however that ends.

use std::{
    fs,
    net::SocketAddr,
    os::unix::{
        fs::{MetadataExt, chown},
        net::UnixStream,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{TestWorld, server::server};

/// PgBouncer's own port; the worker knows it for a pooler by that.
pub const PORT: u16 = 6432;

/// Set to anything, every world's workers reach the database through a pooler.
pub const EVERYWHERE: &str = "FORGEOS_TEST_POOLER";

/// Reads from a pipe whose other end only this process has, and stops the pooler when that ends.
const WATCH: &str = r#"
"$1" -q "$2/settings" </dev/null >>"$2/log" 2>&1 &
pooler=$!
echo $pooler >"$2/pid"
read -r _
kill -INT "$pooler" 2>/dev/null
wait "$pooler"
"#;

/// A running pooler.
#[derive(Debug)]
pub struct PgBouncer {
    folder: TempDir,
    owner: (u32, u32),
    watcher: Mutex<Child>,
}

impl PgBouncer {
    /// The pooler of this test binary, when all workers are to go through one.
    #[must_use]
    pub fn everywhere() -> Option<&'static Self> {
        std::env::var_os(EVERYWHERE).map(|_| Self::shared())
    }

    /// One pooler for a whole test binary, with eight server connections a database.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PgBouncer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(8))
    }

    /// A pooler of one's own before the test server, with at most this many server connections a database.
    #[must_use]
    pub fn start(connections: usize) -> Self {
        Self::start_before(&format!("host={} port=5432", server().socket_folder().display()), connections)
    }

    /// The same before a line to the test server.
    #[must_use]
    pub fn before(line: SocketAddr, connections: usize) -> Self {
        Self::start_before(&format!("host={} port={}", line.ip(), line.port()), connections)
    }

    fn start_before(server_address: &str, connections: usize) -> Self {
        let program = program().unwrap_or_else(|| {
            panic!("this test needs PgBouncer; install it with `sudo apt-get install pgbouncer`")
        });
        let server = server().socket_folder();
        let owner = fs::metadata(&server).unwrap();
        let owner = (owner.uid(), owner.gid());
        let folder = TempDir::with_prefix("forgeos-test-pooler-").unwrap();
        let settings = settings(folder.path(), server_address, connections);
        fs::write(folder.path().join("settings"), settings).unwrap();
        fs::write(folder.path().join("users"), "\"forgeos\" \"\"\n").unwrap();
        if owner.0 != fs::metadata(folder.path()).unwrap().uid() {
            for path in [".", "settings", "users"] {
                chown(folder.path().join(path), Some(owner.0), Some(owner.1)).unwrap();
            }
        }
        let watcher = Mutex::new(watch(&program, folder.path(), owner));
        Self { folder, owner, watcher }
    }

    /// Whether the machine has the program.
    #[must_use]
    pub fn is_installed() -> bool {
        program().is_some()
    }

    /// kill -9: nobody is told, and its socket stays behind.
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.folder().join("pid")).unwrap();
        let killed = Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status().unwrap();
        assert!(killed.success(), "cannot kill PgBouncer");
        end(&mut self.watcher.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Starts it again, with the same settings and socket, after [`PgBouncer::kill`].
    pub fn start_again(&self) {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        *watcher = watch(&program().unwrap(), self.folder(), self.owner);
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder().join(format!(".s.PGSQL.{PORT}"))
    }

    /// Where its socket lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        end(self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Starts the program and waits until it takes connections.
// Nothing else runs in a test that has no way to its database.
#[allow(clippy::disallowed_methods)]
fn watch(program: &Path, folder: &Path, owner: (u32, u32)) -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCH, "sh"]).arg(program).arg(folder).process_group(0);
    if fs::metadata("/proc/self").unwrap().uid() != owner.0 {
        command.uid(owner.0).gid(owner.1);
    }
    let watcher = command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while UnixStream::connect(folder.join(format!(".s.PGSQL.{PORT}"))).is_err() {
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(began.elapsed() < Duration::from_secs(20), "PgBouncer did not start: {}", log());
        std::thread::sleep(Duration::from_millis(10));
    }
    watcher
}

fn end(watcher: &mut Child) {
    drop(watcher.stdin.take());
    let _ = watcher.wait();
}

/// What is not named here is PgBouncer's default. No `ignore_startup_parameters`, no reset between clients.
fn settings(folder: &Path, server_address: &str, connections: usize) -> String {
    format!(
        "[databases]
* = {server_address}
[pgbouncer]
listen_port = {PORT}
unix_socket_dir = {folder}
unix_socket_mode = 0777
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 1000
",
        folder = folder.display(),
    )
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
}

/// Runs the tests of the calling binary once more, with every worker behind a pooler. The tests named by `except` need
/// what a pooler does not have.
#[allow(clippy::print_stdout)]
pub async fn run_this_suite_again(except: &[&str]) {
    let mut suite = tokio::process::Command::new(std::env::current_exe().unwrap());
    suite.env(EVERYWHERE, "1").kill_on_drop(true);
    for name in except {
        suite.args(["--skip", name]);
    }
    let began = Instant::now();
    let output = suite.output().await.unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stderr));
    let result = words.lines().find(|line| line.starts_with("test result")).unwrap_or_default();
    println!("through the pooler, in {:.1} s: {result}", began.elapsed().as_secs_f64());
}

impl TestWorld {
    /// Its workers reach the database through a pooler from here on.
    #[must_use]
    pub fn behind(mut self, pooler: &'static PgBouncer) -> Self {
        self.pooler = Some(pooler);
        self
    }
}
