//! Links to files of a local folder, signed and with an end, as S3 stores make them by themselves.
//!
//! The key lies beside the buckets' folders, readable by their owner only: whoever shares the folder shares the key, and
//! no object's name leads there. Deleting it and starting the workers anew ends every link that was given out. Nothing
//! here reads files or knows who owns them.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::Path,
    time::Duration,
};

use chrono::{DateTime, Utc};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use url::Url;

use super::{Bucket, Key, Kind, Storage, StorageError, StorageResult, local::LocalFolders};

/// Below the root of the store.
const KEY_FILE: &str = "links.key";
/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// S3's limit, here too.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// It carries no signature, or one that is not of this object, this end and this store.
    #[error("a link to a file needs a signature: `forgeos-worker artifacts url ID` makes one")]
    Unsigned,
    /// It was good once.
    #[error("this link has expired: `forgeos-worker artifacts url ID` makes a new one")]
    Expired,
}

impl Storage {
    /// Whether its files lie in a folder, so that a server of ours is their only way out.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        matches!(self.0.kind, Kind::Local { .. })
    }

    /// Makes the key for signed links if there is none, so that whoever runs the server owns it. Nothing to do for a
    /// store that signs by itself.
    pub fn prepare_links(&self) -> StorageResult<()> {
        match &self.0.kind {
            Kind::Local { folders, .. } => folders.link_key().map(drop),
            Kind::S3 { .. } | Kind::Supabase { .. } => Ok(()),
        }
    }

    /// The link of a file in a folder with a signature that is good for so long, at most seven days.
    pub(super) fn sign_link(
        &self,
        folders: &LocalFolders,
        bucket: Bucket,
        key: &Key,
        valid_for: Duration,
    ) -> StorageResult<String> {
        let expires = (Utc::now() + valid_for.min(LONGEST)).timestamp();
        let signature = hmac::sign(folders.link_key()?, words(bucket, key, expires).as_bytes());
        let link = self.url(bucket, key);
        let mut link =
            Url::parse(&link).map_err(|_| StorageError::Settings(format!("`{link}` is no URL")))?;
        link.query_pairs_mut()
            .append_pair("expires", &expires.to_string())
            .append_pair("signature", &hex::encode(signature));
        Ok(link.into())
    }

    /// Whether a link's `expires` (seconds since 1970) and `signature` open this object. Looks at nothing but them.
    pub fn check_link(
        &self,
        bucket: Bucket,
        key: &Key,
        (expires, signature): (&str, &str),
        now: DateTime<Utc>,
    ) -> StorageResult<Result<(), LinkRefusal>> {
        let Kind::Local { folders, .. } = &self.0.kind else { return Ok(Err(LinkRefusal::Unsigned)) };
        let (Ok(end), Ok(tag)) = (expires.parse::<i64>(), hex::decode(signature)) else {
            return Ok(Err(LinkRefusal::Unsigned));
        };
        if hmac::verify(folders.link_key()?, words(bucket, key, end).as_bytes(), &tag).is_err() {
            return Ok(Err(LinkRefusal::Unsigned));
        }
        Ok(if end > now.timestamp() { Ok(()) } else { Err(LinkRefusal::Expired) })
    }
}

