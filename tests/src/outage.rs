//! A way to the database that can be cut: sockets between the worker and the server, or the pooler before it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
};

use crate::{TestWorld, pgbouncer};

/// The port that the test server has; a socket's name ends in it.
const SERVER: u16 = 5432;

/// The way. While it is cut, connections end and new ones are refused.
#[derive(Debug)]
pub struct Way {
    folder: TempDir,
    open: Arc<watch::Sender<bool>>,
    passing: Arc<AtomicUsize>,
}

impl Way {
    /// A way that is open.
    #[must_use]
    pub fn to(world: &TestWorld) -> Self {
        let folder = TempDir::with_prefix("forgeos-test-way-").unwrap();
        let way = Self { folder, open: Arc::new(watch::Sender::new(true)), passing: Arc::default() };
        way.lead(&world.socket_folder(), SERVER);
        if let Some(pooler) = world.pooler {
            way.lead(pooler.folder(), pgbouncer::PORT);
        }
        way
    }

    fn lead(&self, to: &Path, port: u16) {
        let socket = format!(".s.PGSQL.{port}");
        let listener = UnixListener::bind(self.folder.path().join(&socket)).unwrap();
        tokio::spawn(pass(listener, to.join(socket), Arc::clone(&self.open), Arc::clone(&self.passing)));
    }

    /// How many connections it carries.
    #[must_use]
    pub fn passing(&self) -> usize {
        self.passing.load(Ordering::Relaxed)
    }

    /// The folder to give as host.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends all connections and refuses new ones.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Lets connections pass again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(
    listener: UnixListener,
    server: PathBuf,
    open: Arc<watch::Sender<bool>>,
    passing: Arc<AtomicUsize>,
) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut state = open.subscribe();
        if !*state.borrow_and_update() {
            continue;
        }
        let (server, passing) = (server.clone(), Arc::clone(&passing));
        tokio::spawn(async move {
            let Ok(mut far) = UnixStream::connect(server).await else { return };
            passing.fetch_add(1, Ordering::Relaxed);
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = state.changed() => {}
            }
            passing.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
