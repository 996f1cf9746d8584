//! Placeholder: what a process works with: pools, storage, threads.

use forgeos_core::{Compute, WorkerId, db::Db, storage::Storage};
use sqlx::postgres::PgConnectOptions;

/// Everything that is opened once and shared.
#[derive(Debug, Clone)]
pub struct Environment {
    /// This start of this process.
    pub worker: WorkerId,
    /// Claims, settles, sweeps: a small pool of the engine's own. The heartbeat opens a sibling of it, on its own thread.
    pub control: Db,
    /// The handlers' pool.
    pub handlers: Db,
    /// A direct connection for LISTEN, when there is one.
    pub listen: Option<PgConnectOptions>,
    /// The object store.
    pub storage: Storage,
    /// The threads for CPU work.
    pub compute: Compute,
    /// Where the HTTP server listens, for the row in `workers`.
    pub http_address: Option<String>,
}
