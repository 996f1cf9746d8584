//! A store that fails, is full, is slow, or breaks off what it sends.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{
    Ledger, S3, TestWorld,
    s3::Trouble,
    verdict::{Verdict, scale},
};

use crate::products;

/// Jobs of each of three types.
const JOBS: usize = 6;

async fn in_trouble(fault: &'static str, trouble: Trouble) -> Verdict {
    let (world, s3) = (TestWorld::new().await, S3::start());
    let ledger = Ledger::open(&world).await;
    let program =
        s3.settings().into_iter().fold(world.program(), |program, (name, value)| program.env(name, &value));
    let worker = program.args(&["run"]).spawn().ready().await;
    let mut recovery = Vec::new();
    for round in 1..=scale() {
        s3.trouble(trouble);
        products::enqueue_with(&world, JOBS, |key, bytes| s3.put("images", key, bytes)).await;
        // A slow store is used; with any other the jobs find out and wait.
        let felt = match trouble {
            Trouble::Slow(_) => format!("select count(*) >= {} from faults.ends", (round - 1) * 3 * JOBS + 2),
            _ => format!(
                "select count(distinct j.id) >= 4 from job_attempts a join jobs j on j.id = a.job_id
                 where a.error_code = 'storage_unavailable' and j.status = 'pending' and {round} > 0"
            ),
        };
        world.wait_until(&felt).await;
        s3.trouble(Trouble::None);
        let mended = Utc::now();
        ledger.drained(Duration::from_secs(120)).await;
        let waited = "exists (select from job_attempts a where a.job_id = e.job_id)";
        recovery.extend(match trouble {
            Trouble::Slow(_) => ledger.until_next_end(&[mended]).await,
            _ => ledger.until_ends(mended, waited).await,
        });
    }
    let verdict = ledger.verdict(fault, scale()).await.recovered_in(recovery);
    let objects = s3.objects();
    let verdict =
        products::judge_with(&world, verdict, |name| objects.iter().any(|object| object == name)).await;
    let spent = world
        .sql("select count(*) from jobs where attempt - attempts_forgiven > 1 or error_code is not null");
    assert_eq!(spent.await.value(), "0", "{fault}: an outage is nobody's attempt\n{}", worker.words());
    verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trouble_of_the_store_costs_a_job_or_an_attempt() {
    let verdicts = tokio::join!(
        in_trouble("store failing (500)", Trouble::Failing),
        in_trouble("store full (507)", Trouble::Full),
        in_trouble("store slow (1 s an answer)", Trouble::Slow(Duration::from_secs(1))),
        in_trouble("store breaks off what it sends", Trouble::Truncated),
    );
    verdicts.0.hold();
    verdicts.1.hold();
    verdicts.2.hold();
    verdicts.3.hold();
}
