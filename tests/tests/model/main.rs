//! The life of a job as a model: every order of events within small bounds is walked, rules that are known to be wrong
//! are caught, and the same transition function is compared, step by step, with the statements on a real PostgreSQL.
//!
//! `docs/model.md` says what the model holds and what it leaves out.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod against_postgres;
