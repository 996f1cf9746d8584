//! A cancel in the middle of a batch.

use forgeos_tests::TestWorld;
use serde_json::json;

use crate::pictures::put_panels;

#[tokio::test]
async fn what_was_done_is_kept_and_the_rest_is_closed() {
    let world = TestWorld::new().await;
    let images = put_panels(&world, None, 60);
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    world.wait_until("select count(*) >= 4 from job_items where status = 'completed'").await;
    world.sql(format!("update jobs set status = 'cancelled' where id = '{id}'")).await;
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;

    let job = world.job(id).await;
    assert_eq!(job.status(), "cancelled");
    let done = job.result("successful").as_u64().unwrap();
    assert!((4..60).contains(&done), "cancelled in the middle: {done}");
    let statuses = world.sql("select status, count(*) from analyses group by status order by status").await;
    assert_eq!(
        statuses.0,
        [
            [Some("completed".to_owned()), Some(done.to_string())],
            [Some("failed".to_owned()), Some((60 - done).to_string())]
        ]
    );
    assert_eq!(job.result("analysis_ids").as_array().unwrap().len() as u64, done);
    let open = world.sql("select count(*) from job_items where status in ('pending', 'running')").await;
    assert_eq!(open.value(), "0");
    assert_eq!(world.sql("select outcome from job_attempts").await.value(), "cancelled");

    // A retry does the rest and nothing twice.
    let stamps = "select id, metrics from analyses where status = 'completed' order by id";
    let before = world.sql(stamps).await;
    world.sql(format!("select retry_job('{id}')")).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.result("successful"), job.result("failed")), (&json!(60), &json!(0)));
    let after = world.sql(stamps).await;
    assert_eq!(after.len(), 60);
    assert!(before.0.iter().all(|row| after.0.contains(row)), "a finished image was analysed again");
}
