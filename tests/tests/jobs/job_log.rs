//! What a handler says stands in `job_logs`, whatever the process log is set to show.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

use crate::pictures::{png, put};

#[tokio::test]
async fn the_owner_reads_what_was_said_of_a_job_and_nobody_else_does() {
    let world = TestWorld::new().await;
    let (user, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let good = put(&world, Some(user), &png(64, 48), "png");
    let worker = world.program().args(&["run"]).env("RUST_LOG", "off").spawn();
    let params = json!({ "image_ids": [good, Uuid::new_v4()] });
    let id = world.enqueue_for("batch_analysis", &params, Some(user)).await;
    world.wait_for(id, "completed").await;
    world.wait_until(&format!("select count(*) > 0 from job_logs where job_id = '{id}'")).await;

    let line =
        "select concat_ws(' | ', attempt, level, step, message, fields ->> 'failed', fields ->> 'codes')
                from job_logs";
    assert_eq!(
        world.user(user).sql(line).await.unwrap().column(),
        ["1 | info | images failed | 1 | not_found 1"]
    );
    assert!(world.user(stranger).sql(line).await.unwrap().column().is_empty());
    assert_eq!(worker.words(), "", "the process log is off");
}

#[tokio::test]
async fn the_last_words_of_a_job_are_written_before_its_worker_ends() {
    let world = TestWorld::new().await;
    let mut worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": [] })).await;
    world.wait_for(id, "failed").await;
    worker.terminate();
    worker.ended().await;
    let lines =
        world.sql(format!("select message from job_logs where job_id = '{id}' and level = 'warn'")).await;
    assert_eq!(lines.column(), ["failed"]);
}
