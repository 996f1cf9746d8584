//! The queue's engine: claims, leases, settling, wake-up, sweeping, and the backend that hands jobs to apalis.
//!
//! Each part runs on a task (the heartbeat on a thread) of its own, never returns an error and waits out an outage;
//! the apalis backend only receives over a channel, so that nothing that happens to the database ends a worker.

pub mod away;
pub mod backend;
pub mod claim;
pub mod heartbeat;
pub mod lanes;
pub mod leases;
pub mod settle;
pub mod sweep;
pub mod turns;
pub mod wakeup;
