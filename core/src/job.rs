//! What a job is to the engine, and what a job type is to the product.

use std::future::Future;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::JobContext,
    error::JobError,
    ids::{JobId, UserId, WorkerId},
};

/// The right to run and to write one attempt of one job. Every write after a claim proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token: raised at each claim, never lowered.
    pub attempt: i32,
    /// The worker boot that holds it.
    pub worker: WorkerId,
}

/// A row of `jobs` as it was claimed. Params are raw text: they are decoded in dispatch, so that one bad row fails
/// alone.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// The right to run it.
    pub lease: Lease,
    /// `jobs.job_type`.
    pub job_type: String,
    /// `jobs.params` as JSON text.
    pub params: Option<String>,
    /// The owner; `None` is a service job.
    pub user_id: Option<UserId>,
    /// Attempts that count: this one included, forgiven ones not.
    pub attempts_used: i32,
    /// The job's own limit or its type's.
    pub max_attempts: i32,
    /// `job_types.timeout_seconds`.
    pub timeout_seconds: i32,
    /// Leases lost so far.
    pub crashes: i32,
    /// `jobs.created_at`.
    pub created_at: DateTime<Utc>,
    /// When the job was claimed for the first time.
    pub first_started_at: DateTime<Utc>,
    /// When this attempt was claimed, by the database's clock.
    pub claimed_at: DateTime<Utc>,
    /// How long it had been due when it was claimed, in seconds.
    pub waited_seconds: f64,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
}

impl ClaimedJob {
    /// First folder of every key this job writes: the owner, or `service`.
    #[must_use]
    pub fn owner_folder(&self) -> String {
        self.user_id.map_or_else(|| "service".to_owned(), |u| u.to_string())
    }
}

/// A job type: the struct is its typed params.
pub trait Job: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The word in `jobs.job_type`.
    const NAME: &'static str;

    /// What is written to `jobs.results`.
    type Results: Serialize + JsonSchema + Send;

    /// What the types cannot say: lengths, ranges, combinations. The error names the field and what is allowed.
    fn validate(&self) -> Result<(), JobError> {
        Ok(())
    }

    /// Does the work. Looks at `ctx.stop` between items; when it stops early for a cancel, it returns an error that
    /// carries the partial results.
    fn run(&self, ctx: &JobContext) -> impl Future<Output = Result<Self::Results, JobError>> + Send;
}
