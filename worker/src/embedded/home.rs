//! The folders of the server. Below `data_dir`, unless the server's user cannot get there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    EmbeddedError,
    account::{Account, own_uid},
};

/// The smallest limit of the systems we run on for the path of a unix socket.
const SOCKET_PATH_LIMIT: usize = 104;
const SOCKET_NAME: &str = "/.s.PGSQL.5432.lock";

/// Where everything lies.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) account: Account,
    /// Ours: locks.
    pub(super) root: PathBuf,
    /// The server's: its data, mode 0700.
    pub(super) data: PathBuf,
    /// The server's: its socket, mode 0700.
    pub(super) socket_dir: PathBuf,
    /// The server's log.
    pub(super) log: PathBuf,
    /// What a user should know.
    pub(super) notes: Vec<String>,
}

impl Home {
    pub(super) fn prepare(data_dir: &Path, account: Account) -> Result<Self, EmbeddedError> {
        let preferred = data_dir.join("postgres");
        let mut notes = Vec::new();
        let (root, server) = match Self::folders(&preferred, account)? {
            Some(server) => (preferred, server),
            None => {
                let (root, server) = system_folder(data_dir, account)?;
                notes.push(format!(
                    "the database lies in {}, because the user that runs it cannot reach {}",
                    root.display(),
                    data_dir.display()
                ));
                (root, server)
            }
        };
        let socket_dir = if server.as_os_str().len() + SOCKET_NAME.len() < SOCKET_PATH_LIMIT {
            server.clone()
        } else {
            let short = Path::new("/tmp").join(format!("forgeos-{}", short_hash(&root)));
            private_folder(&short, account)?;
            short
        };
        Ok(Self { account, data: server.join("data"), log: server.join("log"), socket_dir, root, notes })
    }

    /// Makes `root` (ours) and `root/server` (the server's). `None` when the server's user cannot get there.
    fn folders(root: &Path, account: Account) -> Result<Option<PathBuf>, EmbeddedError> {
        fs::create_dir_all(root).map_err(EmbeddedError::file(root))?;
        if fs::symlink_metadata(root).map_err(EmbeddedError::file(root))?.uid() != own_uid() {
            return Err(EmbeddedError::ForeignFolder(root.to_owned()));
        }
        if let Account::Other { .. } = account {
            // Only to pass through; what matters is closed below.
            fs::set_permissions(root, Permissions::from_mode(0o711)).map_err(EmbeddedError::file(root))?;
        }
        let server = root.join("server");
        let existed = server.is_dir();
        private_folder(&server, account)?;
        if account.can_enter(&server) {
            return Ok(Some(server));
        }
        if !existed {
            let _ = fs::remove_dir(&server);
            let _ = fs::remove_dir(root);
        }
        Ok(None)
    }

    /// The major version that made the data; none when there are none.
    pub(super) fn data_version(&self) -> Option<String> {
        fs::read_to_string(self.data.join("PG_VERSION")).ok().map(|text| text.trim().to_owned())
    }

    /// Waits for one's turn to start or to stop the server; it ends when the file is dropped.
    pub(super) fn take_turn(&self) -> io::Result<File> {
        let turn = open_lock(&self.root.join("turn"))?;
        turn.lock()?;
        Ok(turn)
    }

    /// Adds what only the home knows.
    pub(super) fn explain(&self, error: EmbeddedError) -> EmbeddedError {
        match error {
            EmbeddedError::OtherVersion { found, .. } => {
                EmbeddedError::OtherVersion { folder: self.data.clone(), found }
            }
            other => other,
        }
    }
}

/// A file to lock. Rust's files are not inherited by other programs, so the server never holds a lock of ours.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// A folder that only the server's user may enter. One that exists must already belong to it or to us: somebody may
/// have put it there to listen in.
fn private_folder(folder: &Path, account: Account) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(folder).map_err(EmbeddedError::file(folder))?;
            let expected = match account {
                Account::Own => own_uid(),
                Account::Other { uid, .. } => uid,
            };
            if !found.is_dir() || (found.uid() != expected && found.uid() != own_uid()) {
                return Err(EmbeddedError::ForeignFolder(folder.to_owned()));
            }
        }
        Err(error) => return Err(EmbeddedError::file(folder)(error)),
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(EmbeddedError::file(folder))?;
    account.give(folder)
}

/// A folder that any user of the system can reach, one for each `data_dir`.
fn system_folder(data_dir: &Path, account: Account) -> Result<(PathBuf, PathBuf), EmbeddedError> {
    let name = short_hash(data_dir);
    let candidates =
        [Path::new("/var/lib/forgeos").join(&name), Path::new("/tmp").join(format!("forgeos-{name}"))];
    let mut last = EmbeddedError::ForeignFolder(data_dir.to_owned());
    for root in candidates {
        match Home::folders(&root, account) {
            Ok(Some(server)) => return Ok((root, server)),
            Ok(None) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn short_hash(path: &Path) -> String {
    Sha256::digest(path.as_os_str().as_encoded_bytes())[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
