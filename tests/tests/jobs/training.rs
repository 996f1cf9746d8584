//! From labelled pictures to a model, and from the model to labels of pictures that it has not seen.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    lessons::{Lesson, column, panel},
    pictures::put,
};

#[tokio::test]
async fn a_session_becomes_a_model_that_labels_pictures_of_the_same_user() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let session = Lesson::put(&world, Some(user), 12, 0).session(&world, Some(user)).await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"training_session_id": session, "options": {"seed": 7, "folds": 3}});
    let id = world.enqueue_for("model_training", &params, Some(user)).await;
    let job = world.wait_for(id, "completed").await;

    // The session.
    let version = job.result("model_version").as_str().unwrap();
    let day = world.sql(format!(
        "select to_char(started_at at time zone 'UTC', 'YYYYMMDD') from jobs where id = '{id}'"
    ));
    assert_eq!(version, format!("{}-{session}", day.await.value()));
    assert_eq!(column(&world, session, "status").await, "completed");
    assert_eq!(column(&world, session, "model_version").await, version);
    let metrics = column(&world, session, "accuracy_metrics").await;
    assert_eq!(&metrics, job.result("accuracy_metrics"));
    assert_eq!(job.result("training_session_id"), &json!(session));
    for key in ["accuracy", "precision", "recall", "f1_score"] {
        assert!((0.0..=1.0).contains(&metrics[key].as_f64().unwrap()), "{key}: {metrics}");
    }
    assert!(metrics["accuracy"].as_f64().unwrap() > 0.8, "dark spots are plain to see: {metrics}");
    assert_eq!(metrics["labels"], json!(["good", "defect"]));
    assert_eq!((metrics["images"].clone(), metrics["images_left_out"].clone()), (json!(24), json!(0)));
    assert_eq!(metrics["split"]["seed"], 7);
    let matrix: Vec<Vec<u64>> = serde_json::from_value(metrics["confusion_matrix"].clone()).unwrap();
    assert_eq!((matrix.len(), matrix[0].len()), (2, 2));
    // The figures are of the pictures that were not kept apart, and each row of the matrix is its label's.
    let support: Vec<u64> = serde_json::from_value(metrics["support"].clone()).unwrap();
    assert_eq!(support, matrix.iter().map(|row| row.iter().sum()).collect::<Vec<u64>>());
    assert_eq!(support.iter().sum::<u64>(), metrics["split"]["pictures"].as_u64().unwrap());

    assert_files_are_true(&world, id, user, job.result("artifacts"), version).await;
    let batch = assert_batch_labels_unseen_panels(&world, user, version).await;
    assert_report_names_the_model(&world, user, batch, version).await;
}

/// Each listed file has its row, lies there, and is what its row says; there is no other.
async fn assert_files_are_true(world: &TestWorld, job: Uuid, user: Uuid, listed: &Value, version: &str) {
    let listed = listed.as_array().unwrap();
    assert_eq!((listed[0]["kind"].as_str(), listed[0]["name"].as_str()), (Some("model"), Some(version)));
    assert!(listed[1..].iter().all(|file| file["kind"] == "model_plot") && listed.len() >= 3, "{listed:?}");
    for file in listed {
        let key = file["key"].as_str().unwrap();
        assert!(key.starts_with(&format!("{user}/{job}/1/")), "{key}");
        let bytes = std::fs::read(world.object_path("models", key)).unwrap();
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)));
        let row = world
            .sql(format!(
                "select jsonb_build_object('job', job_id, 'user', user_id, 'kind', kind, 'name', item, 'key', key,
                     'bucket', bucket, 'size', size_bytes, 'sha256', sha256, 'verified', verified)
                 from artifacts where id = '{}'",
                file["artifact_id"].as_str().unwrap()
            ))
            .await
            .json();
        let expected = json!({"job": job, "user": user, "kind": file["kind"], "name": file["name"], "key": key,
            "bucket": "models", "size": bytes.len(), "sha256": file["sha256"], "verified": true});
        assert_eq!(row, expected);
    }
    assert_eq!(world.sql("select count(*) from artifacts").await.value(), listed.len().to_string());
    let folder = world.object_path("models", &format!("{user}/{job}/1"));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), listed.len(), "no other file lies there");
}

async fn assert_batch_labels_unseen_panels(world: &TestWorld, user: Uuid, version: &str) -> Uuid {
    let unseen = Lesson::put(world, Some(user), 4, 1000);
    let params = json!({"image_ids": unseen.images, "options": {"model_version": version}});
    let batch = world.enqueue_for("batch_analysis", &params, Some(user)).await;
    world.wait_for(batch, "completed").await;
    let rows =
        world.sql("select metrics from analyses join job_items on result_id = id order by position").await;
    for (row, label) in rows.column().iter().zip(&unseen.labels) {
        let metrics: Value = serde_json::from_str(row).unwrap();
        assert_eq!(
            (&metrics["model_version"], &metrics["label"]),
            (&json!(version), &json!(label)),
            "{metrics}"
        );
        let probability = metrics["probability"].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&probability), "{metrics}");
        assert!(metrics["confidence"].as_f64().unwrap() <= probability, "{metrics}");
        match *label {
            "good" => assert_eq!(metrics["severity"], "low", "{metrics}"),
            _ => assert_ne!(metrics["severity"], "low", "{metrics}"),
        }
        assert!(metrics["measured"]["severity"].is_string() && metrics["measured"]["confidence"].is_number());
    }
    batch
}

