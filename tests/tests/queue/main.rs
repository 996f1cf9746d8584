//! What the queue promises: order, leases, fences, outcomes, wake-up.
#![allow(clippy::unwrap_used)]

mod bad_rows;
mod cancelling;
mod claiming;
mod exactly_once;
mod leases;
mod outcomes;
mod pages;
mod pooler;
mod shutdown;
mod wakeup;
