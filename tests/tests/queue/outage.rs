//! The database goes away and comes back: nobody's attempt, nobody's loss.

use forgeos_tests::{TestWorld, job_types::runs_of, outage::Way};
use serde_json::json;

/// Cuts the way until the lease of the job has been over for a second.
async fn outage_beyond_the_lease(world: &TestWorld, way: &Way) {
    way.cut();
    world
        .wait_until("select min(locked_until) < now() - interval '1 s' from jobs where status = 'running'")
        .await;
    way.mend();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_runs_through_an_outage_keeps_its_attempt() {
    let world = TestWorld::new().await;
    let way = Way::to(&world);
    let worker = world.worker().through(&way).lease_seconds(1).ready().await;
    let rival = world.worker().through(&way).lease_seconds(1).ready().await;
    let id = world.enqueue("scripted", &json!({"act": {"wait": 5000}})).await;
    world.wait_for(id, "running").await;
    outage_beyond_the_lease(&world, &way).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.crashes, runs_of(id)), (1, 0, 1));
    assert!(worker.is_alive() && rival.is_alive());
    worker.stop().await;
    rival.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_finished_during_an_outage_is_written_after_it() {
    let world = TestWorld::new().await;
    let way = Way::to(&world);
    let worker = world.worker().through(&way).lease_seconds(1).ready().await;
    let rival = world.worker().through(&way).lease_seconds(1).ready().await;
    let id = world.enqueue("scripted", &json!({"act": {"wait": 300}})).await;
    world.wait_for(id, "running").await;
    outage_beyond_the_lease(&world, &way).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, runs_of(id), job.result("attempt")), (1, 1, &json!(1)));
    worker.stop().await;
    rival.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_goes_on_after_an_outage() {
    let world = TestWorld::new().await;
    let way = Way::to(&world);
    let worker = world.worker().through(&way).ready().await;
    way.cut();
    let late = world.enqueue("noop", &json!({})).await;
    forgeos_tests::world::poll("no connection to be left", async || (way.passing() == 0).then_some(())).await;
    // Nothing runs here whose heartbeat could miss the database.
    forgeos_tests::world::poll("the worker to say so", async || worker.health.ready().is_err().then_some(()))
        .await;
    way.mend();
    world.wait_for(late, "completed").await;
    assert!(worker.is_alive());
    forgeos_tests::world::poll("the worker to be ready", async || worker.health.ready().ok()).await;
    worker.stop().await;
}