async fn assert_report_names_the_model(world: &TestWorld, user: Uuid, batch: Uuid, version: &str) {
    let params = json!({"job_id": batch, "combined": true, "formats": ["csv"]});
    let id = world.enqueue_for("report_generation", &params, Some(user)).await;
    let job = world.wait_for(id, "completed").await;
    let key = job.result("files")[0]["key"].as_str().unwrap();
    let table = std::fs::read_to_string(world.object_path("reports", key)).unwrap();
    assert_eq!(table.matches(version).count(), 8, "{table}");
}

#[tokio::test]
async fn inline_data_makes_a_session_and_the_same_seed_gives_the_same_bytes() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let lesson = Lesson::put(&world, Some(user), 10, 0);
    let mut data = lesson.data();
    let groups: Vec<String> = (0..20).map(|n| format!("part {}", n / 2)).collect();
    let region = json!({"x": 20, "y": 20, "width": 60, "height": 40, "label": "defect"});
    data["groups"] = json!(groups);
    data["annotations"] = json!([{"image_id": lesson.images[1], "regions": [region]}]);
    let _worker = world.program().args(&["run"]).spawn();
    let mut models = Vec::new();
    for seed in [3, 3, 4] {
        let params = json!({"data": data, "notes": "first panels", "options": {"seed": seed, "folds": 2}});
        let id = world.enqueue_for("model_training", &params, Some(user)).await;
        let job = world.wait_for(id, "completed").await;
        let session: Uuid = job.result("training_session_id").as_str().unwrap().parse().unwrap();
        assert_eq!(column(&world, session, "user_id").await, json!(user));
        assert_eq!(column(&world, session, "notes").await, "first panels");
        assert_eq!(column(&world, session, "data").await, data);
        assert_eq!(job.result("accuracy_metrics")["split"]["groups_from"], "given");
        assert_eq!(job.result("accuracy_metrics")["split"]["groups"], 10);
        models.push(job.result("artifacts")[0]["sha256"].as_str().unwrap().to_owned());
    }
    assert_eq!(models[0], models[1], "the same pictures and the same seed");
    assert_ne!(models[0], models[2], "another seed");
}

#[tokio::test]
async fn a_completed_session_is_trained_anew_and_a_failing_training_leaves_its_model() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let session = Lesson::put(&world, Some(user), 10, 0).session(&world, Some(user)).await;
    let _worker = world.program().args(&["run"]).spawn();
    let train = async |seed: u64| {
        let params = json!({"training_session_id": session, "options": {"seed": seed, "folds": 2}});
        world.wait_finished(world.enqueue_for("model_training", &params, Some(user)).await).await
    };
    let (first, second) = (train(1).await, train(2).await);
    assert_eq!((first.status(), second.status()), ("completed", "completed"), "{second:?}");
    let version = second.result("model_version").as_str().unwrap();
    let newest = second.result("artifacts")[0]["sha256"].clone();
    assert_ne!(first.result("artifacts")[0]["sha256"], newest);

    world.sql("update training_sessions set data = '{}'").await;
    let third = train(3).await;
    assert_eq!((third.status(), third.error_code()), ("failed", "bad_params"));
    assert_eq!(column(&world, session, "status").await, "failed");
    assert_eq!(column(&world, session, "model_version").await, version, "the model of before is still there");
    let told = column(&world, session, "accuracy_metrics").await;
    assert_eq!(told["error"], json!({"code": "bad_params", "message": third.error_message()}));
    assert_eq!(told["accuracy"], second.result("accuracy_metrics")["accuracy"], "and so are its figures");

    let image = put(&world, Some(user), &panel(500, true), "jpg");
    let params = json!({"image_ids": [image], "options": {"model_version": version}});
    let batch = world.enqueue_for("batch_analysis", &params, Some(user)).await;
    world.wait_for(batch, "completed").await;
    assert_eq!(world.sql("select metrics ->> 'label' from analyses").await.value(), "defect");
}

#[tokio::test]
async fn pictures_that_cannot_be_read_are_left_out_and_told() {
    let world = TestWorld::new().await;
    let mut lesson = Lesson::put(&world, None, 11, 0);
    let twin = std::fs::read(world.object_path("images", &format!("{}.jpg", lesson.images[0]))).unwrap();
    lesson.images.extend([
        put(&world, None, b"no picture", "jpg"),
        Uuid::new_v4(),
        put(&world, None, &twin, "jpg"),
    ]);
    lesson.labels.extend(["good", "defect", "good"]);
    let session = lesson.session(&world, None).await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"training_session_id": session, "options": {"folds": 2}});
    let job = world.enqueue("model_training", &params).await;
    let job = world.wait_for(job, "completed").await;
    let metrics = job.result("accuracy_metrics");
    assert_eq!((metrics["images"].clone(), metrics["images_left_out"].clone()), (json!(22), json!(3)));
    let told: Vec<(&Value, &Value)> = metrics["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| (&left["image_id"], &left["code"]))
        .collect();
    let ids: Vec<Value> = lesson.images[22..].iter().map(|id| json!(id)).collect();
    let codes = ["unsupported_format", "not_found", "nothing_to_do"].map(|code| json!(code));
    assert_eq!(told, ids.iter().zip(&codes).collect::<Vec<_>>());
    let warnings = metrics["warnings"].as_array().unwrap();
    assert!(
        warnings.iter().any(|w| w.as_str().unwrap().starts_with("3 images were left out")),
        "{warnings:?}"
    );
}
