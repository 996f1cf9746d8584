//! Rows that nobody should have written: each fails alone, with words that say what is wrong.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

async fn insert(world: &TestWorld, params: &str) -> Uuid {
    let rows = world
        .sql(format!("insert into jobs (job_type, params) values ('scripted', {params}) returning id"))
        .await;
    rows.value().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_row_fails_alone_with_words_that_say_what_is_wrong() {
    let world = TestWorld::new().await;
    let deep = "(repeat('[', 5000) || repeat(']', 5000))::jsonb".to_owned();
    let cases: Vec<(&str, String, &str)> = vec![
        ("an unknown key", r#"'{"act": "succeed", "colour": "red"}'"#.into(), "colour"),
        ("an unknown word", r#"'{"act": "dance"}'"#.into(), "dance"),
        ("a missing key", "'{}'".into(), "act"),
        ("no params", "null".into(), "object"),
        ("JSON null", "'null'".into(), "object"),
        ("an array", "'[1, 2]'".into(), "array"),
        ("a text", "'\"text\"'".into(), "string"),
        ("a number that is a text", r#"'{"act": "succeed", "number": "x"}'"#.into(), "number"),
        ("a number beyond any machine", r#"'{"act": "succeed", "number": 1e100000}'"#.into(), "params"),
        (
            "a number of 10,000 digits",
            r#"('{"act": {"block_thread": ' || repeat('9', 10000) || '}}')::jsonb"#.into(),
            "params",
        ),
        ("a negative number", r#"'{"act": {"block_thread": -1}}'"#.into(), "block_thread"),
        ("JSON of great depth", deep, "depth"),
        (
            "depth below a known key",
            "('{\"act\": ' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb".into(),
            "depth",
        ),
    ];
    let mut jobs = Vec::new();
    for (what, params, word) in &cases {
        jobs.push((*what, insert(&world, params).await, *word));
    }
    // All are claimed together with a good one.
    let good = world.enqueue("scripted", &json!({"act": "succeed", "_caller": {"any": ["thing"]}})).await;
    let worker = world.worker().slots("scripted", 20).ready().await;
    world.wait_for(good, "completed").await;
    for (what, id, word) in jobs {
        let job = world.wait_for(id, "failed").await;
        assert_eq!((job.error_code(), job.attempt), ("bad_params", 1), "{what}: {job:?}");
        assert!(
            job.error_message().contains(word),
            "{what}: {:?} does not name {word:?}",
            job.error_message()
        );
        assert!(!job.error_message().contains('\n') && job.error_message().len() < 400, "{what}: one line");
    }
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nul_in_results_or_message_is_no_obstacle_to_settling() {
    let world = TestWorld::new().await;
    let worker = world.worker().ready().await;
    let results = world.enqueue("scripted", &json!({"act": "return_nul"})).await;
    let message = world.enqueue("scripted", &json!({"act": "fail_with_nul"})).await;
    let good = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    world.wait_for(good, "completed").await;
    let job = world.wait_for(results, "failed").await;
    assert_eq!(job.error_code(), "internal");
    assert!(job.error_message().contains("results"), "{job:?}");
    let job = world.wait_for(message, "failed").await;
    assert_eq!(job.error_message(), "a\u{FFFD}b");
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_at_the_end_of_the_calendar_stop_nobody() {
    let world = TestWorld::new().await;
    // As in rows that were there before the schema refused them.
    world.sql("alter table jobs disable trigger jobs_guard_times").await;
    let odd = world
        .sql(
            "insert into jobs (job_type, params, run_at, created_at, priority)
             values ('noop', '{}', '0001-01-01 00:00:00Z', '-infinity', 32767), ('noop', '{}', now(), 'infinity', 0),
                    ('noop', '{}', now(), '294276-12-31', -32768), ('noop', '{}', now(), '4713-01-01 BC', -32768)
             returning id",
        )
        .await;
    let good = world.enqueue("noop", &json!({})).await;
    let worker = world.worker().slots("noop", 10).ready().await;
    world.wait_for(good, "completed").await;
    for id in odd.column() {
        world
            .wait_until(&format!("select status in ('completed', 'failed') from jobs where id = '{id}'"))
            .await;
    }
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_no_worker_here_knows_is_left_for_those_that_do() {
    let world = TestWorld::new().await;
    world.sql("insert into job_types (name) values ('of_the_future')").await;
    let foreign = world.enqueue("of_the_future", &json!({})).await;
    let good = world.enqueue("noop", &json!({})).await;
    let worker = world.worker().ready().await;
    world.wait_for(good, "completed").await;
    assert_eq!((world.job(foreign).await.status(), world.job(foreign).await.attempt), ("pending", 0));
    worker.stop().await;
}
