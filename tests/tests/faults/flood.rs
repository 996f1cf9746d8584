//! Ten thousand jobs of one user, and one of another.

use std::time::Duration;

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, verdict::scale, world::poll};
use uuid::Uuid;

/// Floods the queue and answers, in seconds, how long the one job of the other user waited, and how long the flood; and
/// how many of the flood were begun before it.
async fn flood(world: &TestWorld, ledger: &Ledger<'_>, jobs: usize) -> (f64, f64, usize) {
    let (many, one) = (Uuid::new_v4(), Uuid::new_v4());
    world
        .sql(format!(
            "insert into jobs (job_type, params, user_id)
             select 'noop', '{{}}', '{many}' from generate_series(1, {jobs});
             insert into jobs (job_type, params, user_id) values ('noop', '{{}}', '{one}')"
        ))
        .await;
    // The rows are there together, and dated from the beginning of their insert.
    let there = Utc::now();
    ledger.drained(Duration::from_secs(300)).await;
    let wait = |user: Uuid| {
        format!(
            "select greatest(0, extract(epoch from max(started_at) - '{there}'))::float8 from jobs
             where user_id = '{user}'"
        )
    };
    let seconds = async |user| world.sql(wait(user)).await.value().parse::<f64>().unwrap();
    let before = world
        .sql(format!(
            "select count(*) from jobs
             where user_id = '{many}' and started_at < (select started_at from jobs where user_id = '{one}')"
        ))
        .await;
    (seconds(one).await, seconds(many).await, before.value().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_job_of_a_user_does_not_wait_for_the_ten_thousand_of_another() {
    let world = TestWorld::new().await;
    let ledger = Ledger::open(&world).await;
    let jobs = 10_000 * scale();
    let worker = world.worker().only(&["noop"]).lease_seconds(30).ready().await;
    let plain = flood(&world, &ledger, jobs).await;
    world.sql("update job_types set fair = true where name = 'noop'").await;
    // A rule is known to every worker after a second.
    poll("the rule to be known", async || {
        let long_ago = "select now() - updated_at > interval '1500 ms' from (select max(completed_at) as updated_at from jobs) j";
        (world.sql(long_ago).await.value() == "t").then_some(())
    })
    .await;
    let fair = flood(&world, &ledger, jobs).await;
    ledger.verdict("10,000 jobs of one user, one of another", 2).await.recovered_in(vec![fair.0]).hold();
    let figures = format!(
        "the one waits {:.2} s of {:.1} s in order ({} begun before it), {:.2} s of {:.1} s with fair claims ({})",
        plain.0, plain.1, plain.2, fair.0, fair.1, fair.2
    );
    forgeos_tests::verdict::figures("10,000 jobs of one user, one of another", &figures);
    // It was inserted last. In turns it comes with the first claim that sees it.
    assert!(plain.2 > jobs / 2 && fair.2 < jobs / 4, "{figures}");
    worker.stop().await;
}
