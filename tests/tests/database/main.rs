//! What the schema promises to everybody who speaks SQL to it.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cancelling;
mod explain;
mod functions;
mod insert_rules;
mod migrations;
mod notifications;
mod rights;
mod rights_matrix;
mod row_security;
mod statistics;
mod status_arrows;
mod storage_rules;
