//! What has to be done once, whoever does it: schedules fire, old logs go, files of deleted rows go, and, where the
//! settings say so, old jobs go. Every worker looks; the database says whose turn it is.

pub mod prune;
mod schedules;

use std::time::Duration;

use forgeos_core::{
    WorkerId,
    db::{Db, DbResult, upkeep},
    storage::Storage,
};
use tracing::{debug, info, warn};

use crate::settings::{RetentionSettings, ScheduleSettings};

/// How often a worker looks.
const EVERY: Duration = Duration::from_secs(10);
/// How often each task is done.
const PAUSE: Duration = Duration::from_secs(24 * 3600);
/// After an error.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(600);
/// A worker that dies in a task keeps it from the others for so long.
const HOLD: Duration = Duration::from_secs(3600);

/// What upkeep works with.
#[derive(Debug)]
pub struct Upkeep {
    /// This process.
    pub worker: WorkerId,
    /// The handlers' pool: upkeep is a job like theirs, and reads whole tables.
    pub db: Db,
    /// The object store.
    pub storage: Storage,
    /// What is old.
    pub retention: RetentionSettings,
    /// What is to be put into the queue, and when.
    pub schedules: Vec<ScheduleSettings>,
    /// How long a lease lasts: upkeep looks at least as often.
    pub lease: Duration,
}

impl Upkeep {
    /// Looks for ever.
    pub async fn run(self) {
        let mut out_of_reach = false;
        loop {
            // Spread, so that many processes do not look at the same moment.
            tokio::time::sleep(EVERY.min(self.lease).mul_f64(0.5 + 0.5 * fastrand::f64())).await;
            match self.look().await {
                Ok(()) => out_of_reach = false,
                Err(error) if !out_of_reach => {
                    out_of_reach = true;
                    warn!(%error, "upkeep cannot look now");
                }
                Err(_) => {}
            }
        }
    }

    async fn look(&self) -> DbResult<()> {
        schedules::fire_due(&self.db, &self.schedules).await?;
        if self.begin("prune").await? {
            let outcome =
                prune::Prune { db: &self.db, storage: &self.storage, retention: self.retention_now() };
            self.finish("prune", outcome.run().await).await?;
        }
        Ok(())
    }

    /// Without `retention.automatic` only what nobody reads any more goes.
    fn retention_now(&self) -> RetentionSettings {
        match self.retention.automatic {
            true => self.retention,
            false => RetentionSettings { completed_days: 0, failed_days: 0, ..self.retention },
        }
    }

    async fn begin(&self, task: &str) -> DbResult<bool> {
        let mut session = self.db.session().await?;
        let ours = upkeep::begin(&mut session, task, self.worker, HOLD.as_secs_f64()).await?;
        session.finish().await?;
        Ok(ours)
    }

    async fn finish(&self, task: &str, result: DbResult<prune::Pruned>) -> DbResult<()> {
        let (pause, outcome) = match result {
            Ok(pruned) if pruned.is_nothing() => (PAUSE, "nothing to do".to_owned()),
            Ok(pruned) => {
                info!(task, "{pruned}");
                (PAUSE, pruned.to_string())
            }
            Err(error) => {
                debug!(task, %error, "upkeep did not come to its end");
                (PAUSE_AFTER_ERROR, error.to_string())
            }
        };
        let mut session = self.db.session().await?;
        upkeep::finish(&mut session, task, self.worker, pause.as_secs_f64(), &outcome).await?;
        session.finish().await
    }
}
