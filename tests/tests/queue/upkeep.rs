//! What is done once, whoever does it: schedules, and what is old goes.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

async fn answer(world: &TestWorld, args: &[&str]) -> Value {
    let output = world.program().args(args).output().await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

fn scheduler(world: &TestWorld) -> forgeos_tests::process::Running {
    scheduler_with(world, "* * * * * *")
}

fn scheduler_with(world: &TestWorld, cron: &str) -> forgeos_tests::process::Running {
    world
        .program()
        .args(&["run"])
        .env("FORGEOS__WORKER__LEASE_SECONDS", "2")
        .env("FORGEOS__SCHEDULES__NIGHTLY__CRON", cron)
        .env("FORGEOS__SCHEDULES__NIGHTLY__JOB_TYPE", "data_export")
        .env("FORGEOS__SCHEDULES__NIGHTLY__PARAMS", r#"{"dataset": "analyses"}"#)
        .spawn()
}

#[tokio::test]
async fn a_schedule_fires_each_moment_once_however_many_workers_run() {
    let world = TestWorld::new().await;
    let _workers = [scheduler(&world), scheduler(&world), scheduler(&world)];
    world.wait_until("select count(*) >= 4 from jobs where status = 'completed'").await;
    let jobs = world
        .sql(
            "select bool_and(user_id is null and job_type = 'data_export' and unique_key = 'schedule nightly'
                              and params = '{\"dataset\": \"analyses\"}') from jobs",
        )
        .await;
    assert_eq!(jobs.value(), "t");
    // Moments are whole seconds: two jobs of one moment would show as more jobs than seconds.
    let fits = world
        .sql("select count(*) <= ceil(extract(epoch from max(created_at) - min(created_at))) + 1 from jobs")
        .await;
    assert_eq!(fits.value(), "t");
}

#[tokio::test]
async fn what_was_missed_while_nobody_was_there_is_made_up_for_once() {
    let world = TestWorld::new().await;
    world
        .sql("insert into forgeos.schedules (name, last_due_at) values ('nightly', now() - interval '3 years 1 day')")
        .await;
    // Once a year: three moments were missed.
    let _workers = [scheduler_with(&world, "0 0 1 1 *"), scheduler_with(&world, "0 0 1 1 *")];
    world.wait_until("select count(*) >= 1 from jobs where status = 'completed'").await;
    // Until everybody has looked again.
    let seen = "select count(*) = 2 and bool_and(last_heartbeat_at > (select completed_at + interval '4 s' from jobs limit 1))
                from workers";
    world.wait_until(seen).await;
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "1");
    let due = world
        .sql("select last_due_at = date_trunc('year', now() at time zone 'utc') at time zone 'utc' from forgeos.schedules")
        .await;
    assert_eq!(due.value(), "t", "the last of them");
}

#[tokio::test]
async fn a_moment_is_passed_over_while_the_job_of_an_earlier_one_is_not_finished() {
    let world = TestWorld::new().await;
    world.sql("update job_types set paused = true where name = 'data_export'").await;
    let _workers = [scheduler(&world), scheduler(&world)];
    world
        .wait_until(
            "select coalesce((select last_due_at > (select created_at from jobs) + interval '4 s'
                              from forgeos.schedules), false)",
        )
        .await;
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "1");
}

