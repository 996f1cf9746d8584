//! Buckets and keys over an object store: a local folder, any S3, Supabase Storage.
//!
//! A file appears under its key only when it is whole. Nothing here knows rows or decides what counts: a file counts
//! when a row that was written under the fence points to it. Links that are kept carry no signature; signed ones are
//! made when somebody wants to read.

mod bucket;
mod checksum;
mod error;
mod key;
mod links;
mod local;
mod reading;
mod s3;
mod settings;
mod supabase;
mod upload;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use object_store::{
    Attribute, Attributes, ObjectMeta, ObjectStore, ObjectStoreExt, PutOptions, PutPayload,
    aws::AmazonS3,
    path::Path as StorePath,
    signer::{Method, Signer},
};
use sha2::{Digest, Sha256};
use url::Url;

pub use bucket::{Bucket, UnknownBucket};
pub use error::{BUCKET_MISSING, CREDENTIALS_REFUSED, Cause, DISK_FULL, StorageError, StorageResult};
pub use key::{Key, KeyError, MAX_KEY_BYTES, MAX_PART_BYTES};
pub use links::LinkRefusal;
pub use settings::{StorageSettings, SupabaseEnvironment};
pub use upload::Upload;

/// The object store; clones share it.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    stores: [Arc<dyn ObjectStore>; Bucket::ALL.len()],
    /// The same stores where they can sign links.
    signers: Option<[Arc<dyn Signer>; Bucket::ALL.len()]>,
    kind: Kind,
}

enum Kind {
    Local {
        folders: local::LocalFolders,
        public_url: Option<String>,
    },
    S3 {
        single: Option<SingleBucket>,
        public_url: Option<String>,
    },
    /// With keys of the project its own interface signs links; with S3 keys of the dashboard S3's protocol does.
    Supabase {
        base: String,
        links: Option<supabase::SupabaseLinks>,
    },
}

/// One S3 bucket that holds all of ours as folders.
struct SingleBucket {
    name: String,
    prefix: String,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

/// What a put left in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Whether the store was asked again after the put and told this size.
    pub verified: bool,
}

/// What a store knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: Key,
    /// Its size.
    pub size_bytes: u64,
    /// When it was written.
    pub modified_at: DateTime<Utc>,
}

impl Storage {
    /// Opens the store that the settings name. A local folder is created; an S3 store is not contacted yet.
    ///
    /// `data_dir` is where the default folder lies; `http_public_url` is how the worker's own HTTP server is reached
    /// from outside, for links to files of a local folder.
    pub fn open(
        settings: &StorageSettings,
        data_dir: &Path,
        http_public_url: Option<&str>,
    ) -> StorageResult<Self> {
        match settings.url.as_deref().map(str::trim) {
            None | Some("") => Self::open_folder(&data_dir.join("storage"), http_public_url),
            Some("supabase") => Self::open_supabase(settings),
            Some(url) if url.starts_with("file:") => {
                let path = Url::parse(url).ok().and_then(|url| url.to_file_path().ok()).ok_or_else(|| {
                    StorageError::Settings(format!(
                        "`storage.url` is `{url}`; a folder is `file:///absolute/path`"
                    ))
                })?;
                Self::open_folder(&path, http_public_url)
            }
            Some(url) if url.starts_with("s3://") => Self::open_s3(settings, &url["s3://".len()..]),
            Some(url) => {
                // The scheme only: a mistyped URL may carry a password.
                let scheme = url.split(':').next().unwrap_or_default();
                Err(StorageError::Settings(format!(
                    "`storage.url` starts with `{scheme}`; allowed: `file:///path`, `s3://…`, `supabase`"
                )))
            }
        }
    }

