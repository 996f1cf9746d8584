//! Workers are replaced while jobs run: SIGTERM under load with long jobs, and other versions on the same schema.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale};

use crate::processes::test_worker;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_replaced_under_load_lose_nothing_and_cost_no_attempt() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let start = || {
        test_worker(&world)
            .env("FORGEOS__WORKER__SHUTDOWN_GRACE_SECONDS", "1")
            .env("FORGEOS__WORKER__SLOTS__FAULTY", "6")
            .spawn()
    };
    let rounds = 5 * scale();
    ledger.enqueue(250 * rounds, 60).await;
    // Longer than the grace time: begun anew by each worker until one is left in peace.
    world
        .sql(
            "insert into jobs (job_type, params, priority)
             select 'faulty', '{\"work_ms\": 4000}', 1 from generate_series(1, 3)",
        )
        .await;
    let mut worker = start().ready().await;
    let mut moments = Vec::new();
    for _ in 0..rounds {
        let boot = worker.boot().unwrap();
        let at_work = format!(
            "select not exists (select from jobs where status in ('pending', 'running'))
                 or exists (select from jobs where status = 'running' and locked_by = '{boot}')"
        );
        world.wait_until(&at_work).await;
        let next = start();
        worker.terminate();
        moments.push(Utc::now());
        let status = worker.ended().await;
        assert_eq!(status.code(), Some(0), "{}", worker.words());
        let held = format!("select count(*) from jobs where status = 'running' and locked_by = '{boot}'");
        assert_eq!(world.sql(held).await.value(), "0", "it ended in order and still holds jobs");
        worker = next.ready().await;
    }
    ledger.drained(Duration::from_secs(120)).await;
    let verdict = ledger.verdict("worker replaced under load (SIGTERM)", rounds).await;
    verdict.recovered_in(ledger.until_next_end(&moments).await).hold();
    let spent =
        world.sql("select count(*) from jobs where attempt - attempts_forgiven > 1 or crashes > 0").await;
    assert_eq!(spent.value(), "0", "being told to end is nobody's attempt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_that_know_different_jobs_share_a_schema_and_a_newer_schema_is_refused_with_a_sentence() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    // The one knows a job type less than the other, as before and after a release.
    let older = world.program().args(&["run"]).spawn().ready().await;
    let newer = test_worker(&world).spawn().ready().await;
    ledger.enqueue(200 * scale(), 40).await;
    crate::products::enqueue(&world, 8 * scale()).await;
    world.wait_until("select count(*) >= 20 from faults.ends").await;
    // The next release's migration, made to be added to while older workers run.
    world
        .sql(
            "alter table jobs add column of_the_next_release text;
             insert into forgeos.migrations (name, checksum, worker_version) values ('9999_later', '', '99.0.0')",
        )
        .await;
    let refused = world.program().args(&["run"]).output().await;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("schema is newer than this worker (9999_later); upgrade the worker"),
        "{}",
        refused.stderr
    );
    ledger.enqueue(200 * scale(), 40).await;
    ledger.drained(Duration::from_secs(60)).await;
    let verdict = ledger.verdict("two versions, schema upgraded under them", 1).await;
    crate::products::judge(&world, verdict).await.hold();
    drop((older, newer));

    // A worker that is newer than the schema says what to do.
    world
        .sql(
            "delete from forgeos.migrations where name = '9999_later';
             delete from forgeos.migrations where name = (select max(name) from forgeos.migrations)",
        )
        .await;
    let refused = world.program().args(&["run"]).output().await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("run `forgeos-worker migrate`"), "{}", refused.stderr);
}
