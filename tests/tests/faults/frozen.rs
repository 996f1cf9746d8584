//! A worker that is stopped where it stands for longer than its leases, and wakes up with old work in its hands.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale, world::poll};

use crate::processes::test_worker;

/// Everything that the frozen one could have touched.
const STATE: &str =
    "select to_jsonb(j)::text from jobs j union all select to_jsonb(a)::text from job_attempts a
                     union all select to_jsonb(e)::text from faults.effects e order by 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_wakes_up_after_its_leases_writes_nothing() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let rounds = 4 * scale();
    let mut freezes = Vec::new();
    for round in 1..=rounds {
        let sleeper = test_worker(&world).spawn().ready().await;
        let boot = sleeper.boot().unwrap();
        // Handlers that do not listen: awake again, they go on to their write.
        world
            .sql(
                "insert into jobs (job_type, params)
                 select 'faulty', '{\"work_ms\": 700, \"deaf\": true}' from generate_series(1, 4)",
            )
            .await;
        world
            .wait_until(&format!(
                "select count(*) = 4 from faults.starts s join jobs j on j.id = s.job_id
                 where s.worker = '{boot}' and j.status = 'running'"
            ))
            .await;
        sleeper.freeze();
        freezes.push((boot, Utc::now()));
        let other = test_worker(&world).spawn();
        ledger.drained(Duration::from_secs(60)).await;
        let before = world.sql(STATE).await;
        sleeper.thaw();
        poll("the old attempts to be turned away", async || {
            (ledger.refused().await >= 4 * round as u64).then_some(())
        })
        .await;
        assert_eq!(world.sql(STATE).await, before, "a worker without leases wrote something");
        drop((sleeper, other));
    }
    let verdict = ledger.verdict("worker frozen beyond its lease (SIGSTOP), woken", rounds).await;
    verdict.recovered_in(ledger.until_freed(&freezes).await).hold();
}
