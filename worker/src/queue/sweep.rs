//! Takes back jobs whose worker was lost. Every process sweeps; rows that another one is sweeping are passed by.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use forgeos_core::db::{Db, DbResult, queue};
use tokio::sync::Notify;
use tracing::{info, warn};

/// The third lost lease ends a job, whatever its `max_attempts`.
const MAX_CRASHES: i32 = 3;

/// What sweeping works with.
#[derive(Debug)]
pub struct Sweeper {
    /// The engine's pool.
    pub db: Db,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How often to look.
    pub every: Duration,
    /// Wakes the claim loop.
    pub claim: Arc<Notify>,
}

impl Sweeper {
    /// Sweeps for ever. Nothing is swept before one whole lease of unbroken contact: after an outage the holders get
    /// the time to renew first.
    pub async fn run(self) {
        let mut contact_since: Option<Instant> = None;
        loop {
            // Spread, so that many processes do not look at the same moment.
            tokio::time::sleep(self.every.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
            let in_contact = contact_since.is_some_and(|since| since.elapsed() >= self.lease);
            match self.look(in_contact).await {
                Ok(swept) => {
                    contact_since.get_or_insert_with(Instant::now);
                    for job in &swept {
                        info!(job.id = %job.job, job.type = job.job_type, status = job.status, crashes = job.crashes,
                              "took back a job whose worker was lost");
                    }
                    if !swept.is_empty() {
                        metrics::counter!(crate::metrics::JOBS_SWEPT).increment(swept.len() as u64);
                        self.claim.notify_one();
                    }
                }
                Err(error) => {
                    if contact_since.take().is_some() {
                        warn!(%error, "cannot look for lost jobs now");
                    }
                }
            }
        }
    }

    async fn look(&self, sweep: bool) -> DbResult<Vec<queue::Swept>> {
        let mut session = self.db.session().await?;
        let swept = if sweep {
            queue::close_abandoned_cancels(&mut session).await?;
            queue::sweep(&mut session, self.lease.as_secs_f64(), MAX_CRASHES).await?
        } else {
            queue::ping(&mut session).await?;
            Vec::new()
        };
        session.finish().await?;
        Ok(swept)
    }
}
