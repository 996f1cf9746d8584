//! The word to stop: what is under way is finished or given back, never lost.

use std::time::Duration;

use forgeos_tests::TestWorld;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_ends_within_the_grace_time_is_completed() {
    let world = TestWorld::new().await;
    let worker = world.worker().grace_seconds(30).ready().await;
    let id = world.enqueue("scripted", &json!({"act": {"block_thread": 3000}})).await;
    world.wait_for(id, "running").await;
    worker.stop().await;
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt), ("completed", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_finished_goes_back_forgiven() {
    let world = TestWorld::new().await;
    let worker = world.worker().grace_seconds(0).ready().await;
    let id = world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    world.wait_for(id, "running").await;
    worker.stop().await;
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt, job.attempts_forgiven), ("pending", 1, 1));
    assert!(job.locked_by.is_none() && job.error_code.is_none());
    let due = world.sql("select run_at <= now() from jobs").await;
    assert_eq!(due.value(), "t", "another worker may take it at once");
    assert_eq!(world.sql("select outcome from job_attempts").await.value(), "released");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_does_not_listen_cannot_keep_the_job() {
    let world = TestWorld::new().await;
    let mut worker = world.worker().grace_seconds(30).ready().await;
    let id = world.enqueue("scripted", &json!({"act": "ignore_everything"})).await;
    world.wait_for(id, "running").await;
    // The second word ends the grace time.
    worker.shutdown.soft.cancel();
    worker.shutdown.hard.cancel();
    let began = std::time::Instant::now();
    worker.finished().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempts_forgiven), ("pending", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_claimed_ahead_are_given_back_and_none_is_lost() {
    let world = TestWorld::new().await;
    world.sql("insert into jobs (job_type, params) select 'noop', '{}' from generate_series(1, 20000)").await;
    let worker = world.worker().only(&["noop"]).lease_seconds(30).start().await;
    world.wait_until("select count(*) > 1000 from jobs where status = 'completed'").await;
    worker.stop().await;
    let left = world
        .sql("select count(*) filter (where status = 'pending') > 0, count(*) filter (where status = 'running') from jobs")
        .await;
    assert_eq!(left.0[0][0].as_deref(), Some("t"), "the worker was stopped in the middle");
    assert_eq!(left.0[0][1].as_deref(), Some("0"), "nothing stays claimed");
    let forgiven = world
        .sql("select count(*) from jobs where status = 'pending' and attempt <> attempts_forgiven")
        .await;
    assert_eq!(forgiven.value(), "0");
    let worker = world.worker().only(&["noop"]).lease_seconds(30).start().await;
    world.wait_until("select count(*) = 20000 from jobs where status = 'completed'").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_stop_takes_no_new_job() {
    let world = TestWorld::new().await;
    let worker = world.worker().grace_seconds(30).slots("scripted", 4).ready().await;
    let held = world.enqueue("scripted", &json!({"act": {"block_thread": 700}})).await;
    world.wait_for(held, "running").await;
    worker.shutdown.soft.cancel();
    forgeos_tests::world::poll("the worker to say so", async || worker.health.ready().is_err().then_some(()))
        .await;
    let late = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    worker.stop().await;
    assert_eq!(world.job(held).await.status(), "completed");
    assert_eq!((world.job(late).await.status(), world.job(late).await.attempt), ("pending", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_job_type_in_the_settings_is_named() {
    let world = TestWorld::new().await;
    let mut worker = world.worker().only(&["batch_analysys"]).start().await;
    let error = worker.finished().await.unwrap_err().to_string();
    assert!(error.contains("`batch_analysys`") && error.contains("batch_analysis"), "{error}");
}
