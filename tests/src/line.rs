//! A TCP line to the database that can go dead without a word: a firewall that forgot a connection, a cable that was
//! pulled. What is sent is accepted and swallowed, nothing comes back, nothing is closed.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

use crate::{TestWorld, pgbouncer::PgBouncer};

/// The line. Connections that were there when it went dead stay dead when it is mended; new ones pass again.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    /// How often it went dead, and whether it is dead now.
    state: Arc<State>,
    /// So many more messages to the server pass before it goes dead.
    left: Arc<AtomicU64>,
}

impl Line {
    /// A line to the server that passes everything.
    pub async fn to(world: &TestWorld) -> Self {
        Self::to_socket(world.server_socket()).await
    }

    /// A line to a pooler that passes everything.
    pub async fn to_pooler(pooler: &PgBouncer) -> Self {
        Self::to_socket(pooler.socket()).await
    }

    async fn to_socket(server: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(watch::Sender::new((0, false)));
        let left = Arc::new(AtomicU64::new(u64::MAX));
        tokio::spawn(accept(listener, server, Arc::clone(&state), Arc::clone(&left)));
        Self { address, state, left }
    }

    /// Where it begins.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it swallows everything.
    pub fn go_dead(&self) {
        die(&self.state);
    }

    /// The same once so many messages have passed to the server.
    pub fn go_dead_after(&self, messages: u64) {
        self.left.store(messages, Ordering::SeqCst);
    }

    /// New connections pass again.
    pub fn mend(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
        self.state.send_modify(|(_, dead)| *dead = false);
    }
}

type State = watch::Sender<(u32, bool)>;

fn die(state: &State) {
    state.send_modify(|(times, dead)| (*times, *dead) = (*times + 1, true));
}

async fn accept(listener: TcpListener, server: PathBuf, line: Arc<State>, left: Arc<AtomicU64>) {
    while let Ok((near, _)) = listener.accept().await {
        let (line, left) = (Arc::clone(&line), Arc::clone(&left));
        let mut state = line.subscribe();
        let (times, dead) = *state.borrow_and_update();
        let server = server.clone();
        tokio::spawn(async move {
            if dead {
                swallow(near).await;
                return;
            }
            let Ok(far) = UnixStream::connect(server).await else { return };
            let (mut near_in, mut near_out) = near.into_split();
            let (mut far_in, mut far_out) = far.into_split();
            let went_dead = state.wait_for(|(now, _)| *now != times);
            let count = || {
                let before =
                    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                if before.is_err() {
                    die(&line);
                }
                before.is_ok()
            };
            tokio::select! {
                () = pass(&mut near_in, &mut far_out, count) => return,
                () = pass(&mut far_in, &mut near_out, || true) => return,
                _ = went_dead => {}
            }
            // The server's side is gone, as its own keep-alive would find; the worker is told nothing.
            drop((far_in, far_out));
            let Ok(near) = near_in.reunite(near_out) else { return };
            swallow(near).await;
        });
    }
}

async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    may_pass: impl Fn() -> bool,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if read > 0 && !may_pass() {
            // The line is dead now, and this end of it is let go of.
            std::future::pending::<()>().await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Until the worker hangs up.
async fn swallow(mut near: TcpStream) {
    let mut buffer = vec![0; 16 << 10];
    while near.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
