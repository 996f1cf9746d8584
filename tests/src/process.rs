//! Processes of the real program: the binary `forgeos-worker`, told everything through its environment, watched
//! through the database and its own words.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::{TestWorld, world::poll};

/// A command that was not started yet.
#[derive(Debug)]
pub struct Process {
    command: Command,
}

/// What a finished command said.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    pub(crate) fn new(world: &TestWorld) -> Self {
        Self::of(program(), world)
    }

    /// Another program that takes the worker's settings.
    pub(crate) fn of(program: &Path, world: &TestWorld) -> Self {
        let process = Self::bare_of(program, world.folder());
        let process = match world.pooler {
            Some(_) => process.env("FORGEOS__DATABASE__LISTEN_URL", &world.url()),
            None => process,
        };
        process
            .env("DATABASE_URL", &world.workers_url())
            .env("FORGEOS__STORAGE__URL", &format!("file://{}", world.storage_folder().display()))
            .env("FORGEOS__DATA_DIR", &world.folder().join("data").display().to_string())
            .env("FORGEOS__HTTP__LISTEN", "off")
            .env("FORGEOS__WORKER__LEASE_SECONDS", "2")
            .env("FORGEOS__WORKER__POLL_INTERVAL_MS", "100")
            .env("RUST_LOG", "info,forgeos_worker=debug")
    }

    /// The program in a folder, with nothing of the caller's own settings in its environment.
    #[must_use]
    pub fn bare(folder: &Path) -> Self {
        Self::bare_of(program(), folder)
    }

    fn bare_of(program: &Path, folder: &Path) -> Self {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null());
        end_with_the_test(&mut command);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if ["FORGEOS", "SUPABASE", "AWS_", "PG", "DATABASE_URL", "RUST_LOG"]
                .iter()
                .any(|prefix| name_text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
        Self { command }
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Lets it have so much address space and no more; what it asks for beyond is refused.
    #[cfg(target_os = "linux")]
    #[allow(unsafe_code)]
    #[must_use]
    pub fn address_space(mut self, bytes: u64) -> Self {
        use std::os::unix::process::CommandExt;
        // SAFETY: setrlimit is async-signal-safe and touches nothing of the parent.
        unsafe {
            self.command.pre_exec(move || {
                let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
                match libc::setrlimit(libc::RLIMIT_AS, &raw const limit) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                }
            });
        }
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Runs a command to its end.
    pub async fn output(mut self) -> Output {
        let task = tokio::task::spawn_blocking(move || self.command.output().unwrap());
        let limit = Duration::from_secs(90);
        let output = tokio::time::timeout(limit, task).await.expect("the command did not end").unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts a long-lived command, such as `run`.
    #[must_use]
    pub fn spawn(mut self) -> Running {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let words = Arc::new(Mutex::new(String::new()));
        for pipe in [
            Box::new(child.stdout.take().unwrap()) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().unwrap()),
        ] {
            let words = Arc::clone(&words);
            std::thread::spawn(move || {
                use std::io::BufRead;
                for line in std::io::BufReader::new(pipe).lines().map_while(Result::ok) {
                    let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
                    words.push_str(&line);
                    words.push('\n');
                }
            });
        }
        Running { child, words }
    }
}

/// A process under way; it is killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: std::process::Child,
    words: Arc<Mutex<String>>,
}

impl Running {
    /// Everything that it wrote so far.
    #[must_use]
    pub fn words(&self) -> String {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its boot id, as in `jobs.locked_by`; it says it when it is ready for jobs.
    #[must_use]
    pub fn boot(&self) -> Option<Uuid> {
        let words = self.words();
        let (_, id) = words.split_once("ready for jobs worker=")?;
        id.get(..36)?.parse().ok()
    }

    /// Waits until it is ready for jobs.
    pub async fn ready(self) -> Self {
        poll(&format!("process {} to be ready", self.pid()), async || self.boot()).await;
        self
    }

    /// Whether it has ended by itself, and how.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Stops it where it stands, without its noticing.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
        assert!(status.success(), "cannot send SIG{name} to {pid}");
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let words = Arc::clone(&self.words);
        let child = &mut self.child;
        poll(&format!("process {} to end", child.id()), async || {
            let ended = child.try_wait().unwrap();
            if ended.is_none() && std::env::var_os("FORGEOS_TEST_TRACE").is_some() {
                eprintln!("{}", words.lock().unwrap_or_else(PoisonError::into_inner));
            }
            ended
        })
        .await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // Shown by the test harness only for the test that failed.
            let words = self.words();
            let tail: Vec<&str> = words.lines().rev().take(60).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            eprintln!("--- the last words of process {}:\n{}", self.child.id(), tail.join("\n"));
        }
    }
}

/// A process must not outlive a test run that was killed: the kernel ends it with the thread that started it, which is
/// the test's own.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(crate) fn end_with_the_test(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: prctl is async-signal-safe and touches nothing of the parent.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn end_with_the_test(_: &mut Command) {}

/// The program, built once a test binary with the same profile into the same folder as the tests.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // …/target/debug/deps/jobs-0123456789abcdef
        let test = std::env::current_exe().unwrap();
        let profile_folder = test.parent().and_then(Path::parent).unwrap();
        let target = profile_folder.parent().unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--workspace", "--bin", "forgeos-worker"]);
        if profile_folder.ends_with("release") {
            build.arg("--release");
        }
        build.env("CARGO_TARGET_DIR", target).current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo tells a test of its package would make build scripts that read it run again, and all that stands on them.
        for (name, _) in std::env::vars_os() {
            if ["CARGO_PKG_", "CARGO_MANIFEST_"]
                .iter()
                .any(|of_package| name.to_string_lossy().starts_with(of_package))
            {
                build.env_remove(name);
            }
        }
        let status = build.status().unwrap();
        assert!(status.success(), "forgeos-worker cannot be built");
        profile_folder.join("forgeos-worker")
    })
}
