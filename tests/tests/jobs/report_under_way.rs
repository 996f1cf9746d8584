//! Reports that wait, are killed, cancelled, or find no store.

use std::time::Duration;

use forgeos_tests::{TestWorld, world::poll};
use serde_json::json;
use uuid::Uuid;

use crate::{
    pictures::{put, put_panels},
    report::{analyses, assert_files_are_true, stored},
};

#[tokio::test]
async fn a_report_waits_for_its_batch_and_is_written_when_that_has_ended() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let mut images = put_panels(&world, Some(user), 2);
    images.insert(1, put(&world, Some(user), b"no picture", "jpg"));
    let batch = world.enqueue_for("batch_analysis", &json!({ "image_ids": images }), Some(user)).await;
    world.sql(format!("update jobs set run_at = now() + interval '1 h' where id = '{batch}'")).await;
    let report = world
        .enqueue_for(
            "report_generation",
            &json!({"job_id": batch.to_string().to_uppercase(), "combined": true}),
            Some(user),
        )
        .await;
    let _worker = world.program().args(&["run"]).spawn();
    let waits = format!(
        "select status = 'pending' and progress ->> 'phase' = 'waiting_for_job' and attempt = attempts_forgiven
                and run_at > now() and error_code is null from jobs where id = '{report}'"
    );
    world.wait_until(&waits).await;
    // It looks again, and nothing is told of it.
    world.wait_until(&format!("select attempt >= 2 from jobs where id = '{report}'")).await;
    world.wait_until(&waits).await;
    assert!(world.sql("select 1 from job_attempts").await.is_empty());
    let why = world.sql(format!("select reason from explain_job('{report}')")).await;
    assert!(why.column().contains(&"waiting_for_job"), "{why:?}");

    // However late its next look would be, the end of the batch makes it due.
    world
        .sql(format!(
            "update jobs set run_at = now() + interval '1 h' where id = '{report}' and status = 'pending'"
        ))
        .await;
    world.sql(format!("update jobs set run_at = now() where id = '{batch}'")).await;
    let done = world.wait_for(batch, "completed").await;
    let job = world.wait_for(report, "completed").await;
    let late = job.completed_at.unwrap() - done.completed_at.unwrap();
    assert!(late.num_seconds() < 20, "the report came {late} after its batch");
    assert_eq!(job.attempt, job.attempts_forgiven + 1);
    assert!(world.sql("select 1 from job_attempts").await.is_empty());
    assert_eq!((job.result("generated"), job.result("failed")), (&json!(1), &json!(1)));
    let failed = world.sql("select id from analyses where status = 'failed'").await;
    assert_eq!(job.result("failed_ids"), &json!([failed.value()]));
    assert!(job.result("errors")[0]["message"].as_str().unwrap().starts_with("the analysis is `failed`: "));

    // A batch that has ended is reported on at once, image by image.
    let each = world.enqueue_for("report_generation", &json!({"job_id": batch}), Some(user)).await;
    let each = world.wait_for(each, "completed").await;
    assert_eq!((each.result("generated"), each.result("failed")), (&json!(2), &json!(1)));
    let order = world.sql("select result_id from job_items where status = 'completed' and item <> 'combined' and job_id in (select id from jobs where job_type = 'batch_analysis') order by position").await;
    let told = each.result("files").as_array().unwrap();
    for (file, analysis) in told.iter().zip(order.column()) {
        assert!(file["key"].as_str().unwrap().ends_with(&format!("/{analysis}.pdf")), "{file}");
    }
}

#[tokio::test]
async fn after_a_day_of_waiting_a_report_fails() {
    let world = TestWorld::new().await;
    let batch = world.enqueue("batch_analysis", &json!({"image_ids": [Uuid::new_v4()]})).await;
    world.sql(format!("update jobs set run_at = now() + interval '1 h' where id = '{batch}'")).await;
    let report = world.enqueue("report_generation", &json!({"job_id": batch})).await;
    world.sql(format!("update jobs set started_at = now() - interval '25 h' where id = '{report}'")).await;
    let _worker = world.program().args(&["run"]).spawn();
    let job = world.wait_for(report, "failed").await;
    assert_eq!(job.error_code(), "dependency_failed");
    assert!(job.error_message().contains("still `pending` after 24 hours"), "{}", job.error_message());
}

