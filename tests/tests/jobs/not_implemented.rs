//! The job types that this version knows and does not carry out yet.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn they_fail_at_once_and_say_so() {
    let world = TestWorld::new().await;
    let id = Uuid::new_v4();
    let mut jobs = Vec::new();
    for (job_type, params) in [("model_training", json!({"training_session_id": id}))] {
        jobs.push(world.enqueue(job_type, &params).await);
    }
    let _worker = world.program().args(&["run"]).spawn();
    for job in jobs {
        let job = world.wait_for(job, "failed").await;
        assert_eq!((job.error_code(), job.attempt), ("not_implemented", 1), "{job:?}");
    }
}
