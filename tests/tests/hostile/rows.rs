//! Rows written by hand: null wherever a column allows it, every status set from every status, counters and times at
//! their ends. Each is refused with a clear error or does no harm.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

use crate::words::{assert_clear, assert_explained};

const STATUSES: [&str; 5] = ["pending", "running", "completed", "failed", "cancelled"];
/// What people write besides.
const OTHER: [&str; 5] = ["null", "''", "'done'", "'PENDING'", "'running '"];

/// A job in this status, by the ways that lead there.
async fn in_status(world: &TestWorld, status: &str) -> Uuid {
    let id = world.enqueue("noop", &json!({})).await;
    let ways: &[&str] = match status {
        "pending" => &[],
        "cancelled" => &["cancelled"],
        "running" => &["running"],
        end => &["running", end],
    };
    for way in ways {
        world.sql(format!("update jobs set status = '{way}' where id = '{id}'")).await;
    }
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_set_by_hand_from_every_status_is_an_arrow_or_a_clear_refusal() {
    let world = TestWorld::new().await;
    let mut changed = 0;
    for from in STATUSES {
        for to in STATUSES.map(|status| format!("'{status}'")).iter().map(String::as_str).chain(OTHER) {
            let id = in_status(&world, from).await;
            let what = format!("{from} to {to}");
            match world
                .try_sql(format!("update jobs set status = {to} where id = '{id}' returning status"))
                .await
            {
                Ok(rows) => {
                    let now = world.job(id).await;
                    let same = now.status() == from;
                    let arrow = matches!(
                        (from, now.status()),
                        ("pending", "running" | "cancelled")
                            | ("running", "completed" | "failed" | "cancelled" | "pending")
                    );
                    assert!(same || arrow, "{what}: {now:?}");
                    assert!(same || rows.len() == 1, "{what}");
                    assert_eq!(now.is_finished(), now.completed_at.is_some(), "{what}: {now:?}");
                    changed += usize::from(!same);
                }
                Err(refusal) => {
                    assert_eq!(refusal.code, "23514", "{what}: {refusal:?}");
                    assert_clear(&what, &refusal.message);
                    assert_eq!(world.job(id).await.status(), from, "{what}");
                }
            }
        }
    }
    assert_eq!(changed, 6);
    // Whatever was left lying about: what can run runs, what was set running without a lease is taken back.
    let worker = world.worker().lease_seconds(1).slots("noop", 8).ready().await;
    world.wait_until("select not exists (select 1 from jobs where status in ('pending', 'running'))").await;
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn null_in_every_column_that_may_be_null_stops_nobody() {
    let world = TestWorld::new().await;
    let columns = world
        .sql(
            "select column_name from information_schema.columns
             where table_schema = 'public' and table_name = 'jobs' and is_nullable = 'YES' order by 1",
        )
        .await;
    let worker = world.worker().lease_seconds(1).ready().await;
    let mut jobs = Vec::new();
    for column in columns.column() {
        for status in ["pending", "running"] {
            let id = Uuid::new_v4();
            let sql = format!(
                "insert into jobs (id, job_type, params, run_at) values ('{id}', 'scripted', '{{\"act\": \"succeed\"}}', now() + interval '1 hour');
                 update jobs set status = '{status}' where id = '{id}' and status <> '{status}';
                 update jobs set {column} = null where id = '{id}';
                 update jobs set run_at = now() where id = '{id}' and run_at is not null and status = 'pending'"
            );
            let what = format!("{status}, {column} null");
            match world.try_sql(sql).await {
                Ok(_) => jobs.push((what, id)),
                Err(refusal) => {
                    assert!(
                        ["23514", "23502", "22023", "23503"].contains(&refusal.code.as_str()),
                        "{what}: {refusal:?}"
                    );
                    assert_clear(&what, &refusal.message);
                }
            }
        }
    }
    assert!(jobs.len() > 20, "{jobs:?}");
    for (what, id) in &jobs {
        // That is how adopted rows wait until an operator releases them.
        if ["pending, run_at null"].iter().any(|waits| what.contains(waits)) {
            continue;
        }
        let job = world.wait_finished(*id).await;
        assert_explained(what, &job);
    }
    let left = world.sql("select coalesce(status, 'null') from jobs where status not in ('completed', 'failed') or status is null").await;
    println!("{} rows, {:?} wait to be mended", jobs.len(), left.column());
    let good = world.enqueue("noop", &json!({})).await;
    world.wait_for(good, "completed").await;
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_and_times_at_their_ends_are_refused_or_harmless() {
    let world = TestWorld::new().await;
    let worker = world.worker().lease_seconds(1).slots("noop", 8).ready().await;
    let mut taken = Vec::new();
    for (column, values) in [
        ("attempt", vec!["-1", "-2147483648", "2147483647", "2000000000", "1999999999", "1000000000"]),
        ("attempts_forgiven", vec!["-1", "-2147483648", "2147483647", "2000000000", "1999999999"]),
        ("crashes", vec!["-1", "2147483647", "2000000000", "1999999999", "2"]),
        ("max_attempts", vec!["0", "-1", "1", "2147483647", "-2147483648"]),
        ("priority", vec!["32767", "-32768", "0"]),
        ("run_at", vec!["'infinity'", "'-infinity'", "'0001-01-01Z'", "'9999-12-31Z'", "'10000-01-01Z'"]),
        ("locked_until", vec!["'infinity'", "'-infinity'", "'294276-12-31'", "now()"]),
        ("created_at", vec!["'infinity'", "'-infinity'"]),
        ("updated_at", vec!["'infinity'", "'-infinity'"]),
        ("started_at", vec!["'infinity'", "'-infinity'"]),
        ("completed_at", vec!["'infinity'", "'-infinity'"]),
        ("locked_by", vec!["'00000000-0000-0000-0000-000000000000'"]),
        ("unique_key", vec!["''", "repeat('k', 2001)", "repeat('k', 2000)"]),
        ("traceparent", vec!["''", "repeat('0', 1000000)"]),
        ("progress", vec!["'null'", "'[]'", "'{\"percent\": \"x\"}'", "'{\"done\": 1e300}'"]),
        ("results", vec!["'null'", "'[]'", "'\"text\"'"]),
    ] {
        for value in values {
            for status in ["pending", "running", "failed"] {
                let id = Uuid::new_v4();
                let sql = format!(
                    "insert into jobs (id, job_type, params, run_at) values ('{id}', 'noop', '{{}}', now() + interval '1 hour');
                     update jobs set status = 'running' where id = '{id}' and '{status}' <> 'pending';
                     update jobs set status = 'failed' where id = '{id}' and '{status}' = 'failed';
                     update jobs set {column} = {value} where id = '{id}';
                     update jobs set run_at = now() where id = '{id}' and '{column}' <> 'run_at' and status = 'pending'"
                );
                let what = format!("{status}, {column} = {value}");
                match world.try_sql(sql).await {
                    Ok(_) => taken.push((what, id, status)),
                    Err(refusal) => {
                        assert!(
                            ["23514", "22003", "23505"].contains(&refusal.code.as_str()),
                            "{what}: {refusal:?}"
                        );
                        assert_clear(&what, &refusal.message);
                    }
                }
            }
        }
    }
    for (what, id, status) in &taken {
        if *status == "failed" {
            world
                .try_sql(format!("select retry_job('{id}')"))
                .await
                .unwrap_or_else(|e| panic!("{what}: {e:?}"));
        }
        // These are for whoever wrote them to wait for.
        if what.contains("9999") && what.contains("run_at") && *status == "pending" {
            continue;
        }
        if what.contains("locked_until = 'infinity'") || what.contains("locked_until = '294276") {
            world.sql(format!("select cancel_job('{id}')")).await;
        }
        let over =
            format!("select status in ('completed', 'failed', 'cancelled') from jobs where id = '{id}'");
        world.wait_until(&over).await;
        // Not the whole row: the driver reads no infinite times.
        let told = world
            .sql(format!(
                "select error_message from jobs where id = '{id}' and status = 'failed' and error_code is not null"
            ))
            .await;
        for message in told.column() {
            assert_clear(what, message);
        }
        world.sql(format!("select * from explain_job('{id}')")).await;
    }
    println!("{} rows taken", taken.len());
    world.sql("select * from queue_health").await;
    let good = world.enqueue("noop", &json!({})).await;
    world.wait_for(good, "completed").await;
    assert!(worker.is_alive());
    worker.stop().await;
}

/// No worker that is known holds them, so nobody will ever finish them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_that_a_hand_has_set_to_running_hold_no_job() {
    let world = TestWorld::new().await;
    let images: Vec<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
    let job = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    for image in &images {
        world
            .sql(format!(
                "insert into job_items (job_id, item, status, locked_by, locked_until)
                 values ('{job}', '{image}', 'running', gen_random_uuid(), now() + interval '1 hour')"
            ))
            .await;
    }
    let worker = world.worker().ready().await;
    assert_eq!(world.wait_finished(job).await.error_code(), "not_found");
    worker.stop().await;
}
