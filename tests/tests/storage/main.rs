//! One suite for every kind of store: what jobs rely on, whatever lies behind.
//!
//! The stores of the S3 kind are [`S3`] servers on the loopback, which check signatures as a real one does; [`moto`] runs
//! the same against a server of others, in a process of its own.
#![allow(clippy::unwrap_used)]

mod moto;

use bytes::Bytes;
use forgeos_core::storage::{Bucket, Key, KeyError, Storage, StorageError, StorageSettings};
use forgeos_tests::{Moto, S3, http::read, s3::Damage};
use futures::TryStreamExt;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A store, and what only the test knows of it.
struct Place {
    storage: Storage,
    folder: TempDir,
    server: Option<Server>,
    /// What stands before `bucket/key` in the server.
    within: &'static str,
    /// What a client is told of `outputs/u/a b.jpg`.
    url: String,
}

/// What answers at the other end.
enum Server {
    Ours(S3),
    Moto(Moto),
}

impl Server {
    fn address(&self) -> String {
        match self {
            Self::Ours(server) => server.address(),
            Self::Moto(server) => server.address(),
        }
    }

    fn storage_settings(&self, url: &str) -> StorageSettings {
        match self {
            Self::Ours(server) => server.storage_settings(url),
            Self::Moto(server) => server.storage_settings(url),
        }
    }

    fn parts(&self, bucket: &str, key: &str) -> Option<usize> {
        match self {
            Self::Ours(server) => server.parts(bucket, key),
            Self::Moto(server) => server.parts(bucket, key),
        }
    }

    fn open_uploads(&self) -> usize {
        match self {
            Self::Ours(server) => server.open_uploads(),
            Self::Moto(server) => server.open_uploads(),
        }
    }

    fn mime_type(&self, bucket: &str, key: &str) -> Option<String> {
        match self {
            Self::Ours(server) => server.mime_type(bucket, key),
            Self::Moto(server) => server.mime_type(bucket, key),
        }
    }
}

fn local(public_url: Option<&str>) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(&StorageSettings::default(), folder.path(), public_url).unwrap();
    let root = folder.path().canonicalize().unwrap();
    let url = match public_url {
        None => format!("file://{}/storage/outputs/u/a%20b.jpg", root.display()),
        Some(base) => format!("{base}/files/outputs/u/a%20b.jpg"),
    };
    Place { storage, folder, server: None, within: "", url }
}

fn remote(server: Server, url: &str, within: &'static str, shown: String, public_url: Option<&str>) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        StorageSettings { public_url: public_url.map(str::to_owned), ..server.storage_settings(url) };
    let storage = Storage::open(&settings, folder.path(), None).unwrap();
    Place { storage, folder, server: Some(server), within, url: shown }
}

fn five_buckets(server: Server) -> Place {
    remote(server, "s3://", "", "s3://outputs/u/a b.jpg".into(), None)
}

fn one_bucket_with_a_prefix(server: Server) -> Place {
    let url = "s3://everything/all/ours";
    remote(server, url, "everything/all/ours/", format!("{url}/outputs/u/a b.jpg"), None)
}

fn behind_a_public_url() -> Place {
    let base = "https://cdn.example";
    remote(Server::Ours(S3::start()), "s3://", "", format!("{base}/outputs/u/a%20b.jpg"), Some(base))
}

