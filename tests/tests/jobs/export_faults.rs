//! Exports that are disturbed: rows that change, a cancel, kill -9, SIGTERM, a store that is away.
//!
//! The rows of these tests pass a gate: the value of one row in the middle is computed by a function that waits for a
//! lock which the test holds. So the export stands still in its middle until the test has done what it is about.

use forgeos_tests::TestWorld;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::export::{ids_in_files, objects};

/// Rows in the table, and the one before which the gate is: by then some 12 MB were read, so that parts were sent.
const ROWS: usize = 9_000;
const GATE: usize = 7_000;

/// The gate; it opens when this is dropped or closed.
struct Gate(PgConnection);

impl Gate {
    /// Fills `analyses` and closes the gate in its middle.
    async fn close(world: &TestWorld) -> Self {
        world
            .sql(format!(
                "create function public.gate(n text) returns text language plpgsql stable as $$
                 begin
                   if n = '{GATE}' then perform pg_advisory_xact_lock_shared(7); end if;
                   return n || repeat('.', 1800);
                 end $$;
                 insert into analyses (id, created_at, filename, metrics)
                 select md5('a' || n)::uuid, timestamptz '2026-03-02' + n * interval '1 second', n, '{{\"cvi\": 0.5}}'
                 from generate_series(1, {ROWS}) n;
                 alter table analyses rename to analyses_rows;
                 create view public.analyses as select id, created_at, public.gate(filename) as filename, output_filename, metrics,
                   status, user_id, job_id from analyses_rows;
                 analyze analyses_rows;
                 -- Rows are computed as the index gives them, not all of them before the first is sent.
                 alter database {} set enable_sort = off",
                world.database
            ))
            .await;
        let mut connection = PgConnection::connect_with(&world.options).await.unwrap();
        sqlx::query("select pg_advisory_lock(7)").execute(&mut connection).await.unwrap();
        Self(connection)
    }

    /// Waits until an export stands before it and has written what it could.
    async fn reached(&self, world: &TestWorld, job: Uuid) {
        world
            .wait_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted")
            .await;
        world
            .wait_until(&format!(
                "select coalesce((progress ->> 'done')::int, 0) >= 5000 from jobs where id = '{job}'"
            ))
            .await;
        assert!(objects(world).iter().any(|path| path.to_string_lossy().contains('#')), "a part was staged");
        let progress = world.sql(format!("select progress from jobs where id = '{job}'")).await.json();
        assert_eq!((&progress["phase"], &progress["total"]), (&json!("exporting"), &json!(ROWS)));
        assert!((50..100).contains(&progress["percent"].as_u64().unwrap()), "{progress}");
    }

    async fn open(self) {
        self.0.close().await.unwrap();
    }
}

fn params() -> serde_json::Value {
    json!({"dataset": "analyses", "formats": ["csv", "jsonl"]})
}

/// The export is complete: every row once in each file, one row a file. A machine that is busy may have lost a lease on
/// the way, so the attempt is only a lower bound.
async fn assert_whole(world: &TestWorld, job: Uuid, attempt: i32) {
    let job = world.wait_for(job, "completed").await;
    assert!(job.attempt >= attempt, "attempt {}", job.attempt);
    assert_eq!(job.result("rows"), &json!(ROWS));
    let expected = world.sql("select id from analyses_rows order by created_at, id").await;
    for (format, ids) in ids_in_files(world, &job).await {
        assert!(ids == expected.column(), "{format}");
    }
    let rows = world.sql("select (select count(*) from reports), (select count(*) from artifacts)").await;
    assert_eq!(rows.0, [[Some("2".to_owned()), Some("2".to_owned())]]);
}

async fn assert_nothing_is_left(world: &TestWorld) {
    assert_eq!(objects(world), Vec::<std::path::PathBuf>::new());
    let rows = world.sql("select (select count(*) from reports), (select count(*) from artifacts)").await;
    assert_eq!(rows.0, [[Some("0".to_owned()), Some("0".to_owned())]]);
}

#[tokio::test]
async fn a_cancel_in_the_middle_leaves_nothing_and_no_connection() {
    let world = TestWorld::new().await;
    let gate = Gate::close(&world).await;
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("data_export", &params()).await;
    gate.reached(&world, id).await;
    world.sql(format!("update jobs set status = 'cancelled' where id = '{id}'")).await;
    let began = std::time::Instant::now();
    world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
    // The heartbeat's interval, and what a busy machine adds.
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    let job = world.job(id).await;
    assert_eq!((job.status(), job.result("rows")), ("cancelled", &json!(0)));
    assert_nothing_is_left(&world).await;
    gate.open().await;
    // The server finds that nobody reads any more, and the pool was not given the connection back.
    world.wait_until("select count(*) = 0 from pg_stat_activity where query like 'select case when%' and datname = current_database()").await;
    world.sql("select retry_job(id) from jobs").await;
    assert_whole(&world, id, 2).await;
}

