//! Params that no batch can be made of.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn bad_params_fail_at_once_and_name_what_is_wrong() {
    let world = TestWorld::new().await;
    let id = Uuid::new_v4();
    let many: Vec<Uuid> = (0..10_001).map(Uuid::from_u128).collect();
    let cases = [
        (json!({"image_ids": ["not-a-uuid"]}), "not-a-uuid"),
        (json!({"image_ids": [id, 7]}), "image_ids"),
        (json!({"image_ids": []}), "image_ids"),
        (json!({"image_ids": many}), "10000"),
        (json!({"image_ids": id}), "image_ids"),
        (json!({}), "image_ids"),
        (json!({"image_ids": [id], "colour": "red"}), "colour"),
        (json!({"image_ids": [id], "options": {"sensitivty": "high"}}), "sensitivty"),
        (json!({"image_ids": [id], "options": {"sensitivity": "extreme"}}), "extreme"),
        (json!({"image_ids": [id], "options": {"profile": "best"}}), "best"),
        (json!({"image_ids": [id], "options": {"include_visualization": "yes"}}), "include_visualization"),
        (json!({"image_ids": [id], "options": []}), "options"),
    ];
    let mut jobs = Vec::new();
    for (params, word) in &cases {
        jobs.push((world.enqueue("batch_analysis", params).await, *word));
    }
    let _worker = world.program().args(&["run"]).spawn();
    for (job, word) in jobs {
        let job = world.wait_for(job, "failed").await;
        assert_eq!((job.error_code(), job.attempt), ("bad_params", 1), "{word}: {job:?}");
        assert!(job.error_message().contains(word), "{:?} does not name {word:?}", job.error_message());
    }
    assert!(world.sql("select 1 from analyses").await.is_empty());
    assert!(world.sql("select 1 from job_items").await.is_empty());
}

#[tokio::test]
async fn keys_of_the_callers_own_are_passed_over() {
    let world = TestWorld::new().await;
    let image = crate::pictures::put_panels(&world, None, 1)[0];
    let _worker = world.program().args(&["run"]).spawn();
    let id =
        world.enqueue("batch_analysis", &json!({"image_ids": [image], "_request": {"from": "app"}})).await;
    world.wait_for(id, "completed").await;
}
