//! How a worker learns of new jobs.

use std::time::Duration;

use forgeos_tests::TestWorld;
use serde_json::json;

const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_wakes_an_idle_worker_long_before_its_poll() {
    let world = TestWorld::new().await;
    let worker = world.worker().poll_every(NEVER).lease_seconds(30).ready().await;
    for _ in 0..5 {
        let id = world.enqueue("noop", &json!({})).await;
        world.wait_for(id, "completed").await;
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_inserted_before_the_worker_came_is_found_at_once() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    let worker = world.worker().poll_every(NEVER).lease_seconds(30).ready().await;
    world.wait_for(id, "completed").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polling_alone_is_enough() {
    let world = TestWorld::new().await;
    let worker = world.worker().deaf().ready().await;
    assert_eq!(worker.health.wakeup_mode(), "poll");
    let id = world.enqueue("noop", &json!({})).await;
    world.wait_for(id, "completed").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_in_the_future_runs_when_its_time_comes_and_not_before() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = world
        .sql("insert into jobs (job_type, params, run_at) values ('noop', '{}', now() + interval '700 ms') returning id")
        .await;
    let job = world.wait_for(id.value().parse().unwrap(), "completed").await;
    assert!(job.started_at.unwrap() >= job.run_at.unwrap());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_listening_connection_comes_back() {
    let world = TestWorld::new().await;
    let worker = world.worker().poll_every(NEVER).lease_seconds(30).ready().await;
    let listening = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                     and query ilike 'listen%'";
    let killed = world.sql(format!("select pg_terminate_backend(pid) {listening}")).await;
    assert_eq!(killed.column(), ["t"], "one connection listens");
    world.wait_until(&format!("select count(*) = 1 {listening}")).await;
    let id = world.enqueue("noop", &json!({})).await;
    world.wait_for(id, "completed").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_outlives_the_death_of_all_its_connections() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    for _ in 0..3 {
        world
            .sql(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and application_name = 'forgeos worker'",
            )
            .await;
        let id = world.enqueue("noop", &json!({})).await;
        world.wait_for(id, "completed").await;
    }
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_type_waits_and_goes_on_when_it_is_resumed() {
    let world = TestWorld::new().await;
    world.sql("update job_types set paused = true where name = 'noop'").await;
    let worker = world.worker().ready().await;
    let paused = world.enqueue("noop", &json!({})).await;
    let other = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    world.wait_for(other, "completed").await;
    assert_eq!(world.job(paused).await.status(), "pending");
    world.sql("update job_types set paused = false where name = 'noop'").await;
    world.wait_for(paused, "completed").await;
    worker.stop().await;
}
