//! Placeholder: the settings, their layers and their checks.

use std::collections::BTreeMap;

/// `[worker]`.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Job types that this process takes; empty: all that are registered.
    pub job_types: Vec<String>,
    /// Jobs of a type that run at once.
    pub slots: BTreeMap<String, usize>,
    /// How long a lease lasts without a heartbeat.
    pub lease_seconds: u64,
    /// How long running jobs may go on after SIGTERM.
    pub shutdown_grace_seconds: u64,
    /// How often the table is looked at when nothing wakes the worker.
    pub poll_interval_ms: u64,
    /// Memory for pixels under way, MiB.
    pub memory_budget_mb: u32,
    /// Threads for CPU work; 0: one a core.
    pub compute_threads: usize,
}
