//! Where PostgreSQL's programs are. A folder counts only with `initdb`, `postgres` and `pg_ctl` in it: `pg_config` of a
//! client library alone points to a folder without them.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::EmbeddedError;

/// The folder with the programs of one version.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
    version: String,
}

impl Binaries {
    /// Looks in `FORGEOS_PG_BINDIR` (which must be right), `pg_config --bindir`, PATH, and the usual folders, highest
    /// version first. With `major`, only that major version counts.
    pub fn find(major: Option<&str>) -> Result<Self, EmbeddedError> {
        let fits = |binaries: &Self| major.is_none_or(|major| major == binaries.major());
        let other_version =
            |major: &str| EmbeddedError::OtherVersion { folder: PathBuf::new(), found: major.to_owned() };
        if let Some(folder) = env::var_os("FORGEOS_PG_BINDIR").filter(|value| !value.is_empty()) {
            let folder = PathBuf::from(folder);
            let binaries = Self::at(&folder).ok_or(EmbeddedError::WrongFolder(folder))?;
            return if fits(&binaries) {
                Ok(binaries)
            } else {
                Err(other_version(major.unwrap_or_default()))
            };
        }
        let mut any = false;
        for folder in pg_config().into_iter().chain(on_path()).chain(usual_folders()) {
            if let Some(binaries) = Self::at(&folder) {
                if fits(&binaries) {
                    return Ok(binaries);
                }
                any = true;
            }
        }
        match major {
            Some(major) if any => Err(other_version(major)),
            _ => Err(EmbeddedError::NotInstalled { install: install_command() }),
        }
    }

    /// The programs in `folder`, if they are there and 15 or newer.
    fn at(folder: &Path) -> Option<Self> {
        if !["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        // Links in /usr/local/bin lead to the real folder, whose neighbours the programs need.
        let folder = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        // "postgres (PostgreSQL) 15.18 (Debian …)"
        let version = String::from_utf8_lossy(&output.stdout).split_whitespace().nth(2)?.to_owned();
        let binaries = Self { folder, version };
        (binaries.major().parse::<u32>().ok()? >= 15).then_some(binaries)
    }

    /// `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `15`.
    #[must_use]
    pub fn major(&self) -> &str {
        self.version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
    }

    /// Path of a program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn on_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
        ("/Applications/Postgres.app/Contents/Versions", ""),
    ] {
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        folders.extend(versions.into_iter().map(|(_, folder)| folder));
    }
    folders.extend(["/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    folders
}

/// How PostgreSQL is installed on this kind of machine.
fn install_command() -> &'static str {
    let has = |program: &str| {
        on_path().into_iter().chain([PathBuf::from("/usr/bin")]).any(|folder| folder.join(program).is_file())
    };
    if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else if has("apt-get") {
        "sudo apt-get install postgresql"
    } else if has("dnf") {
        "sudo dnf install postgresql-server postgresql-contrib"
    } else if has("apk") {
        "sudo apk add postgresql postgresql-contrib"
    } else if has("pacman") {
        "sudo pacman -S postgresql"
    } else {
        "your package manager's install of the PostgreSQL server, 15 or newer"
    }
}
