//! Workers whose clocks are wrong by an hour, one way and the other: the only clock that counts is the database's.

use std::{process::Command, time::Duration};

use chrono::{DateTime, Utc};
use forgeos_tests::{Ledger, TestWorld, process::Running, verdict::scale};

use crate::{processes::test_worker, products};

/// Every moment that a worker has written, with its place, that is not within the time of the test.
const MOMENTS: &str = "
    select place, moment from (
        select 'jobs.started_at', started_at from jobs union all
        select 'jobs.completed_at', completed_at from jobs union all
        select 'jobs.updated_at', updated_at from jobs union all
        select 'jobs.run_at', run_at - interval '30 s' from jobs union all
        select 'job_attempts.started_at', started_at from job_attempts union all
        select 'job_attempts.ended_at', ended_at from job_attempts union all
        select 'job_logs.logged_at', logged_at from job_logs union all
        select 'workers.started_at', started_at from workers union all
        select 'workers.last_heartbeat_at', last_heartbeat_at from workers union all
        select 'analyses.created_at', created_at from analyses union all
        select 'artifacts.created_at', created_at from artifacts union all
        select 'reports.created_at', created_at from reports union all
        select 'reports.metadata.generated_at', (metadata ->> 'generated_at')::timestamptz from reports
    ) as written (place, moment)
    where moment not between now() - interval '10 minutes' and now() + interval '1 second'";

/// Builds what makes a clock wrong. A C compiler is there wherever Rust links.
fn wrong_clock(world: &TestWorld) -> String {
    let (source, library) = (world.folder().join("clock.c"), world.folder().join("clock.so"));
    std::fs::write(&source, include_str!("clock.c")).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
    assert!(built.unwrap().success(), "clock.c cannot be built");
    library.display().to_string()
}

/// How far a process's own clock is from the right one: its log lines begin with the time.
fn hours_wrong(worker: &Running) -> f64 {
    let words = worker.words();
    let said: DateTime<Utc> = words.split_whitespace().next().unwrap().parse().unwrap();
    (said - Utc::now()).num_seconds() as f64 / 3600.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_changes_nothing() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let library = wrong_clock(&world);
    let with_clock = |seconds: i64| {
        test_worker(&world)
            .env("LD_PRELOAD", &library)
            .env("FAULT_CLOCK_OFFSET", &seconds.to_string())
            .spawn()
            .ready()
    };
    let (fast, slow) = tokio::join!(with_clock(3600), with_clock(-3600));
    for (worker, hours) in [(&fast, 1.0), (&slow, -1.0)] {
        assert!((hours_wrong(worker) - hours).abs() < 0.1, "the clock is right: {}", worker.words());
    }
    ledger.enqueue(300 * scale(), 40).await;
    products::enqueue(&world, 10 * scale()).await;
    // Retries and starts in the future are due by the database's clock.
    world
        .sql(
            "insert into jobs (job_type, params, run_at)
             select 'faulty', '{}', now() + interval '3 s' from generate_series(1, 10);
             insert into jobs (job_type, params, max_attempts)
             select 'faulty', '{\"fault\": \"panic\"}', 2 from generate_series(1, 4)",
        )
        .await;
    // When a lease has run out is a matter of clocks as well.
    let lost = slow.boot().unwrap();
    world.wait_until(&format!("select exists (select from jobs where locked_by = '{lost}')")).await;
    drop(slow);
    let at = Utc::now();
    ledger.drained(Duration::from_secs(90)).await;
    let verdict = ledger.verdict("clocks of the workers wrong by an hour", 2).await;
    products::judge(&world, verdict).await.recovered_in(ledger.until_freed(&[(lost, at)]).await).hold();
    let wrong = world.sql(MOMENTS).await;
    assert!(wrong.is_empty(), "moments by a wrong clock: {wrong:?}");
    let early = "select count(*) from jobs where started_at < run_at and attempt = 1 and params = '{}'";
    assert_eq!(world.sql(early).await.value(), "0", "a job was started before its time");
    let pauses = world
        .sql(
            "select min(s.at - a.ended_at) >= interval '1 s' and max(s.at - a.ended_at) < interval '10 min'
             from job_attempts a join faults.starts s on s.job_id = a.job_id and s.attempt > a.attempt
             where a.error_code = 'panicked'",
        )
        .await;
    assert_eq!(pauses.value(), "t", "retries came at the wrong time");
}
