//! The names of the metrics, in one place. A job's id is never a label.

/// Counter: attempts settled, by `outcome`.
pub const JOBS_SETTLED: &str = "forgeos_jobs_settled_total";
/// Counter: jobs taken back from lost workers.
pub const JOBS_SWEPT: &str = "forgeos_jobs_swept_total";
/// Counter: settlements that came after their lease was lost.
pub const LEASES_LOST: &str = "forgeos_leases_lost_total";
/// Gauge: jobs under way, by `job_type`.
pub const JOBS_RUNNING: &str = "forgeos_jobs_running";
/// Histogram, seconds: from due to claimed, by `job_type`.
pub const JOB_WAIT_SECONDS: &str = "forgeos_job_wait_seconds";
/// Histogram, seconds: time of an attempt in its handler, by `job_type`.
pub const JOB_RUN_SECONDS: &str = "forgeos_job_run_seconds";
/// Histogram, seconds: a claim statement.
pub const CLAIM_SECONDS: &str = "forgeos_claim_seconds";
/// Histogram, seconds: a heartbeat statement.
pub const HEARTBEAT_SECONDS: &str = "forgeos_heartbeat_seconds";
