//! The pooler between the workers and the server is killed, stays away for longer than a lease, and is started again.
//! Its clients live all along: none of their jobs may count as lost with its worker.

use std::time::Duration;

use chrono::{DateTime, Utc};
use forgeos_tests::{
    Ledger, TestWorld,
    pgbouncer::PgBouncer,
    verdict::{figures, scale},
};

const FAULT: &str = "pooler killed (kill -9), away for 8 s";
const AWAY: Duration = Duration::from_secs(8);
const LEASE: Duration = Duration::from_secs(5);
/// So many seconds after the way is free again, every lease of those who live is renewed: nobody sweeps before a whole
/// lease is over.
const RENEWED_WITHIN: f64 = 4.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_falls_is_nobodys_crash() {
    if !PgBouncer::is_installed() {
        figures(FAULT, "NOT TRIED, PgBouncer is not installed");
        return;
    }
    let pooler: &'static PgBouncer = Box::leak(Box::new(PgBouncer::start(2)));
    let world = TestWorld::new().await.behind(pooler);
    let ledger = Ledger::open(&world).await;
    let worker = || world.worker().lease_seconds(LEASE.as_secs());
    // One that listens past the pooler, and one that has nothing else.
    let workers = [worker().ready().await, worker().deaf().ready().await];
    let (rounds, mut recovery, mut renewals) = (3 * scale(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let jobs = long_jobs(&world, AWAY + LEASE).await;
        ledger.enqueue(150, 50).await;
        world.wait_until(&jobs.all_run()).await;
        tokio::task::spawn_blocking(|| pooler.kill()).await.unwrap();
        tokio::time::sleep(AWAY).await;
        let ran_out = "select bool_and(locked_until < now()) from jobs where status = 'running'";
        assert_eq!(world.sql(ran_out).await.value(), "t", "away beyond the leases");
        tokio::task::spawn_blocking(|| pooler.start_again()).await.unwrap();
        let back = Utc::now();
        renewals.push(jobs.until_renewed(&world, back).await);
        ledger.drained(Duration::from_secs(90)).await;
        recovery.extend(ledger.until_next_end(&[back]).await);
    }
    figures(FAULT, &format!("all leases renewed after {renewals:.2?} s, of {} s", LEASE.as_secs()));
    ledger.verdict(FAULT, rounds).await.recovered_in(recovery).hold();
    let crashes = "select (select count(*) from jobs where crashes > 0)
                        + (select count(*) from job_attempts where outcome = 'lost')";
    assert_eq!(world.sql(crashes).await.value(), "0", "every worker lived");
    assert!(renewals.iter().all(|seconds| *seconds < RENEWED_WITHIN), "leases stayed dead: {renewals:?} s");
    for worker in workers {
        assert!(worker.is_alive());
        worker.stop().await;
    }
}

/// Jobs that run through an outage.
struct LongJobs(String);

/// Six of them: one worker alone has no room for all, and two have some left for short ones.
async fn long_jobs(world: &TestWorld, work: Duration) -> LongJobs {
    let ids = world
        .sql(format!(
            "insert into jobs (job_type, params, priority)
             select 'faulty', '{{\"work_ms\": {}}}', 1 from generate_series(1, 6) returning id",
            work.as_millis()
        ))
        .await;
    LongJobs(ids.column().join("', '"))
}

impl LongJobs {
    /// A question: whether they are under way, and have begun.
    fn all_run(&self) -> String {
        let ids = &self.0;
        format!("select count(distinct job_id) = 6 from faults.starts where job_id in ('{ids}')")
    }

    /// Seconds from a moment until no lease of theirs has run out.
    async fn until_renewed(&self, world: &TestWorld, from: DateTime<Utc>) -> f64 {
        let ids = &self.0;
        world
            .wait_until(&format!(
                "select not exists (select from jobs where id in ('{ids}') and status = 'running'
                                    and locked_until < now())"
            ))
            .await;
        (Utc::now() - from).as_seconds_f64()
    }
}
