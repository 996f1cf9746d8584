//! Jobs that take their process along, or never give their slot back, among jobs that do neither. A supervisor starts
//! every worker that has ended anew, as systemd or Kubernetes would.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use forgeos_tests::{Ledger, TestWorld, process::Running, verdict::scale};
use uuid::Uuid;

use crate::processes::test_worker;

/// More than a worker ever needs; what is beyond is refused.
const ADDRESS_SPACE_BYTES: u64 = 8 << 30;

/// Keeps two workers alive until nothing is left to do, or for so long neither a job nor a worker has ended; answers the
/// deaths.
async fn supervise(world: &TestWorld, silence: Duration) -> Vec<(Uuid, DateTime<Utc>)> {
    let start = || test_worker(world).address_space(ADDRESS_SPACE_BYTES).spawn();
    let mut workers: Vec<Running> = vec![start(), start()];
    let (mut since, mut deaths, mut left) = (Instant::now(), Vec::new(), String::new());
    let not_over = "select count(*) from jobs where status in ('pending', 'running')";
    while since.elapsed() < silence {
        let now_left = world.sql(not_over).await.value().to_owned();
        if now_left == "0" {
            break;
        }
        if now_left != left {
            (left, since) = (now_left, Instant::now());
        }
        for worker in &mut workers {
            if let Some(status) = worker.has_ended() {
                assert!(!status.success(), "a worker ended as if all were well: {}", worker.words());
                deaths.extend(worker.boot().map(|boot| (boot, Utc::now())));
                *worker = start();
                since = Instant::now();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    deaths
}

/// Runs so many poisoned jobs among a hundred others; each must end as failed with one of these codes.
async fn among_others(name: &'static str, fault: &str, poisoned: usize, error_codes: &str) {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    world.sql("update job_types set timeout_seconds = 2 where name = 'faulty'").await;
    let poisoned = poisoned * scale();
    // Of a job that takes its process along the third is the last, whatever the attempts.
    let max_attempts = match fault {
        "abort" | "allocate" => 9,
        "block_for_ever" => 1,
        _ => 2,
    };
    ledger.enqueue(50 * scale(), 60).await;
    world
        .sql(format!(
            "insert into jobs (job_type, params, max_attempts)
             select 'faulty', '{{\"fault\": \"{fault}\"}}', {max_attempts}
             from generate_series(1, {poisoned})"
        ))
        .await;
    ledger.enqueue(50 * scale(), 60).await;
    let deaths = supervise(&world, Duration::from_secs(120)).await;
    let recovery = ledger.until_freed(&deaths).await;
    ledger.verdict(name, poisoned).await.recovered_in(recovery).hold();
    let ends = world
        .sql(format!(
            "select count(*) from jobs where params ->> 'fault' = '{fault}' and status = 'failed'
             and error_code = any (string_to_array('{error_codes}', ' '))"
        ))
        .await;
    assert_eq!(ends.value(), poisoned.to_string(), "{name}: they end as failed with {error_codes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_aborts_its_process_ends_after_three_of_them_and_takes_no_other_along() {
    among_others("job aborts the process", "abort", 2, "worker_lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_takes_all_memory_ends_after_three_processes_and_takes_no_other_along() {
    among_others("job takes all memory (bounded)", "allocate", 1, "worker_lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_never_returns_loses_its_slot_and_holds_up_no_other() {
    among_others("job never returns", "never_return", 3, "timed_out").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_block_every_thread_for_ever_hold_up_no_other() {
    among_others("jobs block every thread for ever", "block_for_ever", 3, "timed_out worker_lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_panics_fails_alone() {
    among_others("job panics", "panic", 3, "panicked").await;
}
