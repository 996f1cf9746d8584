//! The lease and its fence: who lost it writes nothing more.

use forgeos_core::{
    Lease, WorkerId,
    db::{
        DbError, Session,
        queue::{self, Completion, Ending},
    },
};
use forgeos_tests::TestWorld;
use serde_json::json;

use crate::claiming::claim;

/// A job that `first` holds no longer: its lease ran out and `second` has claimed it.
async fn taken_over(world: &TestWorld) -> (Lease, Lease) {
    let id = world.enqueue("noop", &json!({})).await;
    let old = claim(world, WorkerId::random(), 30.0, &[("noop", 1)]).await[0].lease;
    world.sql(format!("update jobs set status = 'pending', locked_by = null where id = '{id}'")).await;
    let new = claim(world, WorkerId::random(), 30.0, &[("noop", 1)]).await[0].lease;
    assert_eq!((old.job, old.attempt + 1), (new.job, new.attempt));
    (old, new)
}

fn ending(lease: Lease, status: &'static str) -> Ending {
    Ending {
        lease,
        status,
        outcome: Some("failed"),
        forgiven: false,
        delay_seconds: 0.0,
        results: Some("{\"of\": \"the old attempt\"}".to_owned()),
        error_code: Some("internal"),
        error_message: Some("of the old attempt".to_owned()),
        error_chain: vec![],
        started_at: None,
        progress: None,
    }
}

#[tokio::test]
async fn a_stale_attempt_begins_no_write() {
    let world = TestWorld::new().await;
    let (old, new) = taken_over(&world).await;
    let db = world.db();
    assert!(matches!(db.begin_fenced(old).await, Err(DbError::LeaseLost)));
    assert!(matches!(db.begin_fenced_cancelled(old).await, Err(DbError::LeaseLost)));
    // The same attempt in the hands of another worker proves nothing either.
    let stranger = Lease { worker: WorkerId::random(), ..new };
    assert!(matches!(db.begin_fenced(stranger).await, Err(DbError::LeaseLost)));
    db.begin_fenced(new).await.unwrap().rollback().await.unwrap();
}

#[tokio::test]
async fn a_stale_attempt_settles_nothing() {
    let world = TestWorld::new().await;
    let (old, new) = taken_over(&world).await;
    let before = world.sql("select * from jobs").await;
    let mut session = world.db().session().await.unwrap();
    let completion = Completion { lease: old, results: Some("{}".to_owned()), progress: None };
    assert!(queue::complete(&mut session, old.worker, &[completion]).await.unwrap().is_empty());
    for status in ["failed", "pending", "cancelled"] {
        assert!(queue::end(&mut session, old.worker, &[ending(old, status)]).await.unwrap().is_empty());
    }
    assert_eq!(world.sql("select * from jobs").await, before, "the row of the new attempt is as it was");
    assert!(world.sql("select 1 from job_attempts").await.is_empty());
    let completion = Completion { lease: new, results: Some("{}".to_owned()), progress: None };
    assert_eq!(queue::complete(&mut session, new.worker, &[completion]).await.unwrap(), [new.job]);
}

#[tokio::test]
async fn a_stale_attempt_renews_nothing_and_is_told() {
    let world = TestWorld::new().await;
    let (old, new) = taken_over(&world).await;
    let before = world.sql("select * from jobs").await;
    let mut session = world.db().session().await.unwrap();
    let lost =
        queue::heartbeat(&mut session, old.worker, 30.0, &[(old.job, old.attempt, Some("{}".to_owned()))])
            .await
            .unwrap();
    assert_eq!(lost.len(), 1);
    assert!(!lost[0].cancelled);
    assert_eq!(world.sql("select * from jobs").await, before);
    let kept =
        queue::heartbeat(&mut session, new.worker, 30.0, &[(new.job, new.attempt, None)]).await.unwrap();
    assert!(kept.is_empty());
}

