//! What no model is made of, and what is somebody else's.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    lessons::{Lesson, column, panel, session},
    pictures::put,
};

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::new_v4()).collect()
}

#[tokio::test]
async fn a_class_of_fewer_than_ten_images_is_refused_by_name() {
    let world = TestWorld::new().await;
    let mut lesson = Lesson::put(&world, None, 10, 0);
    lesson.images.truncate(19);
    lesson.labels.truncate(19);
    let few = lesson.session(&world, None).await;
    // Ten of each by name, and one of them is not there.
    let mut gone = Lesson::put(&world, None, 10, 0);
    gone.images[1] = Uuid::new_v4();
    let gone = gone.session(&world, None).await;
    let _worker = world.program().args(&["run"]).spawn();
    for (session, words) in [
        (few, "a class needs at least 10 images: `defect` has 9"),
        (
            gone,
            "a class needs at least 10 images: `defect` has 9 (one image was left out: there is no image with this id)",
        ),
    ] {
        let job = world.enqueue("model_training", &json!({"training_session_id": session})).await;
        let job = world.wait_for(job, "failed").await;
        assert_eq!((job.error_code(), job.error_message(), job.attempt), ("bad_params", words, 1));
        assert_eq!(column(&world, session, "status").await, "failed");
        assert_eq!(column(&world, session, "accuracy_metrics").await["error"]["message"], words);
    }
    assert!(world.sql("select 1 from artifacts").await.is_empty());
    assert!(!world.object_path("models", "service").exists());
}

#[tokio::test]
async fn a_foreign_session_is_like_one_that_does_not_exist_and_stays_as_it_is() {
    let world = TestWorld::new().await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let theirs = Lesson::put(&world, Some(stranger), 10, 0).session(&world, Some(stranger)).await;
    let _worker = world.program().args(&["run"]).spawn();
    let mut answers = Vec::new();
    for session in [theirs, Uuid::new_v4()] {
        let params = json!({"training_session_id": session});
        let job = world.enqueue_for("model_training", &params, Some(me)).await;
        let job = world.wait_for(job, "failed").await;
        answers.push((job.error_code().to_owned(), job.error_message().to_owned()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, "not_found");
    assert_eq!(column(&world, theirs, "status").await, "pending");
    assert!(world.sql("select 1 from job_items").await.is_empty());
}

#[tokio::test]
async fn pictures_of_another_user_do_not_exist_also_for_the_service_that_trains_a_users_session() {
    let world = TestWorld::new().await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let theirs = Lesson::put(&world, Some(stranger), 10, 0);
    let session = theirs.session(&world, Some(me)).await;
    let _worker = world.program().args(&["run"]).spawn();
    for user in [Some(me), None] {
        let job = world.enqueue_for("model_training", &json!({"training_session_id": session}), user).await;
        let job = world.wait_for(job, "failed").await;
        assert_eq!(job.error_code(), "bad_params");
        assert!(job.error_message().contains("there is no image with this id"), "{}", job.error_message());
    }
}

#[tokio::test]
async fn a_model_of_a_users_session_is_the_users_whoever_has_it_trained() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let session = Lesson::put(&world, Some(user), 10, 0).session(&world, Some(user)).await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"training_session_id": session, "options": {"folds": 2}});
    let job = world.enqueue("model_training", &params).await;
    world.wait_for(job, "completed").await;
    let rows = world.sql("select distinct user_id, split_part(key, '/', 1) from artifacts").await;
    assert_eq!(rows.0, [[Some(user.to_string()), Some("service".to_owned())]]);
    let version = column(&world, session, "model_version").await;
    let image = put(&world, Some(user), &panel(50, true), "jpg");
    let params = json!({"image_ids": [image], "options": {"model_version": version}});
    let batch = world.enqueue_for("batch_analysis", &params, Some(user)).await;
    world.wait_for(batch, "completed").await;
}

