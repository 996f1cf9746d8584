//! A test server that falls and is started again: what `pg_ctl stop -m immediate` and `pg_ctl start` do, by signals and
//! by the server's own command line.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, PgConnection};

use crate::{TestWorld, process::end_with_the_test, world::poll};

/// A server that has fallen.
#[derive(Debug)]
pub struct Crash {
    arguments: Vec<String>,
    owner: (u32, u32),
}

/// A server that was started again; it ends with this.
#[derive(Debug)]
pub struct Revived(Child);

impl Crash {
    /// Stops the server of a world at once: connections break, shared memory is lost.
    pub async fn of(world: &TestWorld) -> Self {
        let process = postmaster(world);
        let arguments = fs::read(process.join("cmdline")).unwrap();
        let arguments = arguments.split(|byte| *byte == 0).filter(|argument| !argument.is_empty());
        let arguments = arguments.map(|argument| String::from_utf8(argument.to_vec()).unwrap()).collect();
        let status = fs::metadata(&process).unwrap();
        let pid = process.file_name().unwrap().to_str().unwrap();
        assert!(Command::new("sh").args(["-c", &format!("kill -QUIT {pid}")]).status().unwrap().success());
        // Whoever started it may not have noticed its end.
        poll("the server to fall", async || {
            let state = fs::read_to_string(process.join("stat")).unwrap_or_default();
            (state.is_empty() || state.contains(") Z ")).then_some(())
        })
        .await;
        Self { arguments, owner: (status.uid(), status.gid()) }
    }

    /// Starts it again on what it has on disk; answers when it answers.
    pub async fn start_again(self, world: &TestWorld) -> Revived {
        let mut command = Command::new(&self.arguments[0]);
        command.args(&self.arguments[1..]).current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if fs::metadata("/proc/self").unwrap().uid() != self.owner.0 {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        end_with_the_test(&mut command);
        let revived = Revived(command.spawn().unwrap());
        poll("the server to answer", async || {
            let connection = PgConnection::connect_with(&world.options);
            let connection = tokio::time::timeout(Duration::from_secs(5), connection).await.ok()?;
            let _ = connection.ok()?.close().await;
            Some(())
        })
        .await;
        revived
    }
}

impl Drop for Revived {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Its folder in /proc.
fn postmaster(world: &TestWorld) -> PathBuf {
    let file = fs::read_to_string(world.socket_folder().join("data/postmaster.pid")).unwrap();
    PathBuf::from("/proc").join(file.lines().next().unwrap().trim())
}
