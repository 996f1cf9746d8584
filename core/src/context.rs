//! What a handler is given: everything it may touch, and nothing of the engine.

use std::sync::Arc;

use crate::{
    cancel::{Stop, StopReason},
    compute::Compute,
    db::Db,
    error::{ErrorCode, JobError},
    job::{ClaimedJob, Lease},
    progress::Progress,
    resources::Resources,
    storage::Storage,
};

/// The surroundings of one attempt.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// The row as it was claimed.
    pub job: Arc<ClaimedJob>,
    /// The database, through the handlers' pool.
    pub db: Db,
    /// The object store.
    pub storage: Storage,
    /// The threads for CPU work.
    pub compute: Compute,
    /// What the handlers share besides.
    pub resources: Resources,
    /// How far the job is.
    pub progress: Progress,
    /// Whether it should stop.
    pub stop: Stop,
}

impl JobContext {
    /// The right to write.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.job.lease
    }

    /// An error once the job should stop; what it becomes of the job is decided by the stop's reason, not by it.
    pub fn check_stop(&self) -> Result<(), JobError> {
        match self.stop.reason() {
            None => Ok(()),
            Some(StopReason::TimedOut) => {
                Err(JobError::transient(ErrorCode::TimedOut, "the job ran over its time limit"))
            }
            Some(reason) => {
                Err(JobError::transient(ErrorCode::Internal, format!("the job was stopped because {reason}")))
            }
        }
    }
}
