//! The worker's promises under fire. Every scenario does one thing to workers, again and again, while jobs pass; ends in
//! one line of figures; and fails if a job was lost, done twice or stuck. `docs/faults.md` has the lines of a long run:
//! `FORGEOS_FAULT_SCALE=10 cargo test --workspace --test faults` does everything ten times as often.
#![allow(clippy::unwrap_used)]

mod backends;
mod clock;
mod flood;
mod frozen;
mod full_disk;
mod half_open;
mod held;
mod killed;
mod poison;
mod pool;
mod pooler;
mod processes;
mod products;
mod server;
mod shutdowns;
mod store;