fn supabase() -> Place {
    let server = S3::supabase();
    let url = format!("{}/storage/v1/object/authenticated/outputs/u/a%20b.jpg", server.address());
    remote(Server::Ours(server), "supabase", "", url, None)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

async fn listed(storage: &Storage, bucket: Bucket, folder: Option<&str>) -> Vec<String> {
    let found = storage.list(bucket, folder.map(key).as_ref());
    let mut names: Vec<String> = found.map_ok(|object| object.key.to_string()).try_collect().await.unwrap();
    names.sort();
    names
}

impl Place {
    async fn conforms(self) {
        self.puts_reads_lists_and_deletes().await;
        self.takes_every_name_that_a_key_may_have().await;
        self.says_what_is_wrong().await;
        self.takes_large_objects_in_parts_and_shows_them_whole().await;
        self.keeps_types_and_has_links_that_last().await;
        drop(self.folder);
    }

    async fn puts_reads_lists_and_deletes(&self) {
        let storage = &self.storage;
        for bucket in Bucket::ALL {
            storage.probe(bucket).await.unwrap();
            assert!(listed(storage, bucket, None).await.is_empty());
        }
        let name = key("u/job/1/a.jpg");
        for bytes in [&b"abc"[..], b"", b"abcdef"] {
            let stored =
                storage.put(Bucket::Outputs, &name, Bytes::copy_from_slice(bytes), "image/jpeg").await;
            let stored = stored.unwrap();
            assert_eq!((stored.size_bytes, stored.verified), (bytes.len() as u64, true));
            assert_eq!(stored.sha256, hex::encode(Sha256::digest(bytes)));
            assert_eq!(storage.get_limited(Bucket::Outputs, &name, 6).await.unwrap(), bytes);
            assert_eq!(storage.head(Bucket::Outputs, &name).await.unwrap().size_bytes, bytes.len() as u64);
            let (size, sha256) = storage.checksum(Bucket::Outputs, &name).await.unwrap();
            assert_eq!((size, sha256), (stored.size_bytes, stored.sha256));
        }
        let beside = key("user/b.jpg");
        storage.put(Bucket::Outputs, &beside, Bytes::from_static(b"x"), "image/jpeg").await.unwrap();
        storage.put(Bucket::Images, &key("u/c.jpg"), Bytes::from_static(b"x"), "image/jpeg").await.unwrap();
        assert_eq!(listed(storage, Bucket::Outputs, None).await, ["u/job/1/a.jpg", "user/b.jpg"]);
        assert_eq!(
            listed(storage, Bucket::Outputs, Some("u")).await,
            ["u/job/1/a.jpg"],
            "a folder, no prefix"
        );
        assert_eq!(listed(storage, Bucket::Images, Some("u")).await, ["u/c.jpg"]);
        assert!(!storage.exists(Bucket::Images, &name).await.unwrap(), "buckets are apart");
        for (bucket, name) in
            [(Bucket::Outputs, &name), (Bucket::Outputs, &beside), (Bucket::Images, &key("u/c.jpg"))]
        {
            storage.delete(bucket, name).await.unwrap();
            storage.delete(bucket, name).await.unwrap();
            assert!(!storage.exists(bucket, name).await.unwrap());
        }
        assert!(listed(storage, Bucket::Outputs, None).await.is_empty());
    }

    async fn takes_every_name_that_a_key_may_have(&self) {
        let mut names: Vec<String> = [
            "u/blå (1).jpg",
            "u/a b/c+d&e=f?g#h.png",
            "u/~!@$^*'\"[]{}|<>;:,.txt",
            "u/日本語/写真.webp",
            "u/e\u{301}.jpg",
            "u/😀.jpg",
            "u/.hidden",
            "u/x..y",
            "u/...",
            "u/trailing ",
        ]
        .map(str::to_owned)
        .to_vec();
        names.push(format!("u/{}", "n".repeat(200)));
        names.sort();
        for (place, name) in names.iter().enumerate() {
            let bytes = Bytes::from(vec![b'x'; place]);
            self.storage.put(Bucket::Images, &key(name), bytes, "image/jpeg").await.unwrap();
        }
        for (place, name) in names.iter().enumerate() {
            let read = self.storage.get_limited(Bucket::Images, &key(name), 99).await;
            assert_eq!(read.unwrap().len(), place, "{name}");
        }
        assert_eq!(listed(&self.storage, Bucket::Images, None).await, names);
        for name in &names {
            self.storage.delete(Bucket::Images, &key(name)).await.unwrap();
        }
        assert!(listed(&self.storage, Bucket::Images, None).await.is_empty());
        for (refused, why) in [
            ("", KeyError::EmptyPart),
            ("/u/a", KeyError::EmptyPart),
            ("u//a", KeyError::EmptyPart),
            ("u/", KeyError::EmptyPart),
            ("u/../v/a", KeyError::RelativePart),
            ("./u/a", KeyError::RelativePart),
            ("u\\..\\v", KeyError::ForbiddenCharacter),
            ("u/%2e%2e/v", KeyError::ForbiddenCharacter),
            ("u/a\n", KeyError::ForbiddenCharacter),
        ] {
            assert_eq!(Key::parse(refused), Err(why), "{refused:?}");
        }
    }

    async fn says_what_is_wrong(&self) {
        let storage = &self.storage;
        storage.put(Bucket::Images, &key("u/a/b"), Bytes::from_static(b"abcd"), "image/png").await.unwrap();
        for absent in ["u/none", "none/at/all", "u/a", "u/a/b/c"] {
            let found = storage.get_limited(Bucket::Images, &key(absent), 9).await;
            assert!(matches!(found, Err(StorageError::NotFound)), "{absent}: {found:?}");
            assert!(matches!(storage.head(Bucket::Images, &key(absent)).await, Err(StorageError::NotFound)));
        }
        let large = storage.get_limited(Bucket::Images, &key("u/a/b"), 3).await;
        assert!(matches!(large, Err(StorageError::TooLarge { limit: 3 })), "{large:?}");
        assert_eq!(storage.get_limited(Bucket::Images, &key("u/a/b"), 4).await.unwrap(), "abcd");
        storage.delete(Bucket::Images, &key("u/a/b")).await.unwrap();
    }

    async fn takes_large_objects_in_parts_and_shows_them_whole(&self) {
        let storage = &self.storage;
        let name = key("u/job/1/large.csv");
        let bytes: Vec<u8> =
            (0..21_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut upload = storage.upload(Bucket::Exports, &name, "text/csv").await.unwrap();
        for chunk in bytes.chunks(777_777) {
            upload.write(chunk).await.unwrap();
            assert!(!storage.exists(Bucket::Exports, &name).await.unwrap(), "half of it is nowhere");
        }
        assert!(listed(storage, Bucket::Exports, Some("u")).await.is_empty());
        let stored = upload.finish().await.unwrap();
        assert_eq!((stored.size_bytes, stored.verified), (bytes.len() as u64, true));
        assert_eq!(stored.sha256, hex::encode(Sha256::digest(&bytes)));
        let read = storage.get_limited(Bucket::Exports, &name, stored.size_bytes).await.unwrap();
        assert!(read == bytes, "other bytes came back");
        if let Some(server) = &self.server {
            let (bucket, path) = self.in_server("exports", name.as_str());
            assert!(server.parts(&bucket, &path).unwrap() > 1);
        }

        let mut given_up =
            storage.upload(Bucket::Exports, &key("u/job/1/other.csv"), "text/csv").await.unwrap();
        given_up.write(&bytes).await.unwrap();
        given_up.abort().await;
        assert_eq!(listed(storage, Bucket::Exports, None).await, [name.as_str()]);
        assert_eq!(self.server.as_ref().map_or(0, Server::open_uploads), 0);
        storage.delete(Bucket::Exports, &name).await.unwrap();
    }

    async fn keeps_types_and_has_links_that_last(&self) {
        let (storage, name) = (&self.storage, key("u/a b.jpg"));
        storage.put(Bucket::Outputs, &name, Bytes::from_static(b"x"), "image/jpeg").await.unwrap();
        let mut upload = storage.upload(Bucket::Reports, &name, "application/pdf").await.unwrap();
        upload.write(&vec![b'x'; 6_000_000]).await.unwrap();
        upload.finish().await.unwrap();
        if let Some(server) = &self.server {
            for (bucket, mime) in [("outputs", "image/jpeg"), ("reports", "application/pdf")] {
                let (bucket, path) = self.in_server(bucket, name.as_str());
                assert_eq!(server.mime_type(&bucket, &path).as_deref(), Some(mime));
            }
        }
        assert_eq!(storage.url(Bucket::Outputs, &name), self.url);
        let minute = std::time::Duration::from_secs(60);
        let signed = storage.signed_url(Bucket::Outputs, &name, minute).await.unwrap();
        match &self.server {
            Some(server) if storage.kind() == "supabase" => {
                let place = format!("{}/storage/v1/object/sign/outputs/u/a%20b.jpg?token=", server.address());
                assert!(signed.starts_with(&place), "{signed}");
                let settings = server.storage_settings("supabase");
                for secret in [&settings.session_token, &settings.secret_access_key] {
                    assert!(
                        !signed.contains(secret.as_ref().unwrap().expose_secret()),
                        "a key of the project"
                    );
                }
                let answer = read(&signed).unwrap();
                assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/jpeg")));
                let none = storage.signed_url(Bucket::Outputs, &key("u/none"), minute).await;
                assert!(matches!(none, Err(StorageError::NotFound)), "{none:?}");
            }
            Some(server) => {
                assert!(
                    signed.starts_with(&server.address()) && signed.contains("X-Amz-Signature="),
                    "{signed}"
                );
                if let Server::Moto(server) = server {
                    assert_eq!(server.read(&signed), (200, Some("image/jpeg".to_owned()), b"x".to_vec()));
                }
            }
            None if self.url.starts_with("file:") => assert_eq!(signed, self.url),
            None => assert!(signed.starts_with(&format!("{}?expires=", self.url)), "{signed}"),
        }
    }

    /// Bucket and key as the server has them.
    fn in_server(&self, bucket: &str, key: &str) -> (String, String) {
        let whole = format!("{}{bucket}/{key}", self.within);
        let (bucket, key) = whole.split_once('/').unwrap();
        (bucket.to_owned(), key.to_owned())
    }
}

#[tokio::test]
async fn a_local_folder_conforms() {
    local(None).conforms().await;
}

#[tokio::test]
async fn a_local_folder_that_is_served_conforms() {
    local(Some("https://files.example")).conforms().await;
}

#[tokio::test]
async fn an_s3_store_with_five_buckets_conforms() {
    five_buckets(Server::Ours(S3::start())).conforms().await;
}

#[tokio::test]
async fn one_s3_bucket_with_a_prefix_conforms() {
    one_bucket_with_a_prefix(Server::Ours(S3::start())).conforms().await;
}

#[tokio::test]
async fn an_s3_store_behind_a_public_url_conforms() {
    behind_a_public_url().conforms().await;
}

#[tokio::test]
async fn supabases_s3_protocol_with_the_keys_of_the_project_conforms() {
    supabase().conforms().await;
}

#[tokio::test]
async fn a_small_object_that_the_store_cuts_does_not_count_as_written() {
    let server = S3::start();
    let storage =
        Storage::open(&server.storage_settings("s3://"), std::path::Path::new("unused"), None).unwrap();
    server.damage(Damage::Shorter);
    let cut = storage.put(Bucket::Outputs, &key("u/a"), Bytes::from_static(b"abcd"), "image/png").await;
    assert!(cut.as_ref().is_err_and(StorageError::is_outage), "{cut:?}");
}

#[tokio::test]
async fn a_missing_bucket_and_wrong_keys_are_named() {
    names_a_missing_bucket_and_wrong_keys(&Server::Ours(S3::start())).await;
    let server = S3::start();
    let settings = StorageSettings {
        session_token: Some("of another project".into()),
        ..server.storage_settings("s3://")
    };
    refuses_the_credentials(&settings).await;
}

async fn names_a_missing_bucket_and_wrong_keys(server: &Server) {
    let open =
        |settings: &StorageSettings| Storage::open(settings, std::path::Path::new("unused"), None).unwrap();
    let nowhere = open(&server.storage_settings("s3://nowhere"));
    let name = key("u/a");
    for error in [
        nowhere.get_limited(Bucket::Images, &name, 9).await.map(|_| ()).unwrap_err(),
        nowhere
            .put(Bucket::Images, &name, Bytes::from_static(b"x"), "image/png")
            .await
            .map(|_| ())
            .unwrap_err(),
        nowhere.probe(Bucket::Images).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the object store does not serve the worker: a bucket is missing");
    }
    let stranger =
        StorageSettings { access_key_id: Some("somebody".into()), ..server.storage_settings("s3://") };
    let guessed =
        StorageSettings { secret_access_key: Some("guessed".into()), ..server.storage_settings("s3://") };
    for settings in [stranger, guessed] {
        refuses_the_credentials(&settings).await;
    }
}

async fn refuses_the_credentials(settings: &StorageSettings) {
    let storage = Storage::open(settings, std::path::Path::new("unused"), None).unwrap();
    let error = storage.get_limited(Bucket::Images, &key("u/a"), 9).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(error, StorageError::Refused { reason: "its credentials are refused", .. }),
        "{error:?}"
    );
}
