//! Somebody's transaction stays open for long, so that the database can clear nothing away, while jobs pass.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale};
use sqlx::Connection;

/// A phase is measured in so many parts, so that what else the machine does for a moment is not taken for the phase.
const PARTS: usize = 5;

/// What a phase came to.
struct Passed {
    /// Jobs a second of each part, from the first start to the last end, by the database's clock.
    pace: Vec<f64>,
    /// Dead rows of `jobs` afterwards.
    dead: u64,
}

impl Passed {
    fn median(&self) -> f64 {
        let mut sorted = self.pace.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

/// Lets so many jobs pass.
async fn pass(world: &TestWorld, ledger: &Ledger<'_>, jobs: usize) -> Passed {
    let (part, mut pace) = (jobs / PARTS, Vec::new());
    for _ in 0..PARTS {
        let before = world.sql("select coalesce(max(completed_at), '-infinity')::text from jobs").await;
        world
            .sql(format!(
                "insert into jobs (job_type, params) select 'noop', '{{}}' from generate_series(1, {part})"
            ))
            .await;
        ledger.drained(Duration::from_secs(300)).await;
        let seconds = world
            .sql(format!(
                "select extract(epoch from max(completed_at) - min(started_at))::float8 from jobs
                 where completed_at > '{}'",
                before.value()
            ))
            .await;
        pace.push(part as f64 / seconds.value().parse::<f64>().unwrap());
    }
    let dead = world.sql("select dead_tuple_count from pgstattuple('jobs')").await.value().parse().unwrap();
    Passed { pace, dead }
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
        "jobs/s, median of {PARTS} parts: {:.0} before, {:.0} during (its last part {:.0}), {:.0} after; dead rows {} {} {}",
        before.median(),
        during.median(),
        during.pace[PARTS - 1],
        after.median(),
        before.dead,
        during.dead,
        after.dead
    );
    forgeos_tests::verdict::figures("transaction held open", &figures);
    assert!(during.median() > before.median() / 10.0, "{figures}");
    worker.stop().await;
}
