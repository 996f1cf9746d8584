//! An S3 server that others wrote, as a process of its own: moto, out of Python's package index.
//!
//! It checks keys and signatures of all that comes with an `Authorization`, and knows objects, parts and uploads as S3
//! does. `.ci/moto` installs it; a machine with Rust and PostgreSQL may lack it, so the tests that need it are `#[ignore]`d
//! and fail with one sentence when they are asked for in vain. What no store does of itself (faults, damage) is the part of
//! our own [`S3`](crate::S3). Each one is a process of its own and ends with the test.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use forgeos_core::storage::StorageSettings;
use tempfile::TempDir;

use crate::{
    http::{self, Answer},
    process::end_with_the_test,
};

/// Names the program `moto_server`; without it the places of `.ci/moto` and `PATH` are looked at.
pub const PROGRAM: &str = "FORGEOS_TEST_MOTO";

const REGION: &str = "us-east-1";

/// A running server with the five buckets of the worker and `everything`; it takes the keys of one user, and nobody else.
#[derive(Debug)]
pub struct Moto {
    address: SocketAddr,
    access_key_id: String,
    secret_access_key: String,
    process: Child,
    folder: TempDir,
}

impl Moto {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let program = Self::program().unwrap_or_else(|| {
            panic!("this test needs moto's S3 server; `.ci/moto` installs it and says where it is")
        });
        let folder = TempDir::with_prefix("forgeos-test-moto-").unwrap();
        // Somebody may take a port that was free a moment ago.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            if let Some(process) = start(&program, free, &folder) {
                let mut moto = Self {
                    address: free,
                    access_key_id: String::new(),
                    secret_access_key: String::new(),
                    process,
                    folder,
                };
                moto.furnish();
                return moto;
            }
        }
        panic!("moto does not start: {}", words(&folder));
    }

    /// Where the program is, if it is.
    #[must_use]
    pub fn program() -> Option<PathBuf> {
        if let Some(named) = std::env::var_os(PROGRAM) {
            return Some(named.into()).filter(|program: &PathBuf| program.is_file());
        }
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
        let path = std::env::var_os("PATH").unwrap_or_default();
        cache
            .map(|cache| cache.join("forgeos-moto/bin"))
            .into_iter()
            .chain(std::env::split_paths(&path))
            .map(|folder| folder.join("moto_server"))
            .find(|program| program.is_file())
    }

    /// A user with a key, buckets, and from then on nothing without that key.
    fn furnish(&mut self) {
        self.lock(false);
        for bucket in ["images", "outputs", "reports", "models", "exports", "everything"] {
            assert_eq!(self.ask("PUT", &format!("/{bucket}"), "", "").status, 200);
        }
        let iam = |words: &str| {
            let headers = addressed("iam") + "Content-Type: application/x-www-form-urlencoded\r\n";
            let answer = self.ask("POST", "/", &headers, &format!("Version=2010-05-08&{words}"));
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.text()
        };
        iam("Action=CreateUser&UserName=worker");
        let key = iam("Action=CreateAccessKey&UserName=worker");
        let everything =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        let policy: String = url::form_urlencoded::byte_serialize(everything.as_bytes()).collect();
        iam(&format!("Action=PutUserPolicy&UserName=worker&PolicyName=all&PolicyDocument={policy}"));
        let between = |tag: &str| {
            let rest = key.split_once(&format!("<{tag}>")).unwrap().1;
            rest.split_once('<').unwrap().0.to_owned()
        };
        (self.access_key_id, self.secret_access_key) = (between("AccessKeyId"), between("SecretAccessKey"));
        self.lock(true);
    }

    /// Whether it asks for keys. Signed links it reads only without asking: it knows no signature in a query.
    pub fn lock(&self, locked: bool) {
        let after = if locked { "0" } else { "inf" };
        assert_eq!(self.ask("POST", "/moto-api/reset-auth", "", after).status, 200);
    }

    /// How it is reached.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a worker is told to use it.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("FORGEOS__STORAGE__URL", "s3://".to_owned()),
            ("FORGEOS__STORAGE__ENDPOINT", self.address()),
            ("FORGEOS__STORAGE__REGION", REGION.to_owned()),
            ("FORGEOS__STORAGE__ACCESS_KEY_ID", self.access_key_id.clone()),
            ("FORGEOS__STORAGE__SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }

    /// The same as settings of the storage, with the `storage.url` that is wanted.
    #[must_use]
    pub fn storage_settings(&self, url: &str) -> StorageSettings {
        StorageSettings {
            url: Some(url.to_owned()),
            endpoint: Some(self.address()),
            region: Some(REGION.to_owned()),
            access_key_id: Some(self.access_key_id.clone()),
            secret_access_key: Some(self.secret_access_key.clone().into()),
            ..StorageSettings::default()
        }
    }

    /// The media type of an object.
    #[must_use]
    pub fn mime_type(&self, bucket: &str, key: &str) -> Option<String> {
        let answer = self.unlocked(|| self.ask("HEAD", &path(bucket, key), &addressed("s3"), ""));
        answer.header("content-type").map(str::to_owned)
    }

    /// In how many parts an object came; 0 for one that was put whole. Its tag tells.
    #[must_use]
    pub fn parts(&self, bucket: &str, key: &str) -> Option<usize> {
        let answer = self.unlocked(|| self.ask("HEAD", &path(bucket, key), &addressed("s3"), ""));
        let tag = answer.header("etag")?;
        Some(tag.trim_matches('"').split_once('-').map_or(0, |(_, parts)| parts.parse().unwrap()))
    }

    /// Uploads of all buckets that were begun and neither completed nor aborted.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.unlocked(|| {
            ["images", "outputs", "reports", "models", "exports", "everything"]
                .iter()
                .map(|bucket| {
                    let answer = self.ask("GET", &format!("/{bucket}?uploads"), &addressed("s3"), "");
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    answer.text().matches("<Upload>").count()
                })
                .sum()
        })
    }

    /// Reads a signed link as anybody would: status, media type, bytes.
    #[must_use]
    pub fn read(&self, link: &str) -> (u16, Option<String>, Vec<u8>) {
        let target = link.strip_prefix(&self.address()).unwrap();
        let answer = self.unlocked(|| self.ask("GET", target, "", ""));
        (answer.status, answer.header("content-type").map(str::to_owned), answer.body)
    }

    fn unlocked<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.lock(false);
        let answer = ask();
        self.lock(true);
        answer
    }

    fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let asked = http::ask(&self.address.to_string(), method, target, headers, body);
        asked.unwrap_or_else(|error| panic!("moto: {error}: {}", words(&self.folder)))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says which service is meant, and by whom, to a server that does not look at signatures now.
fn addressed(service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=setup/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=none\r\n"
    )
}

// Nothing else runs in a test that has no store yet.
#[allow(clippy::disallowed_methods)]
fn start(program: &std::path::Path, address: SocketAddr, folder: &TempDir) -> Option<Child> {
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut command = Command::new(program);
    command
        .args(["-H", &address.ip().to_string(), "-p", &address.port().to_string()])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .current_dir(folder.path());
    end_with_the_test(&mut command);
    let mut process = command.spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if process.try_wait().unwrap().is_some() {
            return None;
        }
        if http::ask(&address.to_string(), "GET", "/moto-api/", "", "")
            .is_ok_and(|answer| answer.status == 200)
        {
            return Some(process);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = process.kill();
    let _ = process.wait();
    None
}

fn path(bucket: &str, key: &str) -> String {
    let mut path = url::Url::parse("http://s3/").unwrap();
    path.path_segments_mut().unwrap().pop_if_empty().push(bucket).extend(key.split('/'));
    path.path().to_owned()
}

fn words(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join("log")).unwrap_or_default()
}
