//! What a job is: its rows, its files and its rules.
//!
//! Knows nothing of apalis, of processes or of HTTP. Everything that speaks SQL is in [`db`], everything that reads or
//! writes files in [`storage`]; the measuring itself lives in crates of its own (`forgeos-imaging`) that know neither.

pub mod cancel;
pub mod compute;
pub mod context;
pub mod db;
pub mod error;
pub mod ids;
pub mod job;
pub mod progress;
pub mod resources;
pub mod status;
pub mod storage;

pub use cancel::{Stop, StopReason};
pub use compute::Compute;
pub use context::JobContext;
pub use error::{ErrorCode, JobError, Remedy};
pub use ids::{JobId, UserId, WorkerId};
pub use job::{ClaimedJob, Job, Lease};
pub use progress::{Progress, ProgressSnapshot};
pub use resources::Resources;
pub use status::JobStatus;
