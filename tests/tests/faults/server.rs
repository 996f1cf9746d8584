//! The database server itself: without a free connection, and stopped at once in the middle of everything.

use std::time::{Duration, Instant};

use chrono::Utc;
use forgeos_tests::{
    Ledger, TestWorld,
    crash::Crash,
    server::{Durability, Server},
    verdict::scale,
    worker::RunningWorker,
};
use sqlx::{Connection, PgConnection};

/// A world on a server of its own, which keeps what it has committed.
async fn own_server() -> (TestWorld, [RunningWorker; 2]) {
    let server = tokio::task::spawn_blocking(|| Server::start(Durability::Durable)).await.unwrap().unwrap();
    let world = TestWorld::on_server(Box::leak(Box::new(server))).await;
    let workers = [world.worker().ready().await, world.worker().ready().await];
    (world, workers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_full_or_falls_costs_no_job() {
    let (world, workers) = own_server().await;
    full(&world).await;
    world
        .sql("drop schema faults cascade; drop trigger if exists zz_note_end on jobs; delete from jobs")
        .await;
    stopped(&world).await;
    for worker in workers {
        assert!(worker.is_alive());
        worker.stop().await;
    }
}

/// Somebody else takes every connection that the server has, and those of the workers as well.
async fn full(world: &TestWorld) {
    let ledger = Ledger::open(world).await;
    let mut recovery = Vec::new();
    for _ in 0..2 * scale() {
        let before = ends(world).await;
        ledger.enqueue(300, 100).await;
        world.wait_until(&format!("select count(*) >= {} from faults.ends", before + 30)).await;
        let mut hoard = Vec::new();
        let mut full_since: Option<Instant> = None;
        while full_since.is_none_or(|since| since.elapsed() < Duration::from_secs(3)) {
            match PgConnection::connect_with(&world.options).await {
                Ok(connection) => hoard.push(connection),
                Err(_full) => {
                    full_since.get_or_insert_with(Instant::now);
                    let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                                where application_name = 'forgeos worker'";
                    sqlx::query(kill).execute(&mut hoard[0]).await.unwrap();
                }
            }
        }
        let freed = Utc::now();
        for connection in hoard {
            let _ = connection.close().await;
        }
        ledger.drained(Duration::from_secs(90)).await;
        recovery.extend(ledger.until_next_end(&[freed]).await);
    }
    let verdict = ledger.verdict("server has no free connection, for 3 s", 2 * scale()).await;
    verdict.recovered_in(recovery).hold();
}

/// `pg_ctl stop -m immediate` and start: no goodbye, recovery from the log.
async fn stopped(world: &TestWorld) {
    let ledger = Ledger::open(world).await;
    let mut recovery = Vec::new();
    let mut running = None;
    for _ in 0..3 * scale() {
        let before = ends(world).await;
        ledger.enqueue(200, 100).await;
        world.wait_until(&format!("select count(*) >= {} from faults.ends", before + 30)).await;
        let crash = Crash::of(world).await;
        drop(running.replace(crash.start_again(world).await));
        let answers = Utc::now();
        ledger.drained(Duration::from_secs(90)).await;
        recovery.extend(ledger.until_next_end(&[answers]).await);
    }
    let verdict = ledger.verdict("server stopped (immediate) and started", 3 * scale()).await;
    verdict.recovered_in(recovery).hold();
    let spent = world.sql("select count(*) from jobs where attempt - attempts_forgiven > 1").await;
    assert_eq!(spent.value(), "0", "an outage is nobody's attempt");
    // The workers say goodbye to a server that is there.
    std::mem::forget(running);
}

async fn ends(world: &TestWorld) -> usize {
    world.sql("select count(*) from faults.ends").await.value().parse().unwrap()
}