#[tokio::test]
async fn another_worker_goes_on_where_a_killed_one_stopped_and_sets_nothing_twice() {
    let world = TestWorld::new().await;
    world
        .sql(
            "create table written (id uuid, attempt text);
             create function log_written() returns trigger language plpgsql as $$
             begin insert into written values (new.id, new.url); return null; end $$;
             create trigger zz_log after insert or update on reports for each row execute function log_written()",
        )
        .await;
    let ids = analyses(&world, 24).await;
    let mut first = world.program().args(&["run"]).spawn();
    let id = world.enqueue("report_generation", &json!({"analysis_ids": ids})).await;
    world.wait_until("select count(*) >= 3 from job_items where status = 'completed'").await;
    first.kill();
    let open = world.sql("select count(*) from job_items where status <> 'completed'").await;
    assert_ne!(open.value(), "0", "it was killed in the middle");
    let _second = world.program().args(&["run"]).spawn();
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.crashes, job.result("generated")), (2, 1, &json!(24)));
    let written = world.sql("select count(*), count(distinct id) from written").await;
    assert_eq!(written.0[0], ["24", "24"].map(|n| Some(n.to_owned())), "a finished report was set again");
    // What the killed one had put and not recorded is gone.
    assert_files_are_true(&world, job.results.as_ref().unwrap()).await;
}

#[tokio::test]
async fn a_cancel_keeps_what_was_written_closes_the_rest_and_leaves_no_orphan() {
    let world = TestWorld::new().await;
    let ids = analyses(&world, 40).await;
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("report_generation", &json!({"analysis_ids": ids})).await;
    world.wait_until("select count(*) >= 2 from job_items where status = 'completed'").await;
    world.sql(format!("select cancel_job('{id}')")).await;
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
    let job = world.job(id).await;
    assert_eq!(job.status(), "cancelled");
    let done = job.result("generated").as_u64().unwrap();
    assert!((2..40).contains(&done), "cancelled in the middle: {done}");
    let items = world.sql("select status, count(*) from job_items group by status order by status").await;
    let count = |n: u64| Some(n.to_string());
    assert_eq!(
        items.0,
        [[Some("cancelled".to_owned()), count(40 - done)], [Some("completed".to_owned()), count(done)]]
    );
    assert_files_are_true(&world, job.results.as_ref().unwrap()).await;

    world.sql(format!("select retry_job('{id}')")).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("generated"), 40);
    assert_files_are_true(&world, job.results.as_ref().unwrap()).await;
}

#[tokio::test]
async fn without_a_store_a_report_goes_back_forgiven_and_is_written_later() {
    let world = TestWorld::new().await;
    let ids = analyses(&world, 1).await;
    let worker = world.program().args(&["run"]).spawn();
    world.wait_until("select count(*) = 1 from workers").await;
    poll("the worker to be ready", async || worker.words().contains("ready for jobs").then_some(())).await;
    let bucket = world.storage_folder().join("reports");
    std::fs::remove_dir_all(&bucket).unwrap();
    std::fs::write(&bucket, "in the way").unwrap();
    let id = world.enqueue("report_generation", &json!({"analysis_ids": ids})).await;
    world.wait_until(&format!("select attempts_forgiven = 1 from jobs where id = '{id}'")).await;
    let job = world.job(id).await;
    assert_eq!((job.status(), job.error_code()), ("pending", "storage_unavailable"));
    assert_eq!(world.sql("select outcome from job_attempts").await.value(), "released");
    assert!(world.sql("select 1 from reports").await.is_empty());

    std::fs::remove_file(&bucket).unwrap();
    std::fs::create_dir(&bucket).unwrap();
    world.sql(format!("update jobs set run_at = now() where id = '{id}' and status = 'pending'")).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("generated"), 1);
    assert_eq!(stored(&world), [format!("service/{id}/{}/{}.pdf", job.attempt, ids[0])]);
}

#[tokio::test]
async fn a_cancel_is_obeyed_while_a_large_report_is_set() {
    let world = TestWorld::new().await;
    let ids = analyses(&world, 400).await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"analysis_ids": ids, "combined": true, "template": "detailed", "options": {"include_images": false}});
    let id = world.enqueue("report_generation", &params).await;
    world
        .wait_until(&format!("select progress ->> 'phase' = 'typesetting' from jobs where id = '{id}'"))
        .await;
    let began = std::time::Instant::now();
    world.sql(format!("select cancel_job('{id}')")).await;
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(world.job(id).await.status(), "cancelled");
    assert!(stored(&world).is_empty() && world.sql("select 1 from reports").await.is_empty());
}
