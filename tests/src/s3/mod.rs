//! An S3 server on the loopback, for tests: what the worker asks of a store, by the rules of the protocol.
//!
//! It keeps objects in memory and is strict where a real store is: every request must be signed (Signature Version 4)
//! with the right key over what really arrived, parts but the last have 5 MiB at least, an upload is completed with the
//! tags of its parts in order, and is nowhere to be seen before. It tells what a real store hardly tells, how many
//! uploads are open, and fails, refuses or keeps waiting when a test says so. It has no versions and no
//! rights, because the worker asks for none.

mod project_links;
mod requests;
mod signature;
mod store;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit};
use forgeos_core::storage::{StorageSettings, SupabaseEnvironment};
use tokio::sync::{oneshot, watch};

pub use store::Damage;
use store::Store;

/// The only key that a plain store knows.
pub const ACCESS_KEY_ID: &str = "test-key";
const REGION: &str = "eu-north-1";

/// What a request must carry, and where it must go.
#[derive(Debug, Clone, Copy)]
struct Gate {
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: Option<&'static str>,
    /// Before every bucket's name.
    root: &'static str,
}

const PLAIN: Gate = Gate {
    access_key_id: ACCESS_KEY_ID,
    secret_access_key: "test-secret/with+signs=",
    session_token: None,
    root: "/",
};

/// As Supabase's storage server has it for the keys of a project.
const SUPABASE: Gate = Gate {
    access_key_id: "abcdefghijklmnop",
    secret_access_key: "anon.key.of-the-project",
    session_token: Some("service.key.of-the-project"),
    root: "/storage/v1/s3/",
};

/// The running server; it ends when this is dropped.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    gate: Gate,
    store: Mutex<Store>,
    /// Whether parts wait instead of being answered.
    parts_wait: watch::Sender<bool>,
    trouble: Mutex<Trouble>,
}

/// What is wrong with the store as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// Every request fails.
    Failing,
    /// There is no room for anything new.
    Full,
    /// Every answer takes this long.
    Slow(Duration),
    /// What is read ends in its middle, and so does the connection.
    Truncated,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> Trouble {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl S3 {
    /// Starts one with the buckets of the worker, on a thread of its own.
    #[must_use]
    pub fn start() -> Self {
        Self::behind(PLAIN)
    }

    /// The same as Supabase has it: below `/storage/v1/s3`, for the keys of a project with their session token.
    #[must_use]
    pub fn supabase() -> Self {
        Self::behind(SUPABASE)
    }

    fn behind(gate: Gate) -> Self {
        let shared = Arc::new(Shared {
            gate,
            store: Mutex::default(),
            parts_wait: watch::Sender::new(false),
            trouble: Mutex::default(),
        });
        let (started, starting) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = Router::new()
            .fallback(requests::answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                started.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, routes).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address: starting.recv().unwrap(), shared, stop: Some(stop), thread: Some(thread) }
    }

    /// What a worker is told to use it.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("FORGEOS__STORAGE__URL", "s3://".to_owned()),
            ("FORGEOS__STORAGE__ENDPOINT", self.address()),
            ("FORGEOS__STORAGE__REGION", REGION.to_owned()),
            ("FORGEOS__STORAGE__ACCESS_KEY_ID", PLAIN.access_key_id.to_owned()),
            ("FORGEOS__STORAGE__SECRET_ACCESS_KEY", PLAIN.secret_access_key.to_owned()),
        ]
    }

    /// The environment of who uses a Supabase project, as far as its storage goes; only of [`S3::supabase`].
    #[must_use]
    pub fn project(&self) -> [(&'static str, String); 5] {
        [
            ("SUPABASE_URL", self.address()),
            ("SUPABASE_PROJECT_REF", SUPABASE.access_key_id.to_owned()),
            ("SUPABASE_REGION", REGION.to_owned()),
            ("SUPABASE_ANON_KEY", SUPABASE.secret_access_key.to_owned()),
            ("SUPABASE_SERVICE_KEY", SUPABASE.session_token.unwrap_or_default().to_owned()),
        ]
    }

    /// The same as settings of the storage, with the `storage.url` that is wanted.
    #[must_use]
    pub fn storage_settings(&self, url: &str) -> StorageSettings {
        let gate = self.shared.gate;
        let settings = StorageSettings { url: Some(url.to_owned()), ..StorageSettings::default() };
        if gate.session_token.is_some() {
            return settings.with_supabase(&SupabaseEnvironment {
                url: Some(self.address()),
                project_ref: Some(gate.access_key_id.to_owned()),
                region: Some(REGION.to_owned()),
                anon_key: Some(gate.secret_access_key.into()),
                service_key: gate.session_token.map(Into::into),
            });
        }
        StorageSettings {
            endpoint: Some(self.address()),
            region: Some(REGION.to_owned()),
            access_key_id: Some(gate.access_key_id.to_owned()),
            secret_access_key: Some(gate.secret_access_key.into()),
            ..settings
        }
    }

    /// Where it answers, as a URL without a path.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bytes of an object.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.shared.store().object(&format!("{bucket}/{key}")).map(|object| object.bytes.to_vec())
    }

    /// Puts an object, past all trouble.
    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let bytes = axum::body::Bytes::copy_from_slice(bytes);
        self.shared.store().put(&format!("{bucket}/{key}"), bytes, "application/octet-stream".to_owned(), 0);
    }

    /// From now on this is wrong with it.
    pub fn trouble(&self, trouble: Trouble) {
        *self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// The media type of an object.
    #[must_use]
    pub fn mime_type(&self, bucket: &str, key: &str) -> Option<String> {
        self.shared.store().object(&format!("{bucket}/{key}")).map(|object| object.mime_type.clone())
    }

    /// In how many parts an object came; 0 for one that was put whole.
    #[must_use]
    pub fn parts(&self, bucket: &str, key: &str) -> Option<usize> {
        self.shared.store().object(&format!("{bucket}/{key}")).map(|object| object.parts)
    }

    /// Every object, as `bucket/key`.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        self.shared.store().names().map(str::to_owned).collect()
    }

    /// Uploads that were begun and neither completed nor aborted.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.shared.store().open_uploads()
    }

    /// Parts that lie in open uploads.
    #[must_use]
    pub fn waiting_parts(&self) -> usize {
        self.shared.store().waiting_parts()
    }

    /// From now on this many parts are refused as a store that is busy refuses them.
    pub fn refuse_parts(&self, times: usize) {
        self.shared.store().refusals = times;
    }

    /// Whether every part that was to be refused has been.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        self.shared.store().refusals == 0
    }

    /// From now on new objects come out otherwise than they went in.
    pub fn damage(&self, damage: Damage) {
        self.shared.store().damage = damage;
    }

    /// Keeps parts waiting for their answers, or no longer.
    pub fn hold_parts(&self, held: bool) {
        self.shared.parts_wait.send_replace(held);
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
