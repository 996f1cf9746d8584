//! Calling a job off by plain SQL, with no worker alive.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn cancelling_a_running_job_leaves_a_whole_record_without_any_worker() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    let holder = Uuid::new_v4();
    world
        .sql(format!(
            "update jobs set status = 'running', attempt = 1, locked_by = '{holder}', locked_until = now() + interval '30 s',
                             started_at = now()"
        ))
        .await;
    world.sql("update jobs set status = 'cancelled'").await;
    let job = world.job(id).await;
    assert!(job.completed_at.is_some());
    assert_eq!((job.attempt, job.locked_by), (1, Some(holder)), "the holder can still prove itself");
    let attempt = world
        .sql("select job_id, attempt, worker_id, outcome, started_at is not null, duration_ms >= 0 from job_attempts")
        .await;
    let expected = [&id.to_string(), "1", &holder.to_string(), "cancelled", "t", "t"];
    assert_eq!(attempt.0[0], expected.map(|v| Some(v.to_owned())));
    // Its last words.
    let words = world
        .sql(format!(
            "update jobs set results = '{{}}' where id = '{id}' and attempt = 1 and locked_by = '{holder}' and status = 'cancelled'
             returning 1"
        ))
        .await;
    assert_eq!(words.len(), 1);
    // A second cancel changes nothing.
    assert!(world.sql("update jobs set status = 'cancelled' returning 1").await.is_empty());
    assert_eq!(world.sql("select count(*) from job_attempts").await.value(), "1");
}

#[tokio::test]
async fn cancelling_a_pending_job_leaves_no_attempt() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    world.sql("update jobs set status = 'cancelled'").await;
    assert!(world.job(id).await.completed_at.is_some());
    assert!(world.sql("select 1 from job_attempts").await.is_empty());
}

#[tokio::test]
async fn deleting_a_job_takes_along_what_hangs_on_it_but_not_its_files_and_analyses() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    world
        .sql(format!(
            "insert into job_items (job_id, item) values ('{id}', 'x');
             insert into job_attempts (job_id, attempt, outcome) values ('{id}', 1, 'lost');
             insert into job_logs (job_id, attempt, level, message) values ('{id}', 1, 'info', 'x');
             insert into artifacts (job_id, attempt, kind, bucket, key, size_bytes) values ('{id}', 1, 'x', 'outputs', 'k', 1);
             insert into analyses (job_id) values ('{id}');
             delete from jobs"
        ))
        .await;
    for table in ["job_items", "job_attempts", "job_logs"] {
        assert!(world.sql(format!("select 1 from {table}")).await.is_empty(), "{table}");
    }
    assert_eq!(world.sql("select job_id from artifacts").await.value(), "null");
    assert_eq!(world.sql("select job_id from analyses").await.value(), "null");
}

#[tokio::test]
async fn cancelling_between_two_attempts_closes_what_the_first_one_left_open() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    world
        .sql(format!(
            "insert into job_items (job_id, item, status) values ('{id}', 'a', 'completed'), ('{id}', 'b', 'pending');
             insert into analyses (job_id, status) values ('{id}', 'completed'), ('{id}', 'processing');
             update jobs set status = 'running', attempt = 1, locked_by = gen_random_uuid(),
                             locked_until = now() + interval '30 s', started_at = now();
             update jobs set status = 'pending', locked_by = null, locked_until = null;
             update jobs set status = 'cancelled'"
        ))
        .await;
    let items = world.sql("select status from job_items order by item").await;
    assert_eq!(items.column(), ["completed", "cancelled"]);
    let analyses =
        world.sql("select status || coalesce(metrics #>> '{error,code}', '') from analyses order by 1").await;
    assert_eq!(analyses.column(), ["completed", "failedcancelled"]);
}

#[tokio::test]
async fn a_running_job_that_a_hand_has_ended_leaves_nothing_under_way() {
    let world = TestWorld::new().await;
    for status in ["completed", "failed"] {
        let id = world.enqueue("noop", &json!({})).await;
        world
            .sql(format!(
                "insert into job_items (job_id, item, status) values ('{id}', 'a', 'completed'), ('{id}', 'b', 'running');
                 insert into analyses (job_id, status) values ('{id}', 'completed'), ('{id}', 'processing');
                 update jobs set status = 'running', attempt = 1, locked_by = gen_random_uuid(),
                                 locked_until = now() + interval '30 s', started_at = now() where id = '{id}';
                 update jobs set status = '{status}' where id = '{id}'"
            ))
            .await;
        let items =
            world.sql(format!("select status from job_items where job_id = '{id}' order by item")).await;
        assert_eq!(items.column(), ["completed", "cancelled"]);
        let analyses = world
            .sql(format!(
                "select status || coalesce(metrics #>> '{{error,code}}', '') from analyses where job_id = '{id}' order by 1"
            ))
            .await;
        assert_eq!(analyses.column(), ["completed", "failedcancelled"]);
        let row = format!(
            "select locked_by is null and locked_until is null and completed_at is not null
                    and (status = 'completed' or error_message like '%by hand%' and error_code = 'internal')
             from jobs where id = '{id}'"
        );
        assert_eq!(world.sql(row).await.value(), "t");
    }
}
