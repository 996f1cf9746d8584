//! The fault suite's scenarios 1, 2, 3, 6 and 9 on `graphile_worker`, for the table in `docs/faults.md`: the same jobs,
//! the same faults at the same pace, a ledger that asks the same questions. Not part of the workspace and of no test.
//!
//! `cargo run --manifest-path tests/peers/Cargo.toml` starts a PostgreSQL of its own (its programs must be installed) and
//! prints one line a scenario. With `worker URL` it is the worker that the scenarios kill.
//!
//! The peer's recovery is off by default (it then waits four hours); here it is as quick as our lease of 2 s: heartbeats
//! every 0.6 s, workers that were silent for 2 s are swept at once and without a pause.

mod ledger;
mod scenarios;
mod server;
mod worker;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("worker") => worker::run(&arguments[2]).await,
        _ => scenarios::run().await,
    }
}
