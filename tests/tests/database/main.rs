//! What the schema promises to everybody who speaks SQL to it.
#![allow(clippy::unwrap_used)]

mod cancelling;
mod explain;
mod functions;
mod insert_rules;
mod migrations;
mod notifications;
mod rights;
mod row_security;
mod statistics;
mod status_arrows;
