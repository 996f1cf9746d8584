//! The database's processes are killed under the worker, twice a second.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale};

const KILL: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and application_name = 'forgeos worker'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_every_connection_twice_a_second_costs_no_job() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let times = 16 * scale();
    ledger.enqueue(800 * scale(), 150).await;
    let workers = [world.worker().ready().await, world.worker().ready().await];
    let mut moments = Vec::new();
    let mut twice_a_second = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..times {
        twice_a_second.tick().await;
        world.sql(KILL).await;
        moments.push(Utc::now());
    }
    ledger.drained(Duration::from_secs(90)).await;
    let verdict = ledger.verdict("database connections killed, twice a second", times).await;
    verdict.recovered_in(ledger.until_next_end(&moments).await).hold();
    for worker in workers {
        assert!(worker.is_alive());
        worker.stop().await;
    }
    let spent = world.sql("select count(*) from jobs where attempt - attempts_forgiven > 1").await;
    assert_eq!(spent.value(), "0", "an outage is nobody's attempt");
}