#[tokio::test]
async fn a_schedule_that_cannot_work_is_refused_at_start() {
    let world = TestWorld::new().await;
    let tried = |key: &'static str, value: &'static str| {
        let world = &world;
        async move {
            let program = world
                .program()
                .args(&["run"])
                .env("FORGEOS__SCHEDULES__X__CRON", "0 3 * * *")
                .env("FORGEOS__SCHEDULES__X__JOB_TYPE", "data_export")
                .env("FORGEOS__SCHEDULES__X__PARAMS", r#"{"dataset": "jobs"}"#)
                .env(key, value);
            let output = program.output().await;
            assert_eq!(output.code, Some(2));
            output.stderr
        }
    };
    let words = tried("FORGEOS__SCHEDULES__X__CRON", "61 3 * * *").await;
    assert!(words.contains("schedules.x.cron") && words.contains("like `15 2 * * *`"), "{words}");
    let words = tried("FORGEOS__SCHEDULES__X__JOB_TYPE", "exporting").await;
    assert!(words.contains("schedules.x.job_type") && words.contains("data_export"), "{words}");
    let words = tried("FORGEOS__SCHEDULES__X__PARAMS", "[]").await;
    assert!(words.contains("schedules.x.params") && words.contains("JSON object"), "{words}");
    let words = tried("FORGEOS__SCHEDULES__X__PARAMS", r#"{"datase": 1}"#).await;
    assert!(words.contains("schedules.x.params") && words.contains("datase"), "{words}");
    let words = tried("FORGEOS__SCHEDULES__X__WHEN", "now").await;
    assert!(words.contains("schedules.x.when") && words.contains("cron, job_type, params"), "{words}");
}

/// A finished job of `days` ago.
async fn old_job(world: &TestWorld, owner: Uuid, status: &str, days: u32) -> Uuid {
    let id = world.enqueue_for("batch_analysis", &json!({}), Some(owner)).await;
    world
        .sql(format!(
            "begin; set local session_replication_role = replica;
             update jobs set status = '{status}', attempt = 1, created_at = now() - interval '{days} days',
                             completed_at = now() - interval '{days} days' where id = '{id}';
             insert into job_logs (job_id, attempt, level, message, logged_at)
             values ('{id}', 1, 'info', 'x', now() - interval '{days} days'); commit"
        ))
        .await;
    id
}

#[tokio::test]
async fn prune_deletes_what_is_old_objects_before_rows_and_nothing_else() {
    let world = TestWorld::new().await;
    let owner = Uuid::new_v4();
    let gone = [
        old_job(&world, owner, "completed", 91).await,
        old_job(&world, owner, "failed", 31).await,
        old_job(&world, owner, "cancelled", 31).await,
    ];
    let kept = [
        old_job(&world, owner, "completed", 89).await,
        old_job(&world, owner, "failed", 29).await,
        old_job(&world, owner, "pending", 400).await,
    ];
    // Of the failed job: a file that its row points to, and one of an attempt that was cut off.
    let failed = gone[1];
    let (linked, leftover) = (format!("{owner}/{failed}/1/a.png"), format!("{owner}/{failed}/1/b.png"));
    // Of a job that stays: a file whose analysis was deleted.
    let orphan = format!("{owner}/{}/1/c.png", kept[0]);
    for key in [&linked, &leftover, &orphan] {
        world.put("outputs", key, b"picture");
    }
    world
        .sql(format!(
            "insert into analyses (user_id, status, output_filename) values ('{owner}', 'completed', '{linked}');
             insert into artifacts (job_id, user_id, attempt, item, kind, bucket, key, size_bytes, created_at)
             values ('{failed}', '{owner}', 1, 'a', 'visualization', 'outputs', '{linked}', 7, now() - interval '31 d'),
                    ('{}', '{owner}', 1, 'c', 'visualization', 'outputs', '{orphan}', 7, now() - interval '2 h')",
            kept[0]
        ))
        .await;
    let there = |key: &str| world.object_path("outputs", key).exists();

    let would = answer(&world, &["prune", "--dry-run", "--json"]).await;
    assert_eq!(
        (&would["completed"], &would["failed"], &would["cancelled"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&would["log_lines"], &would["files"]), (&json!(5), &json!(1)));
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "6");
    assert!(there(&linked) && there(&leftover) && there(&orphan));

    let done = answer(&world, &["prune", "--json"]).await;
    assert_eq!((&done["completed"], &done["failed"], &done["cancelled"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(done["log_lines"], 5);
    assert_eq!((&done["files"], &done["file_bytes"], &done["left"]), (&json!(2), &json!(14), &json!(0)));
    let left = world.sql("select id from jobs order by id").await;
    let mut expected = kept.map(|id| id.to_string());
    expected.sort();
    assert_eq!(left.column(), expected);
    assert!(there(&linked) && !there(&leftover) && !there(&orphan));
    assert_eq!(world.sql("select key from artifacts").await.column(), [linked]);
    let again = answer(&world, &["prune", "--json"]).await;
    assert!(again.as_object().unwrap().values().all(|count| *count == json!(0)), "{again}");
}

#[tokio::test]
async fn workers_prune_logs_by_themselves_and_jobs_only_when_they_are_told_to() {
    let world = TestWorld::new().await;
    let job = old_job(&world, Uuid::new_v4(), "completed", 100).await;
    let worker = |automatic: &str| {
        world
            .program()
            .args(&["run"])
            .env("FORGEOS__WORKER__LEASE_SECONDS", "2")
            .env("FORGEOS__RETENTION__AUTOMATIC", automatic)
            .spawn()
    };
    let pruned = "select exists (select from forgeos.upkeep where task = 'prune' and ended_at is not null
                                 and held_by is null and due_at > now() + interval '23 h')";
    let first = worker("false");
    world.wait_until(pruned).await;
    assert_eq!(world.sql("select count(*) from job_logs").await.value(), "0");
    assert_eq!(world.sql("select id from jobs").await.value(), job.to_string());
    drop(first);

    world.sql("update forgeos.upkeep set due_at = now(), ended_at = null").await;
    let _second = worker("true");
    world.wait_until(pruned).await;
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "0");
}
