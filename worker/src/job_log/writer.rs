//! Writes the lines of jobs, many at a time.

use std::time::Duration;

use forgeos_core::db::{Db, DbResult, job_logs, within};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::debug;

use super::{LogLine, QUEUE, set_queue};

/// Most lines in one statement.
const BATCH: usize = 500;
/// Pause after a batch, in which the next one gathers.
const GATHER: Duration = Duration::from_millis(100);
/// Pause after a database that did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// After this long without an answer a batch is written again: a line may then stand there twice.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last lines may take at the end.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The task that writes; lines are taken while it lives.
#[derive(Debug)]
pub struct LogWriter(JoinHandle<()>);

/// Takes lines from now on.
#[must_use]
pub fn start(db: Db) -> LogWriter {
    let (queue, lines) = mpsc::channel(QUEUE);
    set_queue(Some(queue));
    LogWriter(tokio::spawn(write(db, lines)))
}

impl LogWriter {
    /// Takes no more lines and writes those that wait, as far as the database answers in time.
    pub async fn finish(mut self) {
        set_queue(None);
        if tokio::time::timeout(LAST_LINES, &mut self.0).await.is_err() {
            self.0.abort();
        }
    }
}

async fn write(db: Db, mut lines: mpsc::Receiver<LogLine>) {
    let mut batch = Vec::with_capacity(BATCH);
    while lines.recv_many(&mut batch, BATCH).await > 0 {
        while let Err(error) = insert(&db, &batch).await {
            debug!(%error, lines = batch.len(), "the log of jobs cannot be written now");
            if !error.is_outage() {
                for line in &batch {
                    // One line that the database refuses costs no other.
                    let _ = insert(&db, std::slice::from_ref(line)).await;
                }
                break;
            }
            tokio::time::sleep(RETRY).await;
        }
        batch.clear();
        if !lines.is_closed() {
            tokio::time::sleep(GATHER).await;
        }
    }
}

async fn insert(db: &Db, lines: &[LogLine]) -> DbResult<()> {
    within(PATIENCE, async {
        let mut session = db.session().await?;
        job_logs::insert(&mut session, lines).await?;
        session.finish().await
    })
    .await
}