#[tokio::test]
async fn another_worker_begins_anew_after_a_kill_and_no_half_file_stays() {
    let world = TestWorld::new().await;
    let gate = Gate::close(&world).await;
    let mut worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("data_export", &params()).await;
    gate.reached(&world, id).await;
    worker.kill();
    assert!(!objects(&world).is_empty(), "a killed process leaves what it had staged");
    gate.open().await;
    let _other = world.program().args(&["run"]).spawn();
    assert_whole(&world, id, 2).await;

    let attempt = world.job(id).await.attempt;

    // Once more, as if the answer to the last transaction had been lost: the same rows, one set of files.
    let reports = "select id from reports order by id";
    let before = world.sql(reports).await;
    world
        .sql("set session_replication_role = replica; update jobs set status = 'pending', run_at = now(); set session_replication_role = default")
        .await;
    world.wait_until(&format!("select attempt > {attempt} and status = 'completed' from jobs")).await;
    assert_whole(&world, id, attempt + 1).await;
    assert_eq!(world.sql(reports).await, before);
}

#[tokio::test]
async fn a_frozen_worker_that_lost_its_lease_changes_nothing() {
    let world = TestWorld::new().await;
    let gate = Gate::close(&world).await;
    let mut worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("data_export", &params()).await;
    gate.reached(&world, id).await;
    worker.freeze();
    gate.open().await;
    let _other = world.program().args(&["run"]).spawn();
    assert_whole(&world, id, 2).await;
    let rows = "select id::text, metadata::text from reports union all
                select key, sha256 || attempt from artifacts order by 1";
    let before = world.sql(rows).await;
    worker.thaw();
    worker.terminate();
    worker.ended().await;
    assert_eq!(world.sql(rows).await, before);
    assert_whole(&world, id, 2).await;
}

#[tokio::test]
async fn a_worker_that_is_told_to_end_gives_the_export_back() {
    let world = TestWorld::new().await;
    let gate = Gate::close(&world).await;
    let mut worker =
        world.program().env("FORGEOS__WORKER__SHUTDOWN_GRACE_SECONDS", "0").args(&["run"]).spawn();
    let id = world.enqueue("data_export", &params()).await;
    gate.reached(&world, id).await;
    worker.terminate();
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.words());
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempts_forgiven), ("pending", 1));
    assert_nothing_is_left(&world).await;
    gate.open().await;
}

#[tokio::test]
async fn rows_that_change_while_an_export_runs_are_as_they_were_in_every_format() {
    let world = TestWorld::new().await;
    let gate = Gate::close(&world).await;
    let before = world.sql("select id, status from analyses_rows order by created_at, id").await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"dataset": "analyses", "formats": ["csv", "jsonl", "xlsx", "parquet"]});
    let id = world.enqueue("data_export", &params).await;
    gate.reached(&world, id).await;
    // Behind the gate, where nothing was read yet.
    world
        .sql(
            "update analyses_rows set status = 'failed' where filename::int > 8000;
             delete from analyses_rows where filename::int between 7500 and 7600;
             insert into analyses_rows (filename, created_at) values ('x', '2026-03-02 01:00:00+00'), ('y', now())",
        )
        .await;
    gate.open().await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("rows"), ROWS);
    for (format, ids) in ids_in_files(&world, &job).await {
        assert!(ids == before.column(), "{format}");
    }
    let csv =
        std::fs::read(world.object_path("exports", job.result("files")[0]["key"].as_str().unwrap())).unwrap();
    let statuses = crate::export::csv_column(&csv, "status");
    assert!(statuses.iter().all(|status| status == "completed"), "a change got into the snapshot");
}

#[tokio::test]
async fn a_store_that_is_away_costs_no_attempt() {
    let world = TestWorld::new().await;
    world.sql("insert into analyses (filename) select n::text from generate_series(1, 10) n").await;
    let _worker = world.program().args(&["run"]).spawn();
    world.wait_until("select count(*) = 1 from workers").await;
    let (here, away) = (world.storage_folder().join("exports"), world.folder().join("unmounted"));
    std::fs::rename(&here, &away).unwrap();
    let id = world.enqueue("data_export", &params()).await;
    world.wait_until("select attempts_forgiven >= 1 and error_code = 'storage_unavailable' from jobs").await;
    assert_eq!(world.sql("select count(*) from reports").await.value(), "0");
    std::fs::rename(&away, &here).unwrap();
    world.sql("update jobs set run_at = now() where status = 'pending'").await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("rows"), 10);
    assert_eq!(ids_in_files(&world, &job).await.len(), 2);
}
