//! The log of a job, kept in `job_logs` for its owner: what is said at info and above while an attempt runs.
//!
//! A handler says it with `tracing` like everything else; the layer here listens beside the process log, whatever that
//! one is set to show. Lines wait in a bounded queue and are written in batches by one task. A job never waits for its
//! log: what does not fit is counted and left out. Users read these rows, so the field `error`, whose causes may name
//! hosts and statements, stays in the process log and in `job_attempts`.

mod layer;
mod writer;

use std::sync::{PoisonError, RwLock};

use forgeos_core::db::job_logs::LogLine;
pub use layer::layer;
use tokio::sync::mpsc;
pub use writer::{LogWriter, start};

/// Lines that may wait to be written.
const QUEUE: usize = 4_096;
/// Lines of one attempt; the last one says that there were more.
const LINES_OF_AN_ATTEMPT: u32 = 1_000;
/// Length of a message or of its fields, in bytes.
const LENGTH: usize = 4_096;

/// Where lines go. Of the process, like the subscriber that feeds it.
static QUEUE_OF_THE_PROCESS: RwLock<Option<mpsc::Sender<LogLine>>> = RwLock::new(None);

/// Hands a line to the writer, if there is one and it has room.
fn say(line: LogLine) {
    let queue = QUEUE_OF_THE_PROCESS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(queue) = &*queue
        && queue.try_send(line).is_err()
    {
        metrics::counter!(crate::metrics::JOB_LOG_LINES_DROPPED).increment(1);
    }
}

fn set_queue(queue: Option<mpsc::Sender<LogLine>>) {
    *QUEUE_OF_THE_PROCESS.write().unwrap_or_else(PoisonError::into_inner) = queue;
}
