//! Which models a batch may use, and what it says of one that it cannot.

use forgeos_tests::{JobRow, TestWorld};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    lessons::{Lesson, panel},
    pictures::put,
};

/// Trains a model for a user; answers its version and the key of its file.
async fn train(world: &TestWorld, user: Option<Uuid>) -> (String, String) {
    let data = Lesson::put(world, user, 10, 0).data();
    let params = json!({"data": data, "options": {"folds": 2}});
    let job = world.enqueue_for("model_training", &params, user).await;
    let job = world.wait_for(job, "completed").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(job.result("model_version")), text(&job.result("artifacts")[0]["key"]))
}

async fn analyse(world: &TestWorld, user: Option<Uuid>, version: &str) -> JobRow {
    let image = put(world, user, &panel(77, true), "jpg");
    let params = json!({"image_ids": [image], "options": {"model_version": version}});
    world.wait_finished(world.enqueue_for("batch_analysis", &params, user).await).await
}

#[tokio::test]
async fn a_foreign_model_is_like_one_that_does_not_exist() {
    let world = TestWorld::new().await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let _worker = world.program().args(&["run"]).spawn();
    let (version, _) = train(&world, Some(stranger)).await;
    let foreign = analyse(&world, Some(me), &version).await;
    let absent = format!("20200101-{}", Uuid::new_v4());
    let unknown = analyse(&world, Some(me), &absent).await;
    assert_eq!((foreign.status(), foreign.error_code()), ("failed", "not_found"));
    assert_eq!(foreign.error_message().replace(&version, &absent), unknown.error_message());
    assert_eq!(unknown.error_code(), "not_found");
    assert!(world.sql("select 1 from analyses").await.is_empty(), "nothing was planned");

    assert_eq!(analyse(&world, Some(stranger), &version).await.status(), "completed");
    let of_service = analyse(&world, None, &version).await;
    assert_eq!(of_service.status(), "completed", "the service may use every user's model: {of_service:?}");
}

#[tokio::test]
async fn a_model_file_that_is_not_the_one_that_was_written_is_a_permanent_error() {
    let world = TestWorld::new().await;
    let user = Some(Uuid::new_v4());
    // One process trains and another one analyses: what is spoilt here was never loaded.
    let trainer = world.program().args(&["run"]).spawn();
    let (version, key) = train(&world, user).await;
    drop(trainer);
    let path = world.object_path("models", &key);
    let whole = std::fs::read(&path).unwrap();
    let _worker = world.program().args(&["run"]).spawn();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for spoilt in [&changed[..], &whole[..middle], &[&whole[..], b"x"].concat(), b""] {
        std::fs::write(&path, spoilt).unwrap();
        let job = analyse(&world, user, &version).await;
        assert_eq!((job.status(), job.error_code(), job.attempt), ("failed", "damaged_model", 1), "{job:?}");
        assert!(job.error_message().contains("train it again"), "{}", job.error_message());
    }
    std::fs::remove_file(&path).unwrap();
    let gone = analyse(&world, user, &version).await;
    assert_eq!((gone.error_code(), gone.attempt), ("damaged_model", 1));
    // A file that its row believes in, and that is no model.
    std::fs::write(&path, b"no model").unwrap();
    world
        .sql("update artifacts set size_bytes = 8, sha256 = encode(sha256('no model'), 'hex') where kind = 'model'")
        .await;
    let no_model = analyse(&world, user, &version).await;
    assert_eq!((no_model.error_code(), no_model.attempt), ("damaged_model", 1), "{no_model:?}");
    assert!(world.sql("select 1 from analyses").await.is_empty(), "nothing was planned");
}

#[tokio::test]
async fn a_model_outlives_the_job_that_trained_it() {
    let world = TestWorld::new().await;
    let user = Some(Uuid::new_v4());
    let _worker = world.program().args(&["run"]).spawn();
    let (version, key) = train(&world, user).await;
    world.sql("delete from jobs").await;
    assert_eq!(analyse(&world, user, &version).await.status(), "completed");
    // It was loaded once: this process does not ask for the file again.
    std::fs::remove_file(world.object_path("models", &key)).unwrap();
    assert_eq!(analyse(&world, user, &version).await.status(), "completed");
}