impl LocalFolders {
    fn link_key(&self) -> StorageResult<&hmac::Key> {
        if let Some(key) = self.link_key.get() {
            return Ok(key);
        }
        let path = self.root().join(KEY_FILE);
        let text = read_or_make(&path).map_err(|error| {
            let words = format!("the key for links `{}` cannot be used: {error}", path.display());
            StorageError::Unavailable(Box::new(io::Error::new(error.kind(), words)))
        })?;
        Ok(self.link_key.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }
}

/// What is signed. No key holds a line break, so that no two triples make the same words.
fn words(bucket: Bucket, key: &Key, expires: i64) -> String {
    format!("{bucket}/{key}\n{expires}")
}

/// The key as it stands in its file; the first who needs it writes it, whole or not at all.
fn read_or_make(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        answer => return answer,
    }
    let mut bytes = [0_u8; KEY_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let staged = path.with_extension(uuid::Uuid::new_v4().simple().to_string());
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
    let written = file.write_all(hex::encode(bytes).as_bytes()).and_then(|()| file.sync_all());
    // A root who makes a link must not lock out the worker that owns the folder.
    if let Some(owner) = path.parent().and_then(|folder| fs::metadata(folder).ok()) {
        let _ = chown(&staged, Some(owner.uid()), Some(owner.gid()));
    }
    let linked = written.and_then(|()| match fs::hard_link(&staged, path) {
        // A file system without hard links.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            fs::rename(&staged, path)
        }
        linked => linked,
    });
    let _ = fs::remove_file(&staged);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(path),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let text = text.trim();
    if text.len() < 2 * KEY_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too short; delete it for a new one"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn store(folder: &Path) -> Storage {
        Storage::open_folder(folder, Some("https://files.example")).unwrap()
    }

    /// `expires` and `signature` of a link.
    fn query(link: &str) -> (String, String) {
        let link = Url::parse(link).unwrap();
        let pair = |name| link.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        (pair("expires"), pair("signature"))
    }

    #[tokio::test]
    async fn a_link_opens_its_own_object_until_its_end_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let storage = store(folder.path());
        let key = Key::parse("u/a b.pdf").unwrap();
        let link = storage.signed_url(Bucket::Reports, &key, Duration::from_secs(60)).await.unwrap();
        assert!(link.starts_with("https://files.example/files/reports/u/a%20b.pdf?expires="), "{link}");
        let (expires, signature) = query(&link);
        let now = Utc::now();
        let open = |storage: &Storage, bucket, name: &str, expires: &str, signature: &str, now| {
            storage.check_link(bucket, &Key::parse(name).unwrap(), (expires, signature), now).unwrap()
        };
        // Another process with the same folder has the same key.
        for storage in [&storage, &store(folder.path())] {
            assert_eq!(open(storage, Bucket::Reports, "u/a b.pdf", &expires, &signature, now), Ok(()));
        }
        let later = now + chrono::TimeDelta::seconds(61);
        let late = open(&storage, Bucket::Reports, "u/a b.pdf", &expires, &signature, later);
        assert_eq!(late, Err(LinkRefusal::Expired));
        let further = (expires.parse::<i64>().unwrap() + 1).to_string();
        let other = format!("{}{}", if signature.starts_with('0') { '1' } else { '0' }, &signature[1..]);
        for (bucket, name, expires, signature) in [
            (Bucket::Exports, "u/a b.pdf", expires.as_str(), signature.as_str()),
            (Bucket::Reports, "v/a b.pdf", &expires, &signature),
            (Bucket::Reports, "u/a b.pdf", &further, &signature),
            (Bucket::Reports, "u/a b.pdf", &expires, &other),
            (Bucket::Reports, "u/a b.pdf", &expires, &signature[..62]),
            (Bucket::Reports, "u/a b.pdf", &expires, ""),
            (Bucket::Reports, "u/a b.pdf", "", ""),
            (Bucket::Reports, "u/a b.pdf", "soon", "zz"),
        ] {
            let refused = open(&storage, bucket, name, expires, signature, now);
            assert_eq!(refused, Err(LinkRefusal::Unsigned), "{bucket} {name} {expires} {signature}");
        }
        // A folder of one's own has a key of its own.
        let elsewhere = tempfile::tempdir().unwrap();
        let foreign = open(&store(elsewhere.path()), Bucket::Reports, "u/a b.pdf", &expires, &signature, now);
        assert_eq!(foreign, Err(LinkRefusal::Unsigned));
    }

    #[tokio::test]
    async fn the_key_is_for_its_owner_only_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        store(folder.path()).prepare_links().unwrap();
        let path = folder.path().join(KEY_FILE);
        let key = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(key.len(), 2 * KEY_BYTES);
        store(folder.path()).prepare_links().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), key);
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name.to_string_lossy().starts_with("links")).count(), 1);
        fs::write(&path, "short").unwrap();
        assert!(store(folder.path()).prepare_links().is_err());
    }
}
