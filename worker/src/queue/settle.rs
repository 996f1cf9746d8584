//! Writes what became of the jobs, in batches that grow with the load: a lone settlement is written at once, and what
//! arrives while a batch is on its way makes up the next one. Nothing is dropped in an outage; a row that the database
//! refuses is written again alone, without what it refused.

use std::{sync::Arc, time::Duration};

use forgeos_core::{
    ErrorCode, JobId, Lease, WorkerId,
    db::{
        Db, DbError, DbResult,
        queue::{self, Completion, Ending},
        within,
    },
};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};
use tracing::{error, warn};

use super::leases::Leases;
use crate::outcome::Settlement;

/// Most settlements in one statement.
const BATCH: usize = 1_000;
/// Batches on their way at once: the second one hides the commit of the first.
const WRITERS: usize = 2;
/// After this long without an answer a batch is written again, on another connection.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a job that runs alone waits for what others have decided to be written, and how often it looks.
const SETTLED_PATIENCE: Duration = Duration::from_secs(5);
const SETTLED_LOOK: Duration = Duration::from_millis(5);

/// Where settlements are handed in; clones share it.
#[derive(Debug, Clone)]
pub struct Settler {
    leases: Leases,
    queue: mpsc::UnboundedSender<(Lease, Settlement)>,
}

impl Settler {
    /// Hands in a settlement. The lease is kept alive until it is written.
    pub fn send(&self, lease: Lease, settlement: Settlement) {
        self.leases.settling(lease);
        if self.queue.send((lease, settlement)).is_err() {
            error!(job.id = %lease.job, "a settlement came after the last one was written; the lease will run out");
        }
    }
}

impl Settler {
    /// Waits until this process holds no other lease, for a while: what was decided may still be on its way to the
    /// database, and would be lost with the process.
    pub async fn others_are_settled(&self, lease: Lease) {
        let others = async {
            while self.leases.all().iter().any(|(job, _)| *job != lease.job) {
                tokio::time::sleep(SETTLED_LOOK).await;
            }
        };
        let _ = tokio::time::timeout(SETTLED_PATIENCE, others).await;
    }
}

/// The writers; they end when every [`Settler`] is gone and all is written.
#[derive(Debug)]
pub struct SettleWriters(JoinSet<()>);

impl SettleWriters {
    /// Waits for the last write.
    pub async fn finish(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Starts the writers.
#[must_use]
pub fn start(db: Db, worker: WorkerId, leases: Leases) -> (Settler, SettleWriters) {
    let (queue, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let writer = Writer { db: db.clone(), worker, leases: leases.clone(), queue: Arc::clone(&receiver) };
        writers.spawn(writer.run());
    }
    (Settler { leases, queue }, SettleWriters(writers))
}

struct Writer {
    db: Db,
    worker: WorkerId,
    leases: Leases,
    queue: Arc<Mutex<mpsc::UnboundedReceiver<(Lease, Settlement)>>>,
}

impl Writer {
    async fn run(self) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let received = self.queue.lock().await.recv_many(&mut batch, BATCH).await;
            if received == 0 {
                return;
            }
            let leases: Vec<Lease> = batch.iter().map(|(lease, _)| *lease).collect();
            let mut completions = Vec::new();
            let mut endings = Vec::new();
            for (_, settlement) in batch.drain(..) {
                metrics::counter!(crate::metrics::JOBS_SETTLED, "outcome" => settlement.word()).increment(1);
                match settlement {
                    Settlement::Complete(completion) => completions.push(completion),
                    Settlement::End(ending) | Settlement::Wait(ending) => endings.push(ending),
                    Settlement::Nothing => {}
                }
            }
            if !completions.is_empty() {
                let late = self.write_completions(completions).await;
                endings.extend(late);
            }
            if !endings.is_empty() {
                self.write_endings(endings).await;
            }
            self.leases.remove(leases);
        }
    }

