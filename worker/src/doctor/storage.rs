//! The object store: each bucket that jobs write is written, read and emptied again; the one they read is asked.

use bytes::Bytes;
use forgeos_core::{
    db::Db,
    storage::{
        BUCKET_MISSING, Bucket, CREDENTIALS_REFUSED, DISK_FULL, Key, Storage, StorageError, StorageResult,
    },
};

use super::{Finding, words};
use crate::{
    environment::{EnvironmentError, open_storage},
    settings::Settings,
};

/// What is written.
const WORDS: &[u8] = b"written by forgeos-worker doctor; may be deleted\n";

pub(super) async fn examine(settings: &Settings, db: Option<&Db>, findings: &mut Vec<Finding>) {
    let in_folder =
        settings.storage.url.as_deref().is_none_or(|url| url.is_empty() || url.starts_with("file:"));
    let mend = if in_folder {
        "make the folder and let the worker's user write there, or choose another with storage.url or data_dir"
    } else {
        "look at storage.url, storage.endpoint and the keys; for Supabase at SUPABASE_URL and its keys"
    };
    let unmade = Storage::unmade_folder(&settings.storage, &settings.data_dir);
    // Nothing is made where a store may have been, and in a database without tables there is none to ask.
    let opened = match (db, unmade) {
        (Some(db), _) => open_storage(settings, db).await,
        (None, None) => Storage::open(&settings.storage, &settings.data_dir, None).map_err(Into::into),
        (None, Some(folder)) => {
            let found =
                format!("{} has no buckets yet; the database cannot say whether it should", folder.display());
            findings.push(Finding::warn("storage", found, "mend the database first"));
            return;
        }
    };
    let storage = match opened {
        Ok(storage) => storage,
        Err(EnvironmentError::Ask(_)) => {
            let found = "the folder has no buckets yet; the database cannot say whether it should";
            findings.push(Finding::warn("storage", found, "mend the database first"));
            return;
        }
        Err(error @ EnvironmentError::StorageGone { .. }) => {
            let mend = "mount the disk; or choose the folder with storage.url or data_dir";
            findings.push(Finding::fail("storage", words(error), mend));
            return;
        }
        Err(error) => {
            findings.push(Finding::fail("storage", words(error), mend));
            return;
        }
    };
    let mut fine = Vec::new();
    for bucket in Bucket::ALL {
        let tried = if bucket == Bucket::Images {
            storage.probe(bucket).await
        } else {
            round_trip(&storage, bucket).await
        };
        match tried {
            Ok(()) => fine.push(bucket.as_str()),
            Err(error) => {
                let mend = match &error {
                    StorageError::Denied(_) => "let these keys read, write and delete in this bucket",
                    StorageError::NotFound => "make the bucket",
                    StorageError::Refused { reason: BUCKET_MISSING, .. } => {
                        "make the bucket, private; or name one bucket for all as storage.url = \"s3://NAME\""
                    }
                    StorageError::Refused { reason: CREDENTIALS_REFUSED, .. }
                        if storage.kind() == "supabase" =>
                    {
                        "look at SUPABASE_ANON_KEY, SUPABASE_SERVICE_KEY and SUPABASE_PROJECT_REF; keys that are not JWTs need S3 keys of the dashboard in storage.access_key_id and storage.secret_access_key"
                    }
                    StorageError::Refused { reason: CREDENTIALS_REFUSED, .. } => {
                        "look at storage.access_key_id, storage.secret_access_key and storage.region"
                    }
                    StorageError::Refused { reason: DISK_FULL, .. } => "make room on the disk of the store",
                    _ => mend,
                };
                let away = matches!(error, StorageError::Unavailable(_));
                // Where the reason is known, the store's whole answer would only hide it.
                let said = match error {
                    StorageError::Refused { .. } => error.to_string(),
                    error => words(error),
                };
                findings.push(Finding::fail("storage", format!("bucket {bucket}: {said}"), mend));
                if away {
                    // The others would say the same.
                    break;
                }
            }
        }
    }
    if !fine.is_empty() {
        findings.push(Finding::ok(
            "storage",
            format!("{}: {} answer as they should", storage.kind(), fine.join(", ")),
        ));
    }
}

async fn round_trip(storage: &Storage, bucket: Bucket) -> StorageResult<()> {
    let key = Key::parse(format!("service/doctor/{}.txt", uuid::Uuid::new_v4()))?;
    storage.put(bucket, &key, Bytes::from_static(WORDS), "text/plain").await?;
    let read = storage.get_limited(bucket, &key, 1024).await;
    let deleted = storage.delete(bucket, &key).await;
    if read? != WORDS {
        let other = std::io::Error::other("what was read is not what was written");
        return Err(StorageError::Unavailable(Box::new(other)));
    }
    deleted
}
