//! The worker: takes jobs out of the table, carries them out, settles them.
//!
//! One direction: settings, environment, queue (claim), dispatch, registry, jobs, outcome, queue (settle).

pub mod environment;
pub mod jobs;
pub mod metrics;
pub mod queue;
pub mod registry;
pub mod runtime;
pub mod settings;
