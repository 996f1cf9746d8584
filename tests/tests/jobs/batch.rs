//! From one insert to analyses, visualizations and results.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::pictures::{jpeg_with_orientation, png, put, put_panels, size_of};

/// The eight figures of the platform and what this worker adds.
const METRICS: [&str; 15] = [
    "capture",
    "confidence",
    "coverage_percent",
    "cqi",
    "cvi",
    "defects",
    "defects_detected",
    "edge_coverage_ratio",
    "height",
    "processing_time_ms",
    "profile",
    "roi_percent",
    "sensitivity",
    "severity",
    "width",
];

fn assert_metrics(metrics: &Value) {
    let mut keys: Vec<&str> = metrics.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, METRICS);
    let within = |key: &str, low: f64, high: f64| {
        let value = metrics[key].as_f64().unwrap_or_else(|| panic!("{key} is no number: {metrics}"));
        assert!((low..=high).contains(&value), "{key} = {value}");
    };
    for share in ["cvi", "cqi", "edge_coverage_ratio", "confidence"] {
        within(share, 0.0, 1.0);
    }
    within("coverage_percent", 0.0, 100.0);
    within("roi_percent", 0.0, 100.0);
    assert!(metrics["defects_detected"].is_u64() && metrics["processing_time_ms"].is_u64(), "{metrics}");
    assert!(["low", "medium", "high"].contains(&metrics["severity"].as_str().unwrap()), "{metrics}");
    let defects = metrics["defects"].as_array().unwrap();
    assert_eq!(defects.len() as u64, metrics["defects_detected"].as_u64().unwrap().min(200), "{metrics}");
    let areas: Vec<f64> = defects.iter().map(|defect| defect["area_percent"].as_f64().unwrap()).collect();
    assert!(areas.is_sorted_by(|a, b| a >= b), "{areas:?}");
    for share in ["sharpness", "lighting_evenness"] {
        let value = metrics["capture"][share].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value), "{share} = {value}");
    }
}

#[tokio::test]
async fn photographs_become_analyses_from_one_insert() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let samples: Vec<_> = forgeos_samples::demo_set();
    let images: Vec<Uuid> = samples.iter().map(|s| put(&world, Some(user), &s.bytes, s.extension)).collect();
    let _worker = world.program().args(&["run"]).spawn();

    let id = world.enqueue_for("batch_analysis", &json!({ "image_ids": images }), Some(user)).await;
    let job = world.wait_for(id, "completed").await;

    let good: Vec<Uuid> =
        images.iter().zip(&samples).filter(|(_, s)| s.defects.is_some()).map(|(id, _)| *id).collect();
    let bad: Vec<Uuid> =
        images.iter().zip(&samples).filter(|(_, s)| s.defects.is_none()).map(|(id, _)| *id).collect();
    assert_eq!(bad.len(), 1, "the set holds one damaged file");
    assert_eq!(job.result("processed"), images.len());
    assert_eq!(job.result("successful"), good.len());
    assert_eq!(job.result("failed"), 1);
    assert_eq!(job.result("failed_ids"), &json!(bad));
    assert_eq!(job.result("errors")[0]["image_id"], json!(bad[0]));
    assert_eq!(job.result("errors")[0]["code"], "damaged_image");
    assert_eq!(job.progress.as_ref().unwrap()["percent"], 100);

    let rows = world
        .sql(
            "select to_jsonb(a) || jsonb_build_object('image', i.item) from analyses a join job_items i on i.result_id = a.id
             order by i.position",
        )
        .await;
    let rows: Vec<Value> = rows.column().iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), images.len());
    let mut completed = Vec::new();
    for (row, sample) in rows.iter().zip(&samples) {
        assert_eq!((row["job_id"].clone(), row["user_id"].clone()), (json!(id), json!(user)));
        let name = format!("{user}/{}.{}", row["image"].as_str().unwrap(), sample.extension);
        assert!(name.ends_with(row["filename"].as_str().unwrap()), "{row}");
        if sample.defects.is_none() {
            assert_eq!(row["status"], "failed");
            assert_eq!(row["metrics"]["error"]["code"], "damaged_image");
            assert!(row["output_filename"].is_null());
            continue;
        }
        assert_eq!(row["status"], "completed", "{}: {row}", sample.name);
        assert_metrics(&row["metrics"]);
        assert_eq!(row["metrics"]["profile"], "standard");
        completed.push(row["id"].clone());
        let picture =
            std::fs::read(world.object_path("outputs", row["output_filename"].as_str().unwrap())).unwrap();
        assert_eq!(image::guess_format(&picture).unwrap(), image::ImageFormat::Jpeg, "{}", sample.name);
        assert!(size_of(&picture).0 > 100);
    }
    assert_eq!(job.result("analysis_ids"), &json!(completed));
    assert_artifacts_are_true(&world, id, user, good.len()).await;
}

/// Each row of `artifacts` is about a file that is there, and there is no other file.
async fn assert_artifacts_are_true(world: &TestWorld, job: Uuid, user: Uuid, count: usize) {
    let rows = world
        .sql(
            "select jsonb_build_object('key', key, 'size', size_bytes, 'kind', kind, 'bucket', bucket, 'item', item, 'attempt', attempt,
                                       'mime', mime_type, 'user', user_id, 'job', job_id, 'sha256', sha256) from artifacts",
        )
        .await;
    assert_eq!(rows.len(), count);
    for row in rows.column() {
        let row: Value = serde_json::from_str(row).unwrap();
        assert_eq!((row["user"].clone(), row["job"].clone()), (json!(user), json!(job)));
        assert_eq!((row["bucket"].clone(), row["mime"].clone()), (json!("outputs"), json!("image/jpeg")));
        let item = row["item"].as_str().unwrap();
        assert_eq!(row["key"], format!("{user}/{job}/1/{item}.jpg"));
        let file = std::fs::read(world.object_path("outputs", row["key"].as_str().unwrap())).unwrap();
        assert_eq!(row["size"], file.len());
        assert_eq!(row["sha256"].as_str().unwrap().len(), 64);
    }
    let folder = world.object_path("outputs", &format!("{user}/{job}/1"));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), count, "no other file lies there");
}

