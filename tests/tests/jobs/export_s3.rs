//! Exports into an S3 store: large files in parts, and what is left in the store when an export is disturbed.

use std::time::{Duration, Instant};

use forgeos_tests::{S3, TestWorld, process::Process, s3::Damage, world::poll};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::export::csv_column;

/// Some 30 MB as CSV, which is more than five parts.
const ROWS: usize = 12_000;

async fn fill(world: &TestWorld) {
    world
        .sql(format!(
            "insert into analyses (filename, created_at, metrics)
             select n || repeat('.', 2500), timestamptz '2026-03-02' + n * interval '1 second', '{{\"cvi\": 0.5}}'
             from generate_series(1, {ROWS}) n"
        ))
        .await;
}

fn program(world: &TestWorld, s3: &S3) -> Process {
    s3.settings()
        .into_iter()
        .fold(world.program().args(&["run"]), |program, (name, value)| program.env(name, &value))
}

fn params() -> Value {
    json!({"dataset": "analyses", "formats": ["csv", "jsonl"]})
}

async fn assert_whole(world: &TestWorld, s3: &S3, id: Uuid) {
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("rows"), ROWS);
    let expected = world.sql("select id from analyses order by created_at, id").await;
    let files = job.result("files").as_array().unwrap();
    assert_eq!(files.len(), 2);
    for file in files {
        let key = file["key"].as_str().unwrap();
        let bytes = s3.object("exports", key).unwrap();
        assert!(s3.parts("exports", key).unwrap() > 5, "{:?} parts", s3.parts("exports", key));
        assert_eq!(file["size_bytes"], bytes.len());
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)));
        assert_eq!(file["url"], format!("s3://exports/{key}"));
        let (ids, mime_type): (Vec<String>, _) = match file["format"].as_str().unwrap() {
            "csv" => (csv_column(&bytes, "id"), "text/csv; charset=utf-8; header=present"),
            _ => {
                let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                let id =
                    |line| serde_json::from_slice::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
                (lines.map(id).collect(), "application/x-ndjson")
            }
        };
        assert!(ids == expected.column(), "{key}");
        assert_eq!(s3.mime_type("exports", key).as_deref(), Some(mime_type));
    }
    assert_eq!((s3.objects().len(), s3.open_uploads()), (2, 0));
    let rows = world.sql("select count(*), count(*) filter (where verified) from artifacts").await;
    assert_eq!(rows.0, [[Some("2".to_owned()), Some("2".to_owned())]]);
}

async fn assert_nothing_is_left(world: &TestWorld, s3: &S3) {
    poll("no upload to be open", async || (s3.open_uploads() == 0).then_some(())).await;
    assert_eq!(s3.objects(), Vec::<String>::new());
    let rows = world.sql("select (select count(*) from reports), (select count(*) from artifacts)").await;
    assert_eq!(rows.0, [[Some("0".to_owned()), Some("0".to_owned())]]);
}

#[tokio::test]
async fn large_files_arrive_in_parts_and_a_part_that_is_refused_is_sent_again() {
    let (world, s3) = (TestWorld::new().await, S3::start());
    fill(&world).await;
    s3.refuse_parts(3);
    let _worker = program(&world, &s3).spawn();
    let id = world.enqueue("data_export", &params()).await;
    assert_whole(&world, &s3, id).await;
    assert!(s3.has_refused());
    assert_eq!(world.job(id).await.attempts_forgiven, 0);
}

#[tokio::test]
async fn a_cancel_aborts_the_uploads_at_once() {
    let (world, s3) = (TestWorld::new().await, S3::start());
    fill(&world).await;
    let _worker = program(&world, &s3).spawn();
    // A busy machine may be late once; not three times.
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        s3.hold_parts(true);
        let id = world.enqueue("data_export", &params()).await;
        poll("both uploads to be open", async || (s3.open_uploads() == 2).then_some(())).await;
        let cancelled = Instant::now();
        world.sql(format!("update jobs set status = 'cancelled' where id = '{id}'")).await;
        world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
        fastest = fastest.min(cancelled.elapsed());
        assert_eq!(world.job(id).await.status(), "cancelled");
        assert_nothing_is_left(&world, &s3).await;
        s3.hold_parts(false);
        if fastest < Duration::from_secs(1) {
            return;
        }
    }
    panic!("a cancelled export went on for {fastest:?}");
}

#[tokio::test]
async fn a_store_that_refuses_parts_gets_the_export_later() {
    let (world, s3) = (TestWorld::new().await, S3::start());
    fill(&world).await;
    s3.refuse_parts(usize::MAX);
    let _worker = program(&world, &s3).spawn();
    let id = world.enqueue("data_export", &params()).await;
    world
        .wait_until("select status = 'pending' and attempts_forgiven = 1 and error_code = 'storage_unavailable' from jobs")
        .await;
    assert_nothing_is_left(&world, &s3).await;
    s3.refuse_parts(0);
    world.sql("update jobs set run_at = now() where status = 'pending'").await;
    assert_whole(&world, &s3, id).await;
}

#[tokio::test]
async fn a_file_that_the_store_holds_otherwise_than_it_was_written_does_not_count() {
    let (world, s3) = (TestWorld::new().await, S3::start());
    fill(&world).await;
    let _worker = program(&world, &s3).spawn();
    for damage in [Damage::Shorter, Damage::Changed] {
        s3.damage(damage);
        let insert = format!("select enqueue_job('data_export', '{}', max_attempts => 1)", params());
        let id = world.sql(insert).await.value().parse().unwrap();
        let job = world.wait_for(id, "failed").await;
        assert_eq!(job.error_code(), "storage_unavailable", "{damage:?}: {job:?}");
        assert_nothing_is_left(&world, &s3).await;
    }
}
