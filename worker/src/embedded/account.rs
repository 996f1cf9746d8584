//! As whom the server runs: PostgreSQL refuses root.

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use super::EmbeddedError;

/// The user of the server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Account {
    /// Whoever we are.
    Own,
    /// We are root: another user, whom the folders are given to.
    Other {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
    },
}

impl Account {
    pub(super) fn for_server() -> Result<Self, EmbeddedError> {
        let uid = own_uid();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        if uid != 0 {
            // initdb asks for the name of its user. Where users are kept elsewhere (LDAP, macOS), `id` knows them.
            return if passwd_by_uid(&passwd, uid) || known_to_id(uid) {
                Ok(Self::Own)
            } else {
                Err(EmbeddedError::NamelessUser(uid))
            };
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| passwd_by_name(&passwd, name))
            .map(|(uid, gid)| Self::Other { uid, gid })
            .ok_or(EmbeddedError::NoAccount)
    }

    /// A command that runs as this user, with a clean environment, from `/`.
    pub(super) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        // std drops the supplementary groups with the uid.
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }

    /// Gives a file or folder to this user.
    pub(super) fn give(self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)).map_err(EmbeddedError::file(path)),
        }
    }

    /// Whether this user can enter a folder: one above may be closed to it.
    pub(super) fn can_enter(self, folder: &Path) -> bool {
        match self {
            Self::Own => true,
            Self::Other { .. } => self
                .command("/bin/sh")
                .args(["-c", "cd \"$1\" && test -w .", "sh"])
                .arg(folder)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
    }
}

/// The effective user id of this process.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn passwd_by_name(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some((uid, gid))
    })
}

fn passwd_by_uid(passwd: &str, uid: u32) -> bool {
    passwd.lines().any(|line| line.split(':').nth(2) == Some(uid.to_string().as_str()))
}

fn known_to_id(uid: u32) -> bool {
    Command::new("id")
        .args(["-un", &uid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0::/root:/bin/sh\nfake:x:0:0::/:\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn users_are_found_by_name_and_by_id_but_never_root() {
        assert_eq!(passwd_by_name(PASSWD, "postgres"), Some((101, 104)));
        assert_eq!(passwd_by_name(PASSWD, "post"), None);
        assert_eq!(passwd_by_name(PASSWD, "fake"), None);
        assert!(passwd_by_uid(PASSWD, 101) && !passwd_by_uid(PASSWD, 1));
    }
}
