//! The model of a job's life against the statements of the queue on a real PostgreSQL.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod database;
mod pauses;
mod random_orders;
