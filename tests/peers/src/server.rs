//! A PostgreSQL of our own that can be stopped at once and started again.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

pub struct Server {
    folder: PathBuf,
    binaries: PathBuf,
}

impl Server {
    pub fn start() -> Self {
        let mut found: Vec<PathBuf> =
            std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        let binaries = found.last().expect("PostgreSQL's programs").join("bin");
        let folder = std::env::temp_dir().join(format!("forgeos-peers-{}", std::process::id()));
        let server = Self { folder, binaries };
        let folder = server.folder.display();
        server.shell(&format!("mkdir -m 700 {folder}"));
        server.shell(&format!(
            "{}/initdb -D {folder}/data -U peer -A trust -E UTF8 --locale=C >/dev/null",
            server.binaries.display()
        ));
        server.start_again();
        server
    }

    pub fn start_again(&self) {
        let (folder, binaries) = (self.folder.display(), self.binaries.display());
        let options =
            format!("-c listen_addresses= -c unix_socket_directories={folder} -c max_connections=200");
        self.shell(&format!("{binaries}/pg_ctl start -w -s -D {folder}/data -l {folder}/log -o '{options}'"));
    }

    pub fn stop(&self) {
        self.shell(&format!(
            "{}/pg_ctl stop -s -m immediate -D {}/data",
            self.binaries.display(),
            self.folder.display()
        ));
    }

    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgresql://peer@localhost/{database}?host={folder}&sslmode=disable")
    }

    /// As the user `postgres` when this runs as root, which PostgreSQL refuses.
    fn shell(&self, line: &str) {
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut command = match root {
            true => Command::new("setpriv"),
            false => Command::new("env"),
        };
        if root {
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
        }
        let status = command.args(["sh", "-c", line]).current_dir("/").stdin(Stdio::null()).status().unwrap();
        assert!(status.success(), "{line}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.shell(&format!("rm -rf {}", self.folder.display()));
    }
}
