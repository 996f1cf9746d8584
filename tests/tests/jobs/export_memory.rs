//! What a process takes for an export does not grow with its rows.

use forgeos_tests::{TestWorld, process::Running};
use serde_json::{Value, json};

/// Enough that every buffer on the way is full and has been used again: two row groups of Parquet, and five.
const FEW: usize = 30_000;
const MANY: usize = 75_000;
/// What the peak may differ by, in KiB: 256 bytes for each further row, which is a fifth of what the row has.
const MOST_MORE_KIB: u64 = (MANY - FEW) as u64 * 256 / 1024;

/// `VmHWM` of a process: the most memory that it ever had, in KiB.
fn peak_kib(process: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The peak of a process that has made this export and nothing else.
async fn peak(world: &TestWorld, rows: usize, formats: &Value) -> u64 {
    let worker = world
        .program()
        // What is freed goes back at once, so that what is measured is what was held and not what the C library keeps.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_MMAP_THRESHOLD_", "262144")
        .args(&["run"])
        .spawn();
    let end = format!("(timestamptz '2026-03-02' + ({rows} + 1) * interval '1 second')");
    let end = world
        .sql(format!("select to_char({end} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"))
        .await;
    let params = json!({"dataset": "analyses", "formats": formats, "filters": {"to_date": end.value()}});
    let id = world.enqueue("data_export", &params).await;
    world.wait_within(120, &format!("select completed_at is not null from jobs where id = '{id}'")).await;
    assert_eq!(world.wait_for(id, "completed").await.result("rows"), rows);
    peak_kib(&worker)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_twice_the_rows_take_no_more_memory() {
    let world = TestWorld::new().await;
    world
        .sql(format!(
            "insert into analyses (created_at, filename, output_filename, metrics, user_id)
             select timestamptz '2026-03-02' + n * interval '1 second', n || repeat(md5(n::text), 30),
               gen_random_uuid()::text, jsonb_build_object('cvi', n / 64.0, 'severity', 'Low', 'note', md5(n::text)),
               gen_random_uuid()
             from generate_series(1, {MANY}) n;
             analyze analyses"
        ))
        .await;
    for formats in [json!(["csv"]), json!(["csv", "jsonl", "xlsx", "parquet"])] {
        let few = peak(&world, FEW, &formats).await;
        let many = peak(&world, MANY, &formats).await;
        println!("{formats}: {FEW} rows {few} KiB, {MANY} rows {many} KiB");
        assert!(many <= few + MOST_MORE_KIB, "{formats}: {FEW} rows {few} KiB, {MANY} rows {many} KiB");
    }
}
