//! Every kind of file on its way through an S3 server that others wrote: read as a photograph, written by a batch, a
//! report and an export, linked, and read by who has the link.

use bytes::Bytes;
use forgeos_core::storage::{Bucket, Key, Storage};
use forgeos_tests::{Moto, Process, TestWorld};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

fn with_store(world: &TestWorld, moto: &Moto, args: &[&str]) -> Process {
    let program = world.program().args(args);
    moto.settings().into_iter().fold(program, |program, (name, value)| program.env(name, &value))
}

#[tokio::test]
#[ignore = "needs moto's S3 server"]
async fn a_batch_its_report_and_an_export_lie_in_anothers_store() {
    let (world, moto) = (TestWorld::new().await, Moto::start());
    let storage = Storage::open(&moto.storage_settings("s3://"), world.folder(), None).unwrap();
    let (user, image) = (Uuid::new_v4(), Uuid::new_v4());
    let photograph = Key::parse(format!("{user}/{image}.jpg")).unwrap();
    let bytes = Bytes::from(forgeos_samples::variant(3).bytes.clone());
    storage.put(Bucket::Images, &photograph, bytes, "image/jpeg").await.unwrap();

    let doctor = with_store(&world, &moto, &["doctor"]).output().await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    let _worker = with_store(&world, &moto, &["run"]).spawn();
    let absent = Uuid::new_v4();
    let batch = world.enqueue_for("batch_analysis", &json!({"image_ids": [image, absent]}), Some(user)).await;
    let batch_row = world.wait_for(batch, "completed").await;
    assert_eq!(
        (batch_row.result("successful"), batch_row.result("failed_ids")),
        (&json!(1), &json!([absent]))
    );
    let report = json!({"job_id": batch, "formats": ["pdf", "xlsx", "csv"]});
    let report = world.enqueue_for("report_generation", &report, Some(user)).await;
    let export = json!({"dataset": "analyses", "formats": ["csv", "jsonl", "xlsx", "parquet"]});
    let export = world.enqueue_for("data_export", &export, Some(user)).await;
    for job in [report, export] {
        world.wait_for(job, "completed").await;
    }

    let listed = with_store(&world, &moto, &["artifacts", "list", "--json"]).output().await;
    let files: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(files.len(), 1 + 3 + 4, "{files:?}");
    for file in &files {
        let link =
            with_store(&world, &moto, &["artifacts", "url", file["id"].as_str().unwrap()]).output().await;
        let (status, mime_type, bytes) = moto.read(link.stdout.trim());
        assert_eq!(status, 200, "{file}");
        assert_eq!(mime_type.as_deref(), file["mime_type"].as_str(), "{file}");
        assert_eq!(file["size_bytes"], bytes.len(), "{file}");
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)), "{file}");
    }
    assert_eq!(moto.open_uploads(), 0);
}
