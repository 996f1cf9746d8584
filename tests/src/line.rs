//! A TCP line to the database that can go dead without a word: a firewall that forgot a connection, a cable that was
//! pulled. What is sent is accepted and swallowed, nothing comes back, nothing is closed.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

use crate::TestWorld;

/// The line. Connections that were there when it went dead stay dead when it is mended; new ones pass again.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    /// How often it went dead, and whether it is dead now.
    state: Arc<watch::Sender<(u32, bool)>>,
}

impl Line {
    /// A line that passes everything.
    pub async fn to(world: &TestWorld) -> Self {
        let server = world.server_socket();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(watch::Sender::new((0, false)));
        tokio::spawn(accept(listener, server, Arc::clone(&state)));
        Self { address, state }
    }

    /// Where it begins.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it swallows everything.
    pub fn go_dead(&self) {
        self.state.send_modify(|(times, dead)| (*times, *dead) = (*times + 1, true));
    }

    /// New connections pass again.
    pub fn mend(&self) {
        self.state.send_modify(|(_, dead)| *dead = false);
    }
}

async fn accept(listener: TcpListener, server: PathBuf, state: Arc<watch::Sender<(u32, bool)>>) {
    while let Ok((near, _)) = listener.accept().await {
        let mut state = state.subscribe();
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
            tokio::select! {
                () = pass(&mut near_in, &mut far_out) => return,
                () = pass(&mut far_in, &mut near_out) => return,
                _ = went_dead => {}
            }
            // The server's side is gone, as its own keep-alive would find; the worker is told nothing.
            drop((far_in, far_out));
            let Ok(near) = near_in.reunite(near_out) else { return };
            swallow(near).await;
        });
    }
}

async fn pass(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
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