#[tokio::test]
async fn while_a_fenced_write_is_open_nobody_can_take_the_job() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    let lease = claim(&world, WorkerId::random(), 0.05, &[("noop", 1)]).await[0].lease;
    let fenced = world.db().begin_fenced(lease).await.unwrap();
    world.wait_until(&format!("select locked_until < now() from jobs where id = '{id}'")).await;
    let mut session = world.db().session().await.unwrap();
    assert!(queue::sweep(&mut session, 0.0, 3).await.unwrap().is_empty());
    // A heartbeat goes on beside it.
    let lost = queue::heartbeat(&mut session, lease.worker, 0.05, &[(lease.job, lease.attempt, None)]).await;
    assert!(lost.unwrap().is_empty());
    fenced.commit().await.unwrap();
    world.wait_until(&format!("select locked_until < now() from jobs where id = '{id}'")).await;
    assert_eq!(queue::sweep(&mut session, 0.0, 3).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_write_that_never_ends_does_not_hold_the_job_for_ever() {
    let world = TestWorld::new().await;
    let id = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    let frozen = world.worker().lease_seconds(1).only(&["noop"]).ready().await;
    // A process that was stopped, or cut off, in the middle of a write.
    let lease = claim(&world, WorkerId::random(), 1.0, &[("scripted", 1)]).await[0].lease;
    let write = frozen.environment.handlers.begin_fenced(lease).await.unwrap();
    let other = world.worker().lease_seconds(1).only(&["scripted"]).ready().await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.attempt, 2);
    assert!(write.commit().await.is_err(), "the old write must not count");
    other.stop().await;
    frozen.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_lost_once_runs_alone_in_its_process() {
    let world = TestWorld::new().await;
    let group = &world.database;
    for _ in 0..4 {
        world.enqueue("scripted", &json!({"act": {"count_together": group}})).await;
    }
    world.sql("update jobs set crashes = 1, attempt = 1").await;
    let worker = world.worker().slots("scripted", 4).ready().await;
    world.wait_until("select count(*) = 4 from jobs where status = 'completed'").await;
    assert_eq!(forgeos_tests::job_types::most_together(group), 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_workers_job_is_taken_up_by_another_one() {
    let world = TestWorld::new().await;
    let id = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    let dead = claim(&world, WorkerId::random(), 1.0, &[("scripted", 1)]).await[0].lease;
    let worker = world.worker().lease_seconds(1).ready().await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.crashes), (2, 1));
    let lost = world.sql("select attempt, outcome, error_code, worker_id from job_attempts").await;
    let text = |i: usize| lost.0[0][i].clone().unwrap();
    assert_eq!((text(0), text(1), text(2)), ("1".into(), "lost".into(), "worker_lost".into()));
    assert_eq!(text(3), dead.worker.to_string());
    worker.stop().await;
}

#[tokio::test]
async fn the_third_lost_lease_fails_the_job_whatever_its_attempts() {
    let world = TestWorld::new().await;
    let id = world
        .sql("insert into jobs (job_type, params, max_attempts) values ('noop', '{}', 99) returning id")
        .await;
    let id: uuid::Uuid = id.value().parse().unwrap();
    let mut session = world.db().session().await.unwrap();
    for lost in 1..=3 {
        assert_eq!(claim(&world, WorkerId::random(), 0.0, &[("noop", 1)]).await.len(), 1);
        let swept = queue::sweep(&mut session, 0.0, 3).await.unwrap();
        assert_eq!(swept.len(), 1);
        assert_eq!(
            (swept[0].crashes, swept[0].status.as_str()),
            (lost, if lost < 3 { "pending" } else { "failed" })
        );
    }
    let job = world.job(id).await;
    assert_eq!((job.status(), job.error_code(), job.crashes), ("failed", "worker_lost", 3));
    assert!(job.completed_at.is_some() && job.locked_by.is_none());
    assert_eq!(world.sql("select count(*) from job_attempts where outcome = 'lost'").await.value(), "3");
}

#[tokio::test]
async fn a_lost_lease_counts_as_an_attempt() {
    let world = TestWorld::new().await;
    world.sql("insert into jobs (job_type, params, max_attempts) values ('noop', '{}', 1)").await;
    claim(&world, WorkerId::random(), 0.0, &[("noop", 1)]).await;
    let mut session = world.db().session().await.unwrap();
    assert_eq!(queue::sweep(&mut session, 0.0, 3).await.unwrap()[0].status, "failed");
}

#[tokio::test]
async fn a_live_lease_is_never_swept() {
    let world = TestWorld::new().await;
    world.enqueue("noop", &json!({})).await;
    claim(&world, WorkerId::random(), 30.0, &[("noop", 1)]).await;
    let mut session = world.db().session().await.unwrap();
    assert!(queue::sweep(&mut session, 0.0, 3).await.unwrap().is_empty());
    // And nothing at all before the server was up for a lease: nobody could renew while it was down.
    world.sql("update jobs set locked_until = now() - interval '1 minute'").await;
    assert!(queue::sweep(&mut session, 1e9, 3).await.unwrap().is_empty());
    assert_eq!(queue::sweep(&mut session, 0.0, 3).await.unwrap().len(), 1);
}

/// The contact as somebody left it: how long it had lasted, and when the last look was.
async fn contact(world: &TestWorld, lasted: &str, last: &str) {
    world
        .sql(format!(
            "insert into forgeos.contact (lease_seconds, since, last)
             values (20, now() + interval '{last}' - interval '{lasted}', now() + interval '{last}')
             on conflict (lease_seconds) do update set since = excluded.since, last = excluded.last"
        ))
        .await;
}

#[tokio::test]
async fn nothing_is_swept_before_a_whole_lease_of_contact_without_a_gap_whose_ever_it_was() {
    const LEASE: f64 = 20.0;
    let world = TestWorld::new().await;
    world.enqueue("noop", &json!({})).await;
    claim(&world, WorkerId::random(), 0.0, &[("noop", 1)]).await;
    let mut session = world.db().session().await.unwrap();
    // The server, too, must have been up for a lease; of that another test tells.
    world.wait_until("select pg_postmaster_start_time() < now() - interval '20 s'").await;
    let mut sweep = async || {
        queue::note_contact(&mut session, LEASE).await.unwrap();
        queue::sweep(&mut session, LEASE, 3).await.unwrap().len()
    };
    assert_eq!(sweep().await, 0, "nobody has looked before");
    contact(&world, "5 s", "0 s").await;
    assert_eq!(sweep().await, 0, "less than a lease");
    contact(&world, "1 hour", "-11 s").await;
    assert_eq!(sweep().await, 0, "a gap of more than half a lease");
    assert_eq!(sweep().await, 0, "and the contact has begun anew");
    contact(&world, "1 hour", "30 s").await;
    assert_eq!(sweep().await, 0, "the clock went back");
    contact(&world, "1 hour", "-2 s").await;
    assert_eq!(sweep().await, 1, "a worker that has just begun goes on where another left off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_longer_than_its_lease_keeps_it_even_when_it_blocks_its_threads() {
    let world = TestWorld::new().await;
    let worker = world.worker().lease_seconds(1).slots("scripted", 4).ready().await;
    let rival = world.worker().lease_seconds(1).only(&["noop"]).ready().await;
    // All threads of the runtime are blocked for longer than three leases.
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(world.enqueue("scripted", &json!({"act": {"block_thread": 3500}})).await);
    }
    for id in jobs {
        let job = world.wait_for(id, "completed").await;
        assert_eq!((job.attempt, job.crashes), (1, 0));
    }
    worker.stop().await;
    rival.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_lease_leaves_the_row_to_the_new_holder() {
    let world = TestWorld::new().await;
    let worker = world.worker().only(&["scripted"]).ready().await;
    let id = world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    world.wait_for(id, "running").await;
    // Somebody else has it now.
    let other = uuid::Uuid::new_v4();
    world
        .sql(format!(
            "update jobs set locked_by = '{other}', attempt = attempt + 1, locked_until = now() + interval '1 hour'"
        ))
        .await;
    forgeos_tests::world::poll("the old holder to let go", async || {
        (worker.health.running() == 0).then_some(())
    })
    .await;
    let job = world.job(id).await;
    assert_eq!((job.status(), job.locked_by, job.attempt), ("running", Some(other), 2));
    assert_eq!(job.results, None);
    assert!(world.sql("select 1 from job_attempts").await.is_empty());
    worker.stop().await;
}

#[tokio::test]
async fn heartbeats_and_progress_are_hot_updates() {
    let world = TestWorld::new().await;
    // One row, so that all its versions fit into one page: another test's long statement may keep the server from
    // clearing old versions away.
    world.enqueue("noop", &json!({})).await;
    let me = WorkerId::random();
    let jobs = claim(&world, me, 30.0, &[("noop", 1)]).await;
    let beats = 20;
    let (mut updates, mut hot) = (0, 0);
    for n in 0..beats {
        // Unnamed statements share one transaction, so the counters are those of this heartbeat alone.
        let db = world.pooled_db();
        let mut session = db.session().await.unwrap();
        let before = counters(&mut session).await;
        let progress = json!({"phase": "x", "done": n, "total": beats, "percent": 0}).to_string();
        let due: Vec<_> =
            jobs.iter().map(|job| (job.lease.job, job.lease.attempt, Some(progress.clone()))).collect();
        assert!(queue::heartbeat(&mut session, me, 30.0, &due).await.unwrap().is_empty());
        let after = counters(&mut session).await;
        session.finish().await.unwrap();
        updates += after.0 - before.0;
        hot += after.1 - before.1;
    }
    assert_eq!(updates, beats * jobs.len() as i64);
    assert_eq!(hot, updates, "a heartbeat touched an indexed column or left its page");
}

async fn counters(session: &mut Session) -> (i64, i64) {
    sqlx::query_as("select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'jobs'")
        .fetch_one(session.exec())
        .await
        .unwrap()
}
