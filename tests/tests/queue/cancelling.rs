//! Calling a job off by plain SQL.

use std::time::Duration;

use forgeos_tests::{TestWorld, job_types::runs_of};
use serde_json::json;

const CANCEL: &str = "update jobs set status = 'cancelled' where status in ('pending', 'running')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pending_job_that_was_called_off_never_runs() {
    let world = TestWorld::new().await;
    let id = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    world.sql(CANCEL).await;
    let worker = world.worker().ready().await;
    let next = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    world.wait_for(next, "completed").await;
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt, runs_of(id)), ("cancelled", 0, 0));
    assert!(job.completed_at.is_some());
    worker.stop().await;
}

async fn a_running_job_is_called_off(listens: bool) {
    let world = TestWorld::new().await;
    let worker = world.worker();
    let worker = if listens { worker } else { worker.deaf() };
    let worker = worker.ready().await;
    let id = world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    world.wait_for(id, "running").await;
    world.sql(CANCEL).await;
    world
        .wait_until(&format!("select results is not null and locked_by is null from jobs where id = '{id}'"))
        .await;
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt), ("cancelled", 1));
    assert_eq!(job.results, Some(json!({"partial": true})), "partial results are kept");
    assert!(job.completed_at.is_some() && job.error_code.is_none());
    let attempts = world.sql("select outcome, worker_id from job_attempts").await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts.0[0][0].as_deref(), Some("cancelled"));
    assert_eq!(attempts.0[0][1], Some(worker.id.to_string()));
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_hears_of_it_by_notification_and_keeps_its_partial_results() {
    a_running_job_is_called_off(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_hears_of_it_from_its_heartbeat_alone() {
    a_running_job_is_called_off(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_is_heard_long_before_the_next_heartbeat_is_due() {
    let world = TestWorld::new().await;
    // A heartbeat would be due after twenty seconds only.
    let worker = world.worker().lease_seconds(60).poll_every(Duration::from_secs(60)).ready().await;
    let id = world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    world.wait_for(id, "running").await;
    world.sql(CANCEL).await;
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
    let seconds = world.sql("select extract(epoch from updated_at - completed_at) < 10 from jobs").await;
    assert_eq!(seconds.value(), "t");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_finished_before_the_cancel_was_heard_is_kept_as_results() {
    let world = TestWorld::new().await;
    let worker = world.worker().deaf().ready().await;
    let id = world.enqueue("scripted", &json!({"act": {"block_thread": 300}})).await;
    world.wait_for(id, "running").await;
    world.sql(CANCEL).await;
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
    let job = world.job(id).await;
    assert_eq!(job.status(), "cancelled", "a cancel is never undone by a late completion");
    assert_eq!(job.result("attempt"), 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_job_of_a_dead_worker_is_closed_by_another_one() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    let dead = crate::claiming::claim(&world, forgeos_core::WorkerId::random(), 0.5, &[("noop", 1)]).await;
    assert_eq!(dead.len(), 1);
    world
        .sql(format!(
            "insert into analyses (job_id, filename, status) values ('{id}', 'a.jpg', 'processing'), ('{id}', 'b.jpg', 'completed');
             {CANCEL}"
        ))
        .await;
    let worker = world.worker().lease_seconds(1).ready().await;
    world.wait_until("select locked_by is null from jobs").await;
    let analyses = world.sql("select status from analyses order by filename").await;
    assert_eq!(analyses.column(), ["failed", "completed"]);
    assert_eq!(world.job(id).await.status(), "cancelled");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_cancel_runs_again_with_a_fresh_budget() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    world.wait_for(id, "running").await;
    world.sql(CANCEL).await;
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
    world.sql("update jobs set params = '{\"act\": \"succeed\"}'").await;
    assert_eq!(world.sql(format!("select retry_job('{id}')")).await.value(), "t");
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.attempts_forgiven), (2, 1));
    assert_eq!(job.result("attempt"), 2);
    worker.stop().await;
}
