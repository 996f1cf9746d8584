//! A way to the database that can be cut: a socket between the worker and the server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
};

use crate::TestWorld;

/// PostgreSQL's name for its socket at the port that the test server has.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

/// The way. While it is cut, connections end and new ones are refused.
#[derive(Debug)]
pub struct Way {
    folder: TempDir,
    open: Arc<watch::Sender<bool>>,
}

impl Way {
    /// A way that is open.
    #[must_use]
    pub fn to(world: &TestWorld) -> Self {
        let folder = TempDir::with_prefix("forgeos-test-way-").unwrap();
        let server = world.server_socket();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let open = Arc::new(watch::Sender::new(true));
        tokio::spawn(pass(listener, server, Arc::clone(&open)));
        Self { folder, open }
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

async fn pass(listener: UnixListener, server: PathBuf, open: Arc<watch::Sender<bool>>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut state = open.subscribe();
        if !*state.borrow_and_update() {
            continue;
        }
        let server = server.clone();
        tokio::spawn(async move {
            let Ok(mut far) = UnixStream::connect(server).await else { return };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = state.changed() => {}
            }
        });
    }
}
