//! Connections that are dead although nobody was told: a proxy that swallows everything.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{
    Ledger, TestWorld,
    line::Line,
    pgbouncer::PgBouncer,
    verdict::{figures, scale},
    worker::{InProcess, RunningWorker},
    world::{all, poll},
};

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
    let (pool, listening) = (Line::to(&world).await, Line::to(&world).await);
    let worker = world.worker().over(&pool, &listening);
    no_job_is_held("pools half-open beyond the leases", &world, worker, &pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_connections_to_a_pooler_hold_no_job_for_ever() {
    const FAULT: &str = "line to a pooler half-open beyond the leases";
    let Some(pooler) = pooler(FAULT) else { return };
    let pooler = PgBouncer::start(pooler);
    let world = TestWorld::new().await;
    let (pool, listening) = (Line::to_pooler(&pooler).await, Line::to(&world).await);
    let worker = world.worker().over(&pool, &listening).behind_a_pooler();
    no_job_is_held(FAULT, &world, worker, &pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_connections_of_a_pooler_hold_no_job_for_ever() {
    const FAULT: &str = "line behind a pooler half-open beyond the leases";
    let Some(pooler) = pooler(FAULT) else { return };
    let world = TestWorld::new().await;
    let (server, listening) = (Line::to(&world).await, Line::to(&world).await);
    let pooler = PgBouncer::before(server.address(), pooler);
    let to_pooler = Line::to_pooler(&pooler).await;
    let worker = world.worker().over(&to_pooler, &listening).behind_a_pooler();
    no_job_is_held(FAULT, &world, worker, &server).await;
}

/// The number of server connections of a pooler, if there is one to try.
fn pooler(fault: &'static str) -> Option<usize> {
    if !PgBouncer::is_installed() {
        figures(fault, "NOT TRIED, PgBouncer is not installed");
    }
    PgBouncer::is_installed().then_some(8)
}

/// The line goes dead until every lease has run out, again and again. The worker is alone, so that no other takes over
/// what hangs in it.
async fn no_job_is_held(fault: &'static str, world: &TestWorld, worker: InProcess, line: &Line) {
    let ledger = Ledger::open(world).await;
    let worker = worker.ready().await;
    let (rounds, mut recovery) = (2 * scale(), Vec::new());
    for round in 1..=rounds {
        ledger.enqueue(100, 50).await;
        world.wait_until(&format!("select count(*) >= {} from faults.ends", (round - 1) * 100 + 30)).await;
        line.go_dead();
        world
            .wait_until(
                "select max(locked_until) < now() - interval '1 s' from jobs where status = 'running'",
            )
            .await;
        line.mend();
        let mended = Utc::now();
        ledger.drained(Duration::from_secs(60)).await;
        recovery.extend(ledger.until_next_end(&[mended]).await);
    }
    ledger.verdict(fault, rounds).await.recovered_in(recovery).hold();
    assert!(worker.is_alive());
    every_place_is_free(&worker).await;
    worker.stop().await;
}

/// Dead connections keep no place of a pool.
async fn every_place_is_free(worker: &RunningWorker) {
    let handlers = &worker.environment.handlers;
    let places = handlers.pool().options().get_max_connections();
    let sessions = all((0..places).map(|_| handlers.session())).await;
    for session in sessions {
        session.expect("a place of the pool is lost");
    }
}