#[tokio::test]
async fn without_visualization_there_is_no_file() {
    let world = TestWorld::new().await;
    let images = put_panels(&world, None, 2);
    let _worker = world.program().args(&["run"]).spawn();
    let params =
        json!({"image_ids": images, "options": {"include_visualization": false, "sensitivity": "high"}});
    let id = world.enqueue("batch_analysis", &params).await;
    world.wait_for(id, "completed").await;
    let rows = world.sql("select output_filename is null from analyses").await;
    assert_eq!(rows.column(), ["t", "t"]);
    assert!(world.sql("select 1 from artifacts").await.is_empty());
    assert!(!world.object_path("outputs", "service").exists());
}

#[tokio::test]
async fn the_reference_profile_is_named_in_its_metrics() {
    let world = TestWorld::new().await;
    let image = put(&world, None, &png(160, 120), "png");
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"image_ids": [image], "options": {"profile": "reference"}});
    let reference = world.enqueue("batch_analysis", &params).await;
    let standard = world.enqueue("batch_analysis", &json!({"image_ids": [image]})).await;
    world.wait_for(reference, "completed").await;
    world.wait_for(standard, "completed").await;
    let of = async |job: Uuid| {
        world.sql(format!("select metrics from analyses where job_id = '{job}'")).await.json()
    };
    let (reference, standard) = (of(reference).await, of(standard).await);
    assert_metrics(&reference);
    assert_eq!(
        (reference["profile"].clone(), standard["profile"].clone()),
        (json!("reference"), json!("standard"))
    );
    assert_eq!((reference["width"].clone(), reference["height"].clone()), (json!(160), json!(120)));
    // A global contrast of two halves is no defect to one definition and none of the other's business.
    assert_ne!(reference["cvi"], standard["cvi"]);
}

#[tokio::test]
async fn a_camera_that_was_held_upright_gives_an_upright_picture() {
    let world = TestWorld::new().await;
    let images: Vec<Uuid> =
        [1, 6].iter().map(|o| put(&world, None, &jpeg_with_orientation(160, 96, *o), "jpg")).collect();
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    world.wait_for(id, "completed").await;
    let rows = world
        .sql(
            "select concat_ws('x', metrics ->> 'width', metrics ->> 'height') || ' ' || output_filename
             from analyses join job_items on result_id = id order by position",
        )
        .await;
    for (row, (width, height)) in rows.column().iter().zip([(160, 96), (96, 160)]) {
        let (size, file) = row.split_once(' ').unwrap();
        assert_eq!(size, format!("{width}x{height}"));
        let (w, h) = size_of(&std::fs::read(world.object_path("outputs", file)).unwrap());
        assert_eq!(w > h, width > height, "the visualization is turned as well: {w}x{h}");
    }
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_duplicate_is_analysed_and_counted_once() {
    let world = TestWorld::new().await;
    let images = put_panels(&world, None, 2);
    let _worker = world.program().args(&["run"]).spawn();
    let params =
        json!({"image_ids": [images[0], images[1], images[0], images[0].to_string().to_uppercase()]});
    let id = world.enqueue("batch_analysis", &params).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(
        (job.result("processed"), job.result("analysis_ids").as_array().unwrap().len()),
        (&json!(2), 2)
    );
    assert_eq!(world.sql("select count(*) from analyses").await.value(), "2");
}

#[tokio::test]
async fn an_open_analysis_is_filled_in_place_and_a_completed_one_is_left_alone() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    world.put("images", &format!("{user}/upload.jpg"), &forgeos_samples::variant(1).bytes);
    let rows = world
        .sql(format!(
            "insert into analyses (filename, status, user_id, metrics) values
                ('upload.jpg', 'pending', '{user}', null), ('{user}/upload.jpg', 'completed', '{user}', '{{\"cvi\": 0.123}}')
             returning id"
        ))
        .await;
    let (open, closed) = (rows.column()[0].to_owned(), rows.column()[1].to_owned());
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue_for("batch_analysis", &json!({"image_ids": [open, closed]}), Some(user)).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("analysis_ids")[0], json!(open));
    assert_ne!(job.result("analysis_ids")[1], json!(closed));
    let filled = world.sql(format!("select status, metrics from analyses where id = '{open}'")).await;
    assert_eq!(filled.0[0][0].as_deref(), Some("completed"));
    assert_metrics(&serde_json::from_str(filled.0[0][1].as_ref().unwrap()).unwrap());
    let left = world.sql(format!("select metrics from analyses where id = '{closed}'")).await;
    assert_eq!(left.json(), json!({"cvi": 0.123}));
}

#[tokio::test]
async fn progress_runs_from_nothing_to_all() {
    let world = TestWorld::new().await;
    let images = put_panels(&world, None, 60);
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    let mut seen = Vec::new();
    forgeos_tests::world::poll("the batch to end", async || {
        let job = world.job(id).await;
        if let Some(progress) = &job.progress {
            seen.push(progress["done"].as_u64().unwrap());
            assert_eq!(
                progress["total"],
                if progress["phase"] == "planning" { progress["total"].clone() } else { json!(60) }
            );
        }
        job.is_finished().then_some(())
    })
    .await;
    assert!(seen.is_sorted(), "progress went back: {seen:?}");
    assert_eq!(seen.last(), Some(&60));
}