    /// Writes completions; answers last words for those that were cancelled in the meantime.
    async fn write_completions(&self, completions: Vec<Completion>) -> Vec<Ending> {
        let held = match self.persist(Batch::Completions(&completions)).await {
            Ok(held) => held,
            Err(refusal) if completions.len() == 1 => {
                return completions.iter().map(|c| refused_completion(c, &refusal)).collect();
            }
            Err(_) => {
                let mut late = Vec::new();
                for completion in completions {
                    late.extend(Box::pin(self.write_completions(vec![completion])).await);
                }
                return late;
            }
        };
        if held.len() == completions.len() {
            return Vec::new();
        }
        let held: std::collections::HashSet<JobId> = held.into_iter().collect();
        completions
            .into_iter()
            .filter(|c| !held.contains(&c.lease.job))
            .map(|c| Ending {
                lease: c.lease,
                status: "cancelled",
                outcome: None,
                forgiven: false,
                delay_seconds: 0.0,
                results: c.results,
                error_code: None,
                error_message: None,
                error_chain: Vec::new(),
                started_at: None,
                progress: None,
            })
            .collect()
    }

    async fn write_endings(&self, endings: Vec<Ending>) {
        let written = self.persist(Batch::Endings(&endings)).await;
        match written {
            Ok(held) => {
                let lost = endings.len() - held.len();
                if lost > 0 {
                    metrics::counter!(crate::metrics::LEASES_LOST).increment(lost as u64);
                }
            }
            Err(refusal) if endings.len() == 1 => {
                for ending in endings {
                    let (job, had_results) = (ending.lease.job, ending.results.is_some());
                    error!(job.id = %job, error = %refusal, "the database refused to settle this job");
                    if had_results || !ending.error_chain.is_empty() {
                        let plain = Ending {
                            results: None,
                            error_message: ending.error_message.map(|m| printable(&m)),
                            error_chain: Vec::new(),
                            ..ending
                        };
                        Box::pin(self.write_endings(vec![plain])).await;
                    }
                }
            }
            Err(_) => {
                for ending in endings {
                    Box::pin(self.write_endings(vec![ending])).await;
                }
            }
        }
    }

    /// Runs one statement until the database has taken or refused it. Answers the jobs whose lease still held.
    async fn persist(&self, batch: Batch<'_>) -> DbResult<Vec<JobId>> {
        let mut pause = Duration::from_millis(50);
        loop {
            let attempt = within(PATIENCE, async {
                let mut session = self.db.session().await?;
                let held = match batch {
                    Batch::Completions(batch) => queue::complete(&mut session, self.worker, batch).await?,
                    Batch::Endings(batch) => queue::end(&mut session, self.worker, batch).await?,
                };
                session.finish().await?;
                Ok::<_, DbError>(held)
            });
            match attempt.await {
                Ok(held) => return Ok(held),
                Err(refusal @ DbError::Refused { .. }) => return Err(refusal),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    warn!(error = %error, cause, jobs = batch.len(), "cannot settle jobs now, will try again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }
}

/// What one statement writes.
#[derive(Clone, Copy)]
enum Batch<'a> {
    Completions(&'a [Completion]),
    Endings(&'a [Ending]),
}

impl Batch<'_> {
    fn len(self) -> usize {
        match self {
            Self::Completions(batch) => batch.len(),
            Self::Endings(batch) => batch.len(),
        }
    }
}

fn refused_completion(completion: &Completion, refusal: &DbError) -> Ending {
    error!(job.id = %completion.lease.job, error = %refusal, "the database refused the results of this job");
    Ending {
        lease: completion.lease,
        status: "failed",
        outcome: Some("failed"),
        forgiven: false,
        delay_seconds: 0.0,
        results: None,
        error_code: Some(ErrorCode::Internal.as_str()),
        error_message: Some("the database refused the results of this job".to_owned()),
        error_chain: vec![printable(&refusal.to_string())],
        started_at: None,
        progress: None,
    }
}

/// PostgreSQL's text holds no NUL.
fn printable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
