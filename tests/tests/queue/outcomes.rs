//! What becomes of a job after an attempt.

use forgeos_tests::{JobRow, TestWorld, job_types::runs_of};
use serde_json::json;
use uuid::Uuid;

async fn scripted(world: &TestWorld, act: serde_json::Value) -> Uuid {
    world.enqueue("scripted", &json!({ "act": act })).await
}

async fn attempts(world: &TestWorld, id: Uuid) -> Vec<String> {
    let rows = world
        .sql(format!(
            "select concat_ws(' ', row_number() over (order by attempt), outcome, error_code) from job_attempts
             where job_id = '{id}' and error_code is not null order by attempt"
        ))
        .await;
    rows.column().into_iter().map(str::to_owned).collect()
}

/// Waits for the retry after so many attempts that count, then makes it due at once. (On a busy machine a job may be
/// claimed ahead and given back unstarted, which counts for nothing.)
async fn retried(world: &TestWorld, id: Uuid, used: i32) -> JobRow {
    world
        .wait_until(&format!(
            "select status = 'pending' and attempt - attempts_forgiven = {used} and error_code is not null
             from jobs where id = '{id}'"
        ))
        .await;
    let job = world.job(id).await;
    world.sql(format!("update jobs set run_at = now() where id = '{id}'")).await;
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_job_has_results_and_no_trace_of_a_lease() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!("succeed")).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("attempt"), 1);
    assert!(job.locked_by.is_none() && job.locked_until.is_none());
    assert!(job.completed_at.unwrap() >= job.started_at.unwrap());
    assert!(job.updated_at >= job.completed_at.unwrap());
    assert_eq!((job.error_code, job.error_message), (None, None));
    assert!(attempts(&world, id).await.is_empty());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_the_moment_is_tried_again_later_until_the_attempts_are_spent() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!("fail_transiently")).await;
    let mut last_pause = chrono::Duration::zero();
    for attempt in 1..=2 {
        let job = retried(&world, id, attempt).await;
        let pause = job.run_at.unwrap() - job.updated_at;
        assert!(pause > last_pause, "attempt {attempt} waits {pause}, after {last_pause}");
        assert_eq!(job.error_code(), "internal");
        assert_eq!(job.error_message(), "a fault of the moment");
        assert!(job.completed_at.is_none() && job.locked_by.is_none());
        last_pause = pause;
    }
    let job = world.wait_for(id, "failed").await;
    assert_eq!((job.attempt - job.attempts_forgiven, job.error_code()), (3, "internal"));
    assert!(job.completed_at.is_some());
    assert_eq!(attempts(&world, id).await, ["1 failed internal", "2 failed internal", "3 failed internal"]);
    let chain =
        world.sql(format!("select error_chain from job_attempts where job_id = '{id}' limit 1")).await;
    assert_eq!(chain.value(), "{\"a fault of the moment\",\"what lies below\"}");
    assert_eq!(runs_of(id), 3);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_that_succeeds_clears_the_error() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!({"succeed_at_attempt": 2})).await;
    retried(&world, id, 1).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt - job.attempts_forgiven, job.error_code, job.error_message), (2, None, None));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permanent_error_fails_at_once() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!("fail_for_good")).await;
    let job = world.wait_for(id, "failed").await;
    assert_eq!(
        (job.attempt, job.error_code(), job.error_message()),
        (1, "nothing_to_do", "nothing to do it on")
    );
    assert_eq!(attempts(&world, id).await, ["1 failed nothing_to_do"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jobs_own_number_of_attempts_goes_before_its_types() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = world
        .sql("insert into jobs (job_type, params, max_attempts) values ('scripted', '{\"act\": \"fail_transiently\"}', 1) returning id")
        .await;
    let job = world.wait_for(id.value().parse().unwrap(), "failed").await;
    assert_eq!(job.attempt, 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_a_fault_of_the_moment_and_the_worker_goes_on() {
    let world = TestWorld::new().await;
    let worker = world.worker().slots("scripted", 1).ready().await;
    let id = scripted(&world, json!("panic")).await;
    for attempt in 1..=2 {
        assert_eq!(retried(&world, id, attempt).await.error_code(), "panicked");
    }
    let job = world.wait_for(id, "failed").await;
    assert_eq!(job.error_code(), "panicked");
    assert!(!job.error_message().contains("scripted panic"), "the words of a panic are for operators");
    let chain =
        world.sql(format!("select error_chain::text from job_attempts where job_id = '{id}' limit 1")).await;
    assert!(chain.value().contains("a scripted panic"), "{chain:?}");
    let next = scripted(&world, json!("succeed")).await;
    world.wait_for(next, "completed").await;
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_costs_no_attempt() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!("report_outage")).await;
    for outages in 1..=5 {
        world
            .wait_until(&format!(
                "select count(*) = {outages} from job_attempts where error_code = 'storage_unavailable'"
            ))
            .await;
        let job = world.job(id).await;
        assert_eq!((job.status(), job.attempts_forgiven), ("pending", job.attempt));
        assert_eq!(job.error_code(), "storage_unavailable");
        assert!(job.run_at.unwrap() > job.updated_at);
        world.sql("update jobs set run_at = now()").await;
    }
    let job = world.job(id).await;
    assert!(!job.is_finished(), "five outages with three attempts: {job:?}");
    worker.stop().await;
    assert!(attempts(&world, id).await.iter().all(|a| a.ends_with("released storage_unavailable")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_budget_is_spent_is_not_run_whoever_has_spent_it() {
    let world = TestWorld::new().await;
    let (spent, lost) = (scripted(&world, json!("succeed")).await, scripted(&world, json!("succeed")).await);
    world
        .sql(format!(
            "update jobs set attempt = 2, max_attempts = 2 where id = '{spent}';
             update jobs set crashes = 3 where id = '{lost}'"
        ))
        .await;
    let worker = world.worker().ready().await;
    for (id, code, words) in
        [(spent, "internal", "all 2 attempts"), (lost, "worker_lost", "lost with its worker 3 times")]
    {
        let job = world.wait_for(id, "failed").await;
        assert_eq!((job.error_code(), runs_of(id)), (code, 0));
        assert!(job.error_message().contains(words), "{}", job.error_message());
        // Somebody looked at it and wants it to be tried again.
        assert_eq!(world.sql(format!("select retry_job('{id}')")).await.value(), "t");
    }
    world.wait_for(spent, "completed").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_over_its_time_limit_is_stopped_and_tried_again() {
    let world = TestWorld::new().await;
    world.sql("update job_types set timeout_seconds = 1 where name = 'scripted'").await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!("run_until_stopped")).await;
    let job = retried(&world, id, 1).await;
    assert_eq!(job.error_code(), "timed_out");
    assert!(job.error_message().contains("1 s"), "{:?}", job.error_message());
    assert_eq!(attempts(&world, id).await, ["1 timed_out timed_out"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_ignores_its_time_limit_has_its_slot_given_up() {
    let world = TestWorld::new().await;
    world.sql("update job_types set timeout_seconds = 1 where name = 'scripted'").await;
    let worker = world.worker().slots("scripted", 1).ready().await;
    let deaf = scripted(&world, json!("ignore_everything")).await;
    world.wait_for(deaf, "running").await;
    let next = scripted(&world, json!("succeed")).await;
    world.wait_for(next, "completed").await;
    world.wait_until(&format!("select error_code = 'timed_out' from jobs where id = '{deaf}'")).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_written_while_a_job_runs() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let id = scripted(&world, json!({"progress": [3, 8]})).await;
    world.wait_until(&format!("select progress is not null from jobs where id = '{id}'")).await;
    let job = world.job(id).await;
    assert_eq!(job.progress.unwrap(), json!({"phase": "scripted", "done": 3, "total": 8, "percent": 37}));
    worker.shutdown.hard.cancel();
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_three_handlers_that_ignore_their_limit_the_worker_ends_for_its_supervisor() {
    let world = TestWorld::new().await;
    world.sql("update job_types set timeout_seconds = 1, max_attempts = 1 where name = 'scripted'").await;
    let mut worker = world.worker().slots("scripted", 3).ready().await;
    for _ in 0..3 {
        scripted(&world, json!("ignore_everything")).await;
    }
    assert!(worker.finished().await.is_err(), "it must end with an error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_announced() {
    let world = TestWorld::new().await;
    let mut ear = sqlx::postgres::PgListener::connect_with(&world.pool).await.unwrap();
    ear.listen("forgeos_done").await.unwrap();
    let worker = world.worker().ready().await;
    for (act, status) in [("succeed", "completed"), ("fail_for_good", "failed")] {
        let id = scripted(&world, json!(act)).await;
        let heard = tokio::time::timeout(forgeos_tests::world::DEADLINE, ear.recv()).await.unwrap().unwrap();
        assert_eq!(heard.payload(), id.to_string());
        assert_eq!(world.job(id).await.status(), status, "it is true when it is announced");
    }
    worker.stop().await;
}
