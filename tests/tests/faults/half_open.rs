//! Connections that are dead although nobody was told: a proxy that swallows everything.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, line::Line, verdict::scale, world::poll};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_listening_connection_costs_a_poll_and_comes_back() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let (pool, listening) = (Line::to(&world).await, Line::to(&world).await);
    let worker = world.worker().over(&pool, &listening).poll_every(Duration::from_millis(500)).ready().await;
    let mut recovery = Vec::new();
    for _ in 0..scale() {
        listening.go_dead();
        // While nobody knows, jobs come as late as the poll interval says.
        for _ in 0..10 {
            let moment = Utc::now();
            ledger.enqueue(1, 0).await;
            ledger.drained(Duration::from_secs(30)).await;
            recovery.extend(ledger.until_next_end(&[moment]).await);
        }
        poll("the worker to see that it hears nothing", async || {
            (worker.health.wakeup_mode() == "poll").then_some(())
        })
        .await;
        listening.mend();
        poll("the worker to listen again", async || (worker.health.wakeup_mode() == "listen").then_some(()))
            .await;
    }
    // Nobody waits for the line to be given up, which takes half a minute.
    assert!(recovery.iter().all(|seconds| *seconds < 20.0), "{recovery:?}");
    let tried = scale();
    ledger.verdict("LISTEN connection half-open", tried).await.recovered_in(recovery).hold();
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_connections_of_the_pools_hold_no_job_for_ever() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let (pool, listening) = (Line::to(&world).await, Line::to(&world).await);
    // Alone, so that no other worker takes over what hangs here.
    let worker = world.worker().over(&pool, &listening).ready().await;
    let mut recovery = Vec::new();
    for round in 1..=2 * scale() {
        ledger.enqueue(100, 50).await;
        world.wait_until(&format!("select count(*) >= {} from faults.ends", (round - 1) * 100 + 30)).await;
        pool.go_dead();
        // Longer than the leases.
        world
            .wait_until(
                "select max(locked_until) < now() - interval '1 s' from jobs where status = 'running'",
            )
            .await;
        pool.mend();
        let mended = Utc::now();
        ledger.drained(Duration::from_secs(60)).await;
        recovery.extend(ledger.until_next_end(&[mended]).await);
    }
    let tried = 2 * scale();
    ledger.verdict("pools half-open beyond the leases", tried).await.recovered_in(recovery).hold();
    assert!(worker.is_alive());
    worker.stop().await;
}
