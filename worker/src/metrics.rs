//! The names of the metrics with what they mean, in one place, and the recorder behind `/metrics`. A job's id is never
//! a label.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

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
/// Counter: lines of jobs' logs that found no room.
pub const JOB_LOG_LINES_DROPPED: &str = "forgeos_job_log_lines_dropped_total";

/// Gauge with a fixed value of 1: the version, as a label.
pub const BUILD_INFO: &str = "forgeos_build_info";

/// Upper bounds of the histograms, in seconds: from a claim on a local socket to a long batch.
const SECONDS: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
    7200.0,
];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of this process, once; later calls return the same. `None` when another one is installed.
pub fn install() -> Option<PrometheusHandle> {
    RECORDER
        .get_or_init(|| {
            let builder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS);
            let handle = builder.ok()?.install_recorder().ok()?;
            describe();
            metrics::gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            Some(handle)
        })
        .clone()
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(JOBS_SETTLED, "attempts settled, by outcome");
    describe_counter!(JOBS_SWEPT, "jobs taken back from lost workers");
    describe_counter!(LEASES_LOST, "settlements that came after their lease was lost");
    describe_counter!(JOB_LOG_LINES_DROPPED, "lines of jobs' logs that found no room");
    describe_gauge!(JOBS_RUNNING, "jobs under way, by type");
    describe_histogram!(JOB_WAIT_SECONDS, Unit::Seconds, "from due to claimed, by type");
    describe_histogram!(JOB_RUN_SECONDS, Unit::Seconds, "time of an attempt in its handler, by type");
    describe_histogram!(CLAIM_SECONDS, Unit::Seconds, "duration of a claim statement");
    describe_histogram!(HEARTBEAT_SECONDS, Unit::Seconds, "duration of a heartbeat statement");
    describe_gauge!(BUILD_INFO, "1, with the version as a label");
}
