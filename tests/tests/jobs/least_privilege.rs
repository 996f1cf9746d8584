//! A worker that logs in with the rights of `forgeos_worker` and no more does all of its work.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

use crate::{lessons::Lesson, pictures::put_panels};

#[tokio::test]
async fn a_member_of_forgeos_worker_carries_out_every_kind_of_job() {
    let world = TestWorld::new().await;
    let login = format!("plain_{}", Uuid::new_v4().simple());
    world.sql(format!("create role {login} login; grant forgeos_worker to {login}")).await;
    let url = world.url().replace("forgeos@", &format!("{login}@"));
    assert_ne!(url, world.url());
    let output = world.program().env("DATABASE_URL", &url).args(&["doctor"]).output().await;
    assert_eq!(output.code, Some(0), "{output:?}");

    let user = Uuid::new_v4();
    let images = put_panels(&world, Some(user), 2);
    let _worker = world.program().env("DATABASE_URL", &url).args(&["run"]).spawn();
    let batch = world.enqueue_for("batch_analysis", &json!({ "image_ids": images }), Some(user)).await;
    let report =
        json!({ "job_id": batch, "combined": true, "template": "summary", "formats": ["pdf", "csv"] });
    let report = world.enqueue_for("report_generation", &report, Some(user)).await;
    let export = world.enqueue_for("data_export", &json!({ "dataset": "analyses" }), Some(user)).await;
    let lesson = Lesson::put(&world, Some(user), 10, 0).data();
    let training = json!({"data": lesson, "options": {"folds": 2}});
    let training = world.enqueue_for("model_training", &training, Some(user)).await;
    let refused =
        world.enqueue_for("batch_analysis", &json!({ "image_ids": [Uuid::new_v4()] }), Some(user)).await;
    for job in [batch, report, export, training] {
        world.wait_for(job, "completed").await;
    }
    let version = world.job(training).await.result("model_version").clone();
    let with_model = json!({"image_ids": images, "options": {"model_version": version}});
    let with_model = world.enqueue_for("batch_analysis", &with_model, Some(user)).await;
    world.wait_for(with_model, "completed").await;
    assert_eq!(world.wait_for(refused, "failed").await.error_code(), "not_found");
    let cancelled = world.enqueue_for("batch_analysis", &json!({ "image_ids": images }), Some(user)).await;
    world.sql(format!("update jobs set status = 'cancelled' where id = '{cancelled}'")).await;
    world.wait_for(cancelled, "cancelled").await;
    world.wait_until("select count(*) > 0 from job_logs").await;

    // What it may not: pass itself off as an administrator, or look where nobody let it.
    for forbidden in [
        "create role friend",
        "drop table jobs",
        "truncate jobs",
        "alter table jobs disable row level security",
    ] {
        world.login(&login).denied(forbidden).await;
    }
}
