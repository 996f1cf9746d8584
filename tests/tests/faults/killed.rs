//! kill -9, again and again.

use std::time::Duration;

use forgeos_tests::{Ledger, TestWorld, verdict::scale};

use crate::{
    processes::{kill_at_work, test_worker},
    products,
};

/// Jobs of each of the product's types for each death of the real program, which has nothing else to do.
const PRODUCTS: usize = 7;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_killed_again_and_again_lose_no_job() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    // Two that know every type, and the real program, which leaves the tests' own alone.
    let start = |place: usize| match place {
        2 => world.program().args(&["run"]).spawn(),
        _ => test_worker(&world).spawn(),
    };
    let mut workers = [start(0), start(1), start(2)];
    let (jobs, rounds) = (2_000 * scale(), 12 * scale());
    ledger.enqueue(jobs - rounds / 3 * 3 * PRODUCTS, 120).await;
    let mut deaths = Vec::new();
    for round in 0..rounds {
        // Spread over the run. Were each new process killed as soon as it has a job, the same jobs would be hit again
        // and again, because what was lost comes first; and the third time ends a job.
        let ended = jobs * 8 / 10 * round / rounds;
        world.wait_within(600, &format!("select count(*) >= {ended} from faults.ends")).await;
        let place = round % workers.len();
        if place == 2 {
            products::enqueue(&world, PRODUCTS).await;
        }
        deaths.extend(kill_at_work(&world, &mut workers[place]).await);
        workers[place] = start(place);
    }
    ledger.drained(Duration::from_secs(90)).await;
    assert_eq!(deaths.len(), rounds, "the jobs were over before the last death");
    let moments: Vec<_> = deaths.iter().map(|(_, at)| *at).collect();
    let next_end = ledger.until_next_end(&moments).await;
    let slowest = next_end.iter().copied().fold(0.0, f64::max);
    let verdict = ledger.verdict("worker killed (kill -9)", deaths.len()).await;
    let verdict = products::judge(&world, verdict).await;
    verdict.recovered_in(ledger.until_freed(&deaths).await).hold();
    assert!(slowest < 30.0, "after a death the others stood still for {slowest} s");
}