    /// Opens a folder of this machine, one folder a bucket below it.
    pub fn open_folder(root: &Path, http_public_url: Option<&str>) -> StorageResult<Self> {
        let folders = local::LocalFolders::create(root)?;
        let stores = each_bucket(|bucket| folders.bucket(bucket))?;
        let public_url = http_public_url.map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self(Arc::new(Inner { stores, signers: None, kind: Kind::Local { folders, public_url } })))
    }

    /// The folder of a local store; none where the store is another.
    #[must_use]
    pub fn folder(settings: &StorageSettings, data_dir: &Path) -> Option<PathBuf> {
        match settings.url.as_deref().map(str::trim) {
            None | Some("") => Some(data_dir.join("storage")),
            Some(url) => Url::parse(url).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok(),
        }
    }

    /// The folder of a local store in which no bucket was ever made; opening it would make them. Where a store was in use,
    /// that is a disk which is not mounted.
    pub fn unmade_folder(settings: &StorageSettings, data_dir: &Path) -> Option<PathBuf> {
        let root = Self::folder(settings, data_dir)?;
        let made = Bucket::ALL.iter().any(|bucket| root.join(bucket.as_str()).is_dir());
        (!made).then_some(root)
    }

    fn open_s3(settings: &StorageSettings, location: &str) -> StorageResult<Self> {
        let location = location.trim_matches('/');
        if location.contains(['@', ':']) {
            return Err(StorageError::Settings(
                "`storage.url` is `s3://BUCKET/PREFIX` and carries no keys; they are `storage.access_key_id` and `storage.secret_access_key`".into(),
            ));
        }
        let single = if location.is_empty() {
            None
        } else {
            let (name, prefix) = location.split_once('/').unwrap_or((location, ""));
            if !prefix.is_empty() {
                Key::parse(prefix)?;
            }
            Some(SingleBucket { name: name.to_owned(), prefix: prefix.to_owned() })
        };
        let stores = match &single {
            None => each_bucket(|bucket| s3::open_bucket(settings, bucket.as_str()))?,
            Some(SingleBucket { name, .. }) => {
                let store = s3::open_bucket(settings, name)?;
                each_bucket(|_| Ok(Arc::clone(&store)))?
            }
        };
        let public_url = settings.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self(Arc::new(Inner::of_s3(stores, Kind::S3 { single, public_url }))))
    }

    fn open_supabase(settings: &StorageSettings) -> StorageResult<Self> {
        let endpoint = settings.endpoint.as_deref().map(|e| e.trim_end_matches('/')).ok_or_else(|| {
            StorageError::Settings(
                "`storage.url = \"supabase\"` needs `SUPABASE_URL` or `storage.endpoint`".into(),
            )
        })?;
        let base = endpoint.strip_suffix("/s3").ok_or_else(|| {
            StorageError::Settings("`storage.endpoint` of a Supabase store ends in `/storage/v1/s3`".into())
        })?;
        supabase::check_keys(settings)?;
        let settings = StorageSettings { path_style: Some(true), ..settings.clone() };
        let stores = each_bucket(|bucket| s3::open_bucket(&settings, bucket.as_str()))?;
        let links =
            settings.session_token.clone().map(|key| supabase::SupabaseLinks::new(base, key)).transpose()?;
        Ok(Self(Arc::new(Inner::of_s3(stores, Kind::Supabase { base: base.to_owned(), links }))))
    }

    /// One word for logs and metrics: `local`, `s3` or `supabase`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.0.kind {
            Kind::Local { .. } => "local",
            Kind::S3 { .. } => "s3",
            Kind::Supabase { .. } => "supabase",
        }
    }

    /// Writes an object, whole or not at all, and asks the store what it has; another size is an outage.
    pub async fn put(
        &self,
        bucket: Bucket,
        key: &Key,
        bytes: Bytes,
        mime: &str,
    ) -> StorageResult<StoredObject> {
        self.guard(bucket, key).await?;
        let path = self.path(bucket, key)?;
        let size_bytes = bytes.len() as u64;
        let hashed = bytes.clone();
        let sha256 = tokio::task::spawn_blocking(move || hex::encode(Sha256::digest(&hashed)))
            .await
            .map_err(|e| StorageError::Unavailable(Box::new(e)))?;
        let mut options = PutOptions::default();
        // A local folder keeps no attributes and refuses them.
        if !matches!(self.0.kind, Kind::Local { .. }) {
            let mut attributes = Attributes::new();
            attributes.insert(Attribute::ContentType, mime.to_owned().into());
            options.attributes = attributes;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let payload = PutPayload::from(bytes.clone());
            match self.store(bucket).put_opts(&path, payload, options.clone()).await.map_err(error::classify)
            {
                Ok(_) => break,
                // S3 has retried inside; a local folder has not.
                Err(StorageError::Unavailable(_)) if self.kind() == "local" && tries < LOCAL_TRIES => {
                    tokio::time::sleep(Duration::from_millis(50) * tries).await;
                }
                Err(error) => return Err(error),
            }
        }
        // What was changed on its way an S3 store refuses by its checksum; what it cut afterwards shows here.
        let held = self.head(bucket, key).await?.size_bytes;
        if held != size_bytes {
            let words = format!("the store holds {held} bytes of {size_bytes} that were written");
            let cut = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, words);
            return Err(StorageError::Unavailable(Box::new(cut)));
        }
        Ok(StoredObject { size_bytes, sha256, verified: true })
    }

    /// What the store knows of an object; [`StorageError::NotFound`] when there is none.
    pub async fn head(&self, bucket: Bucket, key: &Key) -> StorageResult<ObjectInfo> {
        self.guard(bucket, key).await?;
        let path = self.path(bucket, key)?;
        let meta = self.store(bucket).head(&path).await.map_err(error::classify)?;
        Ok(ObjectInfo { key: key.clone(), size_bytes: meta.size, modified_at: meta.last_modified })
    }

    /// Whether there is such an object.
    pub async fn exists(&self, bucket: Bucket, key: &Key) -> StorageResult<bool> {
        match self.head(bucket, key).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The objects of a bucket, those below a folder when one is given. Objects whose names are no keys (nobody could
    /// have asked for them here) are left out.
    pub fn list(
        &self,
        bucket: Bucket,
        folder: Option<&Key>,
    ) -> impl Stream<Item = StorageResult<ObjectInfo>> + Send + use<> {
        let prefix = match &self.0.kind {
            Kind::S3 { single: Some(single), .. } => {
                Some(StorePath::from(single.path(bucket, folder.map_or("", Key::as_str))))
            }
            _ => folder.map(|key| StorePath::from(key.as_str())),
        };
        let outer = match &self.0.kind {
            Kind::S3 { single: Some(single), .. } => format!("{}/", single.path(bucket, "")),
            _ => String::new(),
        };
        self.store(bucket).list(prefix.as_ref()).filter_map(move |found| {
            let info = match found {
                Ok(meta) => object_info(meta, &outer).map(Ok),
                Err(error) => Some(Err(error::classify(error))),
            };
            std::future::ready(info)
        })
    }

    /// Deletes an object; one that is not there is no error.
    pub async fn delete(&self, bucket: Bucket, key: &Key) -> StorageResult<()> {
        match self.guard(bucket, key).await {
            Ok(()) => {}
            Err(StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        }
        let path = self.path(bucket, key)?;
        match self.store(bucket).delete(&path).await.map_err(error::classify) {
            Ok(()) | Err(StorageError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the bucket answers at all.
    pub async fn probe(&self, bucket: Bucket) -> StorageResult<()> {
        let key = Key::parse("service/probe")?;
        let answer = match self.head(bucket, &key).await {
            // The answer to a head has no body, so a missing bucket looks like a missing object: ask for a list.
            Err(StorageError::NotFound) if self.kind() != "local" => {
                std::pin::pin!(self.list(bucket, Some(&key))).next().await.transpose().map(|_| ())
            }
            answer => answer.map(|_| ()),
        };
        match answer {
            Ok(()) | Err(StorageError::NotFound | StorageError::Denied(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What the object is called to the outside; carries no signature and never expires.
    #[must_use]
    pub fn url(&self, bucket: Bucket, key: &Key) -> String {
        match &self.0.kind {
            Kind::Local { folders, public_url: None } => Url::from_file_path(folders.path(bucket, key))
                .map_or_else(|()| format!("file:{}/{key}", bucket), String::from),
            Kind::Local { public_url: Some(base), .. } => join_url(&format!("{base}/files"), bucket, key),
            Kind::S3 { public_url: Some(base), .. } => join_url(base, bucket, key),
            Kind::S3 { single: Some(single), public_url: None } => {
                format!("s3://{}/{}", single.name, single.path(bucket, key.as_str()))
            }
            Kind::S3 { single: None, public_url: None } => format!("s3://{bucket}/{key}"),
            Kind::Supabase { base, .. } => join_url(&format!("{base}/object/authenticated"), bucket, key),
        }
    }

    /// A link that anybody can read the object with until `valid_for` has passed, at most seven days. Of a folder that
    /// nobody serves it is the lasting one, a path.
    pub async fn signed_url(&self, bucket: Bucket, key: &Key, valid_for: Duration) -> StorageResult<String> {
        match &self.0.kind {
            Kind::Local { folders, public_url: Some(_) } => {
                return self.sign_link(folders, bucket, key, valid_for);
            }
            Kind::Supabase { links: Some(links), .. } => return links.sign(bucket, key, valid_for).await,
            _ => {}
        }
        let Some(signers) = &self.0.signers else { return Ok(self.url(bucket, key)) };
        let path = self.path(bucket, key)?;
        let signed = signers[bucket as usize].signed_url(Method::GET, &path, valid_for).await;
        signed.map(String::from).map_err(error::classify)
    }

    fn store(&self, bucket: Bucket) -> &Arc<dyn ObjectStore> {
        &self.0.stores[bucket as usize]
    }

    fn path(&self, bucket: Bucket, key: &Key) -> StorageResult<StorePath> {
        let text = match &self.0.kind {
            Kind::S3 { single: Some(single), .. } => single.path(bucket, key.as_str()),
            _ => key.as_str().to_owned(),
        };
        StorePath::parse(text).map_err(|_| StorageError::InvalidKey(KeyError::ForbiddenCharacter))
    }

    async fn guard(&self, bucket: Bucket, key: &Key) -> StorageResult<()> {
        match &self.0.kind {
            Kind::Local { folders, .. } => folders.guard(bucket, key).await,
            Kind::S3 { .. } | Kind::Supabase { .. } => Ok(()),
        }
    }
}

/// How often a local folder is asked before its fault counts.
const LOCAL_TRIES: u32 = 3;

impl SingleBucket {
    fn path(&self, bucket: Bucket, key: &str) -> String {
        let parts = [self.prefix.as_str(), bucket.as_str(), key];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

impl Inner {
    fn of_s3(stores: [Arc<AmazonS3>; Bucket::ALL.len()], kind: Kind) -> Self {
        Self {
            signers: Some(stores.clone().map(|store| store as Arc<dyn Signer>)),
            stores: stores.map(|store| store as Arc<dyn ObjectStore>),
            kind,
        }
    }
}

fn each_bucket<S: ?Sized>(
    mut open: impl FnMut(Bucket) -> StorageResult<Arc<S>>,
) -> StorageResult<[Arc<S>; Bucket::ALL.len()]> {
    let [images, outputs, reports, models, exports] = Bucket::ALL;
    Ok([open(images)?, open(outputs)?, open(reports)?, open(models)?, open(exports)?])
}

fn object_info(meta: ObjectMeta, outer: &str) -> Option<ObjectInfo> {
    let key = Key::parse(meta.location.as_ref().strip_prefix(outer)?).ok()?;
    Some(ObjectInfo { key, size_bytes: meta.size, modified_at: meta.last_modified })
}

/// `{base}/{bucket}/{key}` with every part of the key escaped as a URL wants it.
fn join_url(base: &str, bucket: Bucket, key: &Key) -> String {
    match Url::parse(base) {
        Ok(mut url) => {
            if let Ok(mut path) = url.path_segments_mut() {
                path.pop_if_empty().push(bucket.as_str()).extend(key.parts());
            }
            url.into()
        }
        Err(_) => format!("{base}/{bucket}/{key}"),
    }
}

#[cfg(test)]
mod tests;