#[tokio::test]
async fn whatever_a_user_writes_into_a_session_is_refused_with_its_place() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let one = Uuid::new_v4();
    let labels: Vec<&str> = ["good", "defect"].into_iter().cycle().take(20).collect();
    let with = |key: &str, value: Value| {
        let mut data = json!({"images": ids(20), "labels": labels});
        data[key] = value;
        data
    };
    let mut deep = json!(1);
    for _ in 0..120 {
        deep = json!([deep]);
    }
    let region =
        json!({"image_id": one, "regions": [{"x": 1e308, "y": 0, "width": 1, "height": 1, "label": "x"}]});
    let many: Vec<Uuid> = ids(10_001);
    let mut cases = vec![
        (json!("images"), "data must be a JSON object, not a string"),
        (json!({}), "`images` is missing"),
        (with("images", json!({})), "data.images: must be an array"),
        (with("images", json!(["../../etc/passwd"])), "data.images[0]: must be a UUID"),
        (with("images", json!(many)), "at most 10000 are allowed"),
        (with("labels", json!(vec![7; 20])), "data.labels[0]: must be a string"),
        (with("labels", json!(vec!["x".repeat(70_000); 20])), "more than 64 characters"),
        (with("labels", json!(["good"])), "`data.labels` has 1 entries for 20 images"),
        (with("groups", json!(["a"])), "`data.groups` has 1 entries"),
        (with("annotations", json!([region])), "which is not one of `data.images`"),
        (with("annotations", deep.clone()), "data.annotations"),
        (with("colour", json!(1)), "unknown key `colour`"),
    ];
    for _ in 0..20 {
        deep = json!([deep]);
    }
    cases.push((with("annotations", deep), "data cannot be read as JSON of usual depth"));
    let mut jobs = Vec::new();
    for (data, words) in &cases {
        let session = session(&world, Some(user), data).await;
        let params = json!({"training_session_id": session});
        jobs.push((session, world.enqueue_for("model_training", &params, Some(user)).await, *words));
    }
    let none =
        world.sql(format!("insert into training_sessions (user_id) values ('{user}') returning id")).await;
    let none: Uuid = none.value().parse().unwrap();
    let params = json!({"training_session_id": none});
    jobs.push((none, world.enqueue_for("model_training", &params, Some(user)).await, "has no `data`"));
    let _worker = world.program().args(&["run"]).spawn();
    for (session, job, words) in jobs {
        let job = world.wait_for(job, "failed").await;
        assert_eq!((job.error_code(), job.attempt), ("bad_params", 1), "{words}: {job:?}");
        assert!(job.error_message().contains(words), "{:?} does not say {words:?}", job.error_message());
        assert_eq!(column(&world, session, "status").await, "failed");
        let error = column(&world, session, "accuracy_metrics").await;
        assert_eq!(error["error"]["code"], "bad_params");
    }
}

#[tokio::test]
async fn params_that_no_model_can_be_made_of_make_no_session() {
    let world = TestWorld::new().await;
    let images = ids(2);
    let data = json!({"images": images, "labels": ["good", "defect"]});
    let cases = [
        (json!({}), "one of `training_session_id` and `data`"),
        (json!({"data": data, "training_session_id": images[0]}), "exactly one is allowed"),
        (json!({"data": {"images": images, "labels": ["good", "good"]}}), "only one word"),
        (json!({"data": data, "options": {"test_fraction": 0.9}}), "from 0 to 0.5"),
        (json!({"data": data, "options": {"folds": 2.5}}), "params.options.folds: must be a whole number"),
        (json!({"data": data, "notes": 7}), "params.notes: must be a string"),
    ];
    let mut jobs = Vec::new();
    for (params, words) in &cases {
        jobs.push((world.enqueue("model_training", params).await, *words));
    }
    let _worker = world.program().args(&["run"]).spawn();
    for (job, words) in jobs {
        let job = world.wait_for(job, "failed").await;
        assert_eq!((job.error_code(), job.attempt), ("bad_params", 1), "{words}: {job:?}");
        assert!(job.error_message().contains(words), "{:?} does not say {words:?}", job.error_message());
    }
    assert!(world.sql("select 1 from training_sessions").await.is_empty());
}
