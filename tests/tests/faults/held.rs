//! Somebody's transaction stays open for long, so that the database can clear nothing away, while jobs pass.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale};
use sqlx::Connection;

/// Lets so many jobs pass; answers jobs a second and the dead rows of `jobs` afterwards.
async fn pass(world: &TestWorld, ledger: &Ledger<'_>, jobs: usize) -> (f64, u64) {
    let began = std::time::Instant::now();
    world
        .sql(format!(
            "insert into jobs (job_type, params) select 'noop', '{{}}' from generate_series(1, {jobs})"
        ))
        .await;
    ledger.drained(Duration::from_secs(300)).await;
    let pace = jobs as f64 / began.elapsed().as_secs_f64();
    let dead = world.sql("select dead_tuple_count from pgstattuple('jobs')").await.value().parse().unwrap();
    (pace, dead)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_pass_while_a_transaction_is_held_open() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    world.sql("create extension pgstattuple").await;
    let jobs = 10_000 * scale();
    let worker = world.worker().only(&["noop"]).lease_seconds(30).ready().await;
    let before = pass(&world, &ledger, jobs).await;
    let mut other = sqlx::PgConnection::connect_with(&world.options).await.unwrap();
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from jobs")
        .execute(&mut other)
        .await
        .unwrap();
    let during = pass(&world, &ledger, jobs).await;
    sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
    let ended = Utc::now();
    world.sql("vacuum jobs").await;
    let after = pass(&world, &ledger, jobs).await;
    let recovery = ledger.until_next_end(&[ended]).await;
    ledger.verdict("transaction held open", 1).await.recovered_in(recovery).hold();
    let figures = format!(
        "jobs/s {:.0} before, {:.0} during, {:.0} after; dead rows {} {} {}",
        before.0, during.0, after.0, before.1, during.1, after.1
    );
    forgeos_tests::verdict::figures("transaction held open", &figures);
    assert!(during.0 > before.0 / 10.0, "{figures}");
    worker.stop().await;
}
