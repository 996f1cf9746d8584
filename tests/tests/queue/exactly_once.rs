//! Two workers on one table.

use forgeos_tests::{TestWorld, job_types::runs_of, world::poll};
use serde_json::json;

/// Logs every change of `status`, so that a job that ran twice is seen even when its row looks right.
const AUDIT: &str = "
    create table status_changes (id uuid, old text, new text, attempt int, worker uuid);
    create function log_status() returns trigger language plpgsql as $$
    begin
      insert into status_changes values (new.id, old.status, new.status, new.attempt, new.locked_by);
      return null;
    end $$;
    create trigger zz_audit after update of status on jobs for each row execute function log_status()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_share_the_load_and_never_a_job() {
    let world = TestWorld::new().await;
    world.sql(AUDIT).await;
    world
        .sql(
            "insert into jobs (job_type, params) select 'noop', '{}' from generate_series(1, 1000);
             insert into jobs (job_type, params)
             select 'scripted', '{\"act\": \"succeed\"}' from generate_series(1, 1000)",
        )
        .await;
    let first = world.worker().lease_seconds(30).start().await;
    let second = world.worker().lease_seconds(30).start().await;
    world.wait_until("select count(*) = 2000 from jobs where status = 'completed'").await;
    first.stop().await;
    second.stop().await;

    // A job may be claimed ahead and given back unstarted; it is held by one at a time, and ends once.
    let once = world
        .sql(
            "select count(*) from (
                 select id from status_changes group by id
                 having count(*) filter (where new = 'running') - count(*) filter (where new = 'pending') = 1
                    and count(*) filter (where new = 'completed') = 1
                    and count(*) = count(distinct (new, attempt))) as held_once",
        )
        .await;
    assert_eq!(once.value(), "2000", "each job was held by one worker at a time and ended once");
    let ends = world.sql("select count(*) from status_changes where new not in ('running', 'pending')").await;
    assert_eq!(ends.value(), "2000");
    let workers = world.sql("select distinct worker from status_changes where new = 'running'").await;
    assert_eq!(workers.len(), 2, "both workers had a part");
    for id in world.sql("select id from jobs where job_type = 'scripted'").await.column() {
        assert_eq!(runs_of(id.parse().unwrap()), 1, "{id} ran once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_passes_by_rows_that_another_transaction_holds() {
    let world = TestWorld::new().await;
    let held = world.enqueue("noop", &json!({})).await;
    let mut other = world.pool.begin().await.unwrap();
    sqlx::query("select 1 from jobs where id = $1 for update").bind(held).execute(&mut *other).await.unwrap();
    let free = world.enqueue("noop", &json!({})).await;
    let worker = world.worker().ready().await;
    world.wait_for(free, "completed").await;
    assert_eq!(world.job(held).await.status(), "pending");
    other.rollback().await.unwrap();
    world.wait_for(held, "completed").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_tells_of_itself_while_it_lives() {
    let world = TestWorld::new().await;
    let worker = world.worker().only(&["noop"]).slots("noop", 3).ready().await;
    let row = poll("the row in workers", async || {
        let rows = world
            .sql("select id, job_types, slots, last_heartbeat_at > now() - interval '10 s' from workers")
            .await;
        rows.0.first().cloned()
    })
    .await;
    assert_eq!(row[0].as_deref(), Some(worker.id.to_string().as_str()));
    assert_eq!((row[1].as_deref(), row[2].as_deref()), (Some("{noop}"), Some("{\"noop\": 3}")));
    assert_eq!(row[3].as_deref(), Some("t"));
    worker.stop().await;
    assert!(
        world.sql("select 1 from workers").await.is_empty(),
        "a worker that ended in order leaves no row"
    );
}
