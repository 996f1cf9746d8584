//! The disk of a local store is full, to the last byte and in the middle of a file.

use std::{path::Path, time::Duration};

use chrono::Utc;
use forgeos_tests::{Ledger, TestWorld, disk::SmallDisk, verdict::scale};

use crate::products;

const FAULT: &str = "disk of a local store full (ENOSPC)";
/// Jobs of each of three types.
const JOBS: usize = 6;
/// More than the first part of an upload, less than the export takes.
const SOME_ROOM: u64 = 8 << 20;

/// An export of 12 MB, written in parts.
async fn enqueue_large_export(world: &TestWorld) {
    world
        .sql(
            "insert into analyses (filename, status) select repeat(n || ' ', 300000), 'completed' from generate_series(10, 29) n;
             insert into jobs (job_type, params, priority) values ('data_export', '{\"dataset\": \"analyses\"}', 5)",
        )
        .await;
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.display().to_string()),
        }
    }
    found
}

/// Whether every file that a job wrote is one that a row points to: no half one, no staged one.
async fn only_whole_files(world: &TestWorld) -> Option<()> {
    let rows = world.sql("select bucket || '/' || key from artifacts").await;
    let folder = world.storage_folder();
    let known: Vec<String> =
        rows.column().iter().map(|name| folder.join(name).display().to_string()).collect();
    let written = ["outputs", "reports", "exports"].iter().flat_map(|bucket| files(&folder.join(bucket)));
    written.into_iter().all(|file| known.contains(&file)).then_some(())
}

/// So many jobs wait because the disk is full.
fn waiting(jobs: usize) -> String {
    format!(
        "select count(distinct j.id) >= {jobs} from job_attempts a join jobs j on j.id = a.job_id
         where a.error_code = 'storage_unavailable' and a.outcome = 'released' and j.status = 'pending'"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_no_job_and_no_attempt_and_leaves_no_half_file() {
    let world = TestWorld::new().await;
    let disk = match SmallDisk::mount(&world.storage_folder(), 64) {
        Ok(disk) => disk,
        Err(why) => {
            forgeos_tests::verdict::figures(FAULT, &format!("NOT TRIED, nothing can be mounted here: {why}"));
            return;
        }
    };
    let ledger = Ledger::open(&world).await;
    let worker = world.program().args(&["run"]).spawn().ready().await;
    let mut recovery = Vec::new();
    for _ in 0..scale() {
        // In the middle of a file.
        disk.leave(SOME_ROOM);
        enqueue_large_export(&world).await;
        world.wait_until(&waiting(1)).await;
        forgeos_tests::world::poll("the half of a file to go", async || only_whole_files(&world).await).await;

        // To the last byte.
        disk.free();
        world.sql("delete from analyses where length(filename) > 1000").await;
        // The pictures are put while there is room.
        world.sql("update job_types set paused = true").await;
        products::enqueue(&world, JOBS).await;
        disk.leave(0);
        world.sql("update job_types set paused = false").await;
        world.wait_until(&waiting(3)).await;
        forgeos_tests::world::poll("no half file to be there", async || only_whole_files(&world).await).await;
        let told = world
            .sql(
                "select e.detail from jobs j, explain_job(j.id) e
                 where j.status = 'pending' and j.error_code = 'storage_unavailable' and e.reason = 'scheduled' limit 1",
            )
            .await;
        assert!(told.value().contains("the disk is full"), "{told:?}");
        world
            .wait_until("select exists (select from jobs j, explain_job(j.id) e where e.reason = 'store_unavailable')")
            .await;
        assert!(worker.words().contains("os error 28"), "the log does not say why: {}", worker.words());

        disk.free();
        let space = Utc::now();
        ledger.drained(Duration::from_secs(120)).await;
        let waited = "exists (select from job_attempts a where a.job_id = e.job_id)";
        recovery.extend(ledger.until_ends(space, waited).await);
    }
    let verdict = ledger.verdict(FAULT, 2 * scale()).await.recovered_in(recovery);
    let judged = products::judge(&world, verdict).await;
    judged.hold();
    assert_eq!(only_whole_files(&world).await, Some(()), "a half file is left");
    let spent = world
        .sql("select count(*) from jobs where attempt - attempts_forgiven > 1 or error_code is not null")
        .await;
    assert_eq!(spent.value(), "0", "a full disk is nobody's attempt\n{}", worker.words());
    drop(worker);
}
