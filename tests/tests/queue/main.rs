//! What the queue promises: order, leases, fences, outcomes, wake-up.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bad_rows;
mod cancelling;
mod claiming;
mod exactly_once;
mod leases;
mod outage;
mod outcomes;
mod pages;
mod pooler;
mod shutdown;
mod store_away;
mod turns;
mod upkeep;
mod wakeup;
