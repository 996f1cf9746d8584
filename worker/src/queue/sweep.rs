//! Takes back jobs whose worker was lost. Every process sweeps; rows that another one is sweeping are passed by.
//!
//! When that may be is not for a process to say: each look is noted in the database, and its statement sweeps only after
//! a whole lease of looks without a gap, whoever looked. See `forgeos.contact`.

use std::{sync::Arc, time::Duration};

use forgeos_core::db::{Db, DbResult, queue, within};
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::runtime::HealthState;

/// The third lost lease ends a job, whatever its `max_attempts`.
pub(crate) const MAX_CRASHES: i32 = 3;

/// A look that takes so long, and longer than a lease, is given up: its connection may be half-open.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// What sweeping works with.
#[derive(Debug)]
pub struct Sweeper {
    /// The engine's pool.
    pub db: Db,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How often to look; several times within the gap that ends a contact.
    pub every: Duration,
    /// Wakes the claim loop.
    pub claim: Arc<Notify>,
    /// Where it notes its contact with the database.
    pub health: Arc<HealthState>,
}

impl Sweeper {
    /// Looks for ever.
    pub async fn run(self) {
        let mut out_of_reach = false;
        loop {
            match self.look().await {
                Ok(swept) => {
                    out_of_reach = false;
                    self.health.contact();
                    for job in &swept {
                        info!(job.id = %job.job, job.type = job.job_type, status = job.status, crashes = job.crashes,
                              "took back a job whose worker was lost");
                    }
                    if !swept.is_empty() {
                        metrics::counter!(crate::metrics::JOBS_SWEPT).increment(swept.len() as u64);
                        self.claim.notify_one();
                    }
                }
                Err(error) if !out_of_reach => {
                    out_of_reach = true;
                    warn!(%error, "cannot look for lost jobs now");
                }
                Err(_) => {}
            }
            // Spread, so that many processes do not look at the same moment.
            tokio::time::sleep(self.every.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
        }
    }

    async fn look(&self) -> DbResult<Vec<queue::Swept>> {
        let lease_seconds = self.lease.as_secs_f64();
        within(self.lease.max(LOOK_LIMIT), async {
            let mut session = self.db.session().await?;
            queue::note_contact(&mut session, lease_seconds).await?;
            queue::close_abandoned_cancels(&mut session, lease_seconds).await?;
            let swept = queue::sweep(&mut session, lease_seconds, MAX_CRASHES).await?;
            session.finish().await?;
            Ok(swept)
        })
        .await
    }
}
