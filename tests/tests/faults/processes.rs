//! Processes of a worker that knows the tests' own job types, and the real program beside them.

use std::path::Path;

use chrono::{DateTime, Utc};
use forgeos_tests::{
    TestWorld,
    process::{Process, Running},
    world::poll,
};
use uuid::Uuid;

/// The engine and the product's jobs with handlers that go wrong.
pub(crate) fn test_worker(world: &TestWorld) -> Process {
    world.other_program(Path::new(env!("CARGO_BIN_EXE_test-worker"))).env("RUST_LOG", "info")
}

/// Ends a process as the kernel does when memory runs out, in the middle of its work. Answers who it was and when.
pub(crate) async fn kill_at_work(world: &TestWorld, worker: &mut Running) -> Option<(Uuid, DateTime<Utc>)> {
    let boot = poll("a worker to be ready", async || worker.boot()).await;
    let at_work =
        format!("select exists (select from jobs where status = 'running' and locked_by = '{boot}')");
    let nothing_left = "select not exists (select from jobs where status in ('pending', 'running'))";
    let works = poll("a worker to be at work", async || match world.sql(&at_work).await.value() {
        "t" => Some(true),
        _ => (world.sql(nothing_left).await.value() == "t").then_some(false),
    })
    .await;
    worker.kill();
    works.then(|| (boot, Utc::now()))
}
