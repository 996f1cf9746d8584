//! The worker: takes jobs out of the table, carries them out, settles them.
//!
//! One direction: settings, environment, queue (claim), dispatch, registry, jobs, outcome, queue (settle).

pub mod attempt;
pub mod cli;
pub mod database;
pub mod demo;
pub mod dispatch;
pub mod doctor;
pub mod embedded;
pub mod environment;
pub mod health;
pub mod http;
pub mod job_log;
pub mod jobs;
pub mod metrics;
pub mod outcome;
pub mod queue;
pub mod registry;
pub mod retry;
pub mod runtime;
pub mod settings;
pub mod telemetry;
pub mod upkeep;
