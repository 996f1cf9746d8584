//! Somebody keeps every connection of the handlers' pool, for longer than a lease and than a handler waits for one.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exhausted_pool_costs_no_lease_and_no_attempt() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let worker = world.worker().ready().await;
    // It would take over what is not renewed.
    let rival = world.worker().only(&["noop"]).ready().await;
    let mut recovery = Vec::new();
    for round in 1..=scale() {
        ledger.enqueue(200, 50).await;
        world.wait_until(&format!("select count(*) >= {} from faults.ends", (round - 1) * 200 + 20)).await;
        let handlers = &worker.environment.handlers;
        let mut held = Vec::new();
        for _ in 0..handlers.pool().options().get_max_connections() {
            held.push(handlers.session().await.unwrap());
        }
        world
            .wait_until("select exists (select from job_attempts where error_code = 'database_unavailable')")
            .await;
        drop(held);
        let free = Utc::now();
        ledger.drained(Duration::from_secs(90)).await;
        recovery.extend(ledger.until_next_end(&[free]).await);
    }
    let tried = scale();
    ledger.verdict("every connection of the pool held, for 10 s", tried).await.recovered_in(recovery).hold();
    let spent =
        world.sql("select count(*) from jobs where attempt - attempts_forgiven > 1 or crashes > 0").await;
    assert_eq!(spent.value(), "0", "leases are renewed by a pool of their own");
    worker.stop().await;
    rival.stop().await;
}
