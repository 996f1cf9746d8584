//! While the object store is away, the jobs that need it are not claimed and given back again and again.

use forgeos_tests::TestWorld;
use serde_json::json;

const JOBS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_pause_while_the_store_is_away_and_go_on_when_it_is_back() {
    let world = TestWorld::new().await;
    world
        .sql(format!(
            "insert into jobs (job_type, params)
             select 'scripted', '{{\"act\": \"report_outage\"}}' from generate_series(1, {JOBS})"
        ))
        .await;
    let worker = world.worker().ready().await;
    world.wait_until("select exists (select from workers where 'scripted' = any (store_away))").await;
    // Until it has looked again, and found that nothing has changed.
    world.wait_until("select count(*) >= 6 from job_attempts where outcome = 'released'").await;
    let never_tried =
        world.sql("select count(*) from jobs where job_type = 'scripted' and attempt = 0").await;
    let never_tried: usize = never_tried.value().parse().unwrap();
    assert!(never_tried > JOBS / 2, "only {never_tried} of {JOBS} were left in peace");
    let other = world.enqueue("noop", &json!({})).await;
    world.wait_for(other, "completed").await;
    let reasons = "select distinct e.reason from jobs j, explain_job(j.id) e where j.job_type = 'scripted' and j.attempt = 0";
    assert_eq!(world.sql(reasons).await.column(), ["store_unavailable"]);

    world.sql("update jobs set params = '{\"act\": \"succeed\"}' where job_type = 'scripted'").await;
    world
        .wait_until(&format!(
            "select count(*) = {JOBS} from jobs where job_type = 'scripted' and status = 'completed'"
        ))
        .await;
    world.wait_until("select store_away = '{}' from workers").await;
    let spent = world.sql("select count(*) from jobs where attempt - attempts_forgiven > 1").await;
    assert_eq!(spent.value(), "0", "an outage is nobody's attempt");
    worker.stop().await;
}
