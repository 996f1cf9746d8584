//! SIGTERM in the middle of a batch.

use forgeos_tests::TestWorld;
use serde_json::json;

use crate::{
    crash::{LOG_COMPLETIONS, assert_each_image_was_done_once},
    pictures::put_panels,
};

#[tokio::test]
async fn the_batch_goes_back_forgiven_and_another_worker_finishes_it() {
    let world = TestWorld::new().await;
    world.sql(LOG_COMPLETIONS).await;
    let images = put_panels(&world, None, 60);
    let mut worker =
        world.program().env("FORGEOS__WORKER__SHUTDOWN_GRACE_SECONDS", "0").args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    world.wait_until("select count(*) >= 4 from job_items where status = 'completed'").await;
    worker.terminate();
    let status = worker.ended().await;
    assert_eq!(status.code(), Some(0), "{}", worker.words());

    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt, job.attempts_forgiven, job.crashes), ("pending", 1, 1, 0));
    assert!(job.locked_by.is_none());
    assert_eq!(world.sql("select outcome from job_attempts").await.value(), "released");
    assert!(world.sql("select 1 from workers").await.is_empty(), "it has left the list of workers");
    assert_eq!(world.sql("select count(*) from job_items where status = 'running'").await.value(), "0");

    let _other = world.program().args(&["run"]).spawn();
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.result("successful")), (2, &json!(60)));
    assert_each_image_was_done_once(&world, 60).await;
}

#[tokio::test]
async fn a_short_batch_is_finished_within_the_grace_time() {
    let world = TestWorld::new().await;
    let images = put_panels(&world, None, 12);
    let mut worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    world.wait_until("select count(*) >= 1 from job_items where status = 'completed'").await;
    worker.terminate();
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.words());
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt, job.attempts_forgiven), ("completed", 1, 0));
}

#[tokio::test]
async fn an_idle_worker_ends_at_once() {
    let world = TestWorld::new().await;
    let mut worker = world.program().args(&["run"]).spawn();
    world.wait_until("select count(*) = 1 from workers").await;
    let began = std::time::Instant::now();
    worker.terminate();
    assert_eq!(worker.ended().await.code(), Some(0));
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
}
