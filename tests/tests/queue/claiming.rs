//! Which rows a claim takes, and in which order.

use forgeos_core::{
    ClaimedJob, WorkerId,
    db::queue::{self, ClaimRequest},
};
use forgeos_tests::{TestWorld, job_types::most_together};
use serde_json::json;
use uuid::Uuid;

/// One claim by a worker that is nothing but an id.
pub(crate) async fn claim(
    world: &TestWorld,
    worker: WorkerId,
    lease_seconds: f64,
    wanted: &[(&str, i32)],
) -> Vec<ClaimedJob> {
    let request = ClaimRequest {
        job_types: wanted.iter().map(|(name, _)| (*name).to_owned()).collect(),
        limits: wanted.iter().map(|(_, free)| *free).collect(),
    };
    let mut session = world.db().session().await.unwrap();
    let jobs = queue::claim(&mut session, worker, lease_seconds, &request).await.unwrap();
    session.finish().await.unwrap();
    jobs
}

fn ids(jobs: &[ClaimedJob]) -> Vec<Uuid> {
    jobs.iter().map(|job| job.lease.job.0).collect()
}

#[tokio::test]
async fn higher_priority_goes_first_then_the_older_due_time_then_the_older_row() {
    let world = TestWorld::new().await;
    let expected = world
        .sql(
            "insert into jobs (job_type, params, priority, run_at, created_at)
             select 'noop', '{}', priority, now() - run_ago * interval '1 minute', now() - made_ago * interval '1 minute'
             from (values (5, 1, 1), (5, 9, 1), (0, 3, 8), (0, 3, 2), (-7, 99, 99)) as v (priority, run_ago, made_ago);
             select id from jobs order by priority desc, run_at, created_at",
        )
        .await;
    // One at a time, so that the order is the order of the claim and not of its answer.
    let mut claimed = Vec::new();
    for _ in 0..5 {
        claimed.extend(ids(&claim(&world, WorkerId::random(), 30.0, &[("noop", 1)]).await));
    }
    let claimed: Vec<String> = claimed.iter().map(Uuid::to_string).collect();
    assert_eq!(claimed, expected.column());
    assert_eq!(claimed.len(), 5);
}

#[tokio::test]
async fn a_claim_takes_the_best_rows_even_when_it_takes_several_at_once() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into jobs (job_type, params, priority, run_at)
             select 'noop', '{}', n % 7, now() - (n % 11) * interval '1 second' from generate_series(1, 100) n",
        )
        .await;
    // Rows of one statement share `created_at`: compare by what orders them.
    let claimed = claim(&world, WorkerId::random(), 30.0, &[("noop", 20)]).await;
    assert_eq!(claimed.len(), 20);
    let inverted = world
        .sql(
            "select count(*) from jobs taken join jobs left_behind
               on taken.status = 'running' and left_behind.status = 'pending'
              and (left_behind.priority, taken.run_at) > (taken.priority, left_behind.run_at)",
        )
        .await;
    assert_eq!(inverted.value(), "0", "a row was taken before a better one");
}

#[tokio::test]
async fn rows_that_are_not_due_not_ours_or_paused_are_left_alone() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into jobs (job_type, params, run_at) values
                ('noop', '{}', now() + interval '1 hour'), ('scripted', '{}', now());
             insert into jobs (job_type, params, status) values ('noop', '{}', 'cancelled'), ('noop', '{}', 'completed');
             insert into jobs (job_type, params) values ('data_export', '{}');
             update job_types set paused = true where name = 'data_export'",
        )
        .await;
    let me = WorkerId::random();
    assert_eq!(ids(&claim(&world, me, 30.0, &[("noop", 10), ("data_export", 10)]).await), Vec::<Uuid>::new());
    world.sql("update job_types set paused = false where name = 'data_export'").await;
    assert_eq!(claim(&world, me, 30.0, &[("noop", 10), ("data_export", 10)]).await.len(), 1);
}

#[tokio::test]
async fn each_type_has_its_own_number_of_free_slots() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into jobs (job_type, params, priority)
             select t, '{}', 50 * (t = 'noop')::int from unnest(array['noop', 'scripted']) t, generate_series(1, 10)",
        )
        .await;
    let claimed = claim(&world, WorkerId::random(), 30.0, &[("noop", 3), ("scripted", 2)]).await;
    let of = |name: &str| claimed.iter().filter(|job| job.job_type == name).count();
    assert_eq!((of("noop"), of("scripted")), (3, 2));
}

#[tokio::test]
async fn a_claim_raises_the_attempt_and_takes_a_lease_by_the_databases_clock() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({"a": 1})).await;
    let me = WorkerId::random();
    let claimed = claim(&world, me, 12.0, &[("noop", 1)]).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].lease.attempt, 1);
    assert_eq!(claimed[0].params.as_deref(), Some("{\"a\": 1}"));
    let job = world.job(id).await;
    assert_eq!((job.status(), job.attempt, job.locked_by), ("running", 1, Some(me.0)));
    assert_eq!(job.locked_until.unwrap() - job.started_at.unwrap(), chrono::Duration::seconds(12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_jobs_run_at_once_than_there_are_slots() {
    let world = TestWorld::new().await;
    for _ in 0..30 {
        world.enqueue("scripted", &json!({"act": {"count_together": world.database}})).await;
    }
    let worker = world.worker().only(&["scripted"]).slots("scripted", 3).ready().await;
    world.wait_until("select count(*) = 30 from jobs where status = 'completed'").await;
    assert_eq!(most_together(&world.database), 3, "all slots are used, and no more");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_jobs_are_claimed_only_into_free_slots() {
    let world = TestWorld::new().await;
    for _ in 0..12 {
        world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    }
    let worker = world.worker().slots("scripted", 3).ready().await;
    world.wait_until("select count(*) = 3 from jobs where status = 'running'").await;
    // The claim loop looks again for another type, and still leaves the rest where they are.
    for _ in 0..3 {
        let other = world.enqueue("noop", &json!({})).await;
        world.wait_for(other, "completed").await;
    }
    let left = world.sql("select count(*) from jobs where status = 'pending' and attempt = 0").await;
    assert_eq!(left.value(), "9");
    worker.shutdown.hard.cancel();
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_jobs_that_follow_quick_ones_are_not_hoarded() {
    let world = TestWorld::new().await;
    let first = world.worker().slots("scripted", 2).ready().await;
    // Quick jobs teach the worker a pace of microseconds.
    for _ in 0..200 {
        world.enqueue("scripted", &json!({"act": "succeed"})).await;
    }
    world.wait_until("select count(*) = 200 from jobs where status = 'completed'").await;
    world
        .sql("insert into jobs (job_type, params) select 'scripted', '{\"act\": \"run_until_stopped\"}' from generate_series(1, 8)")
        .await;
    world.wait_until("select count(*) >= 2 from jobs where status = 'running'").await;
    let second = world.worker().slots("scripted", 2).ready().await;
    world.wait_until(&format!("select count(*) >= 2 from jobs where locked_by = '{}'", second.id)).await;
    for worker in [first, second] {
        worker.shutdown.hard.cancel();
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caps_hold_over_all_workers() {
    for (cap, together) in [("max_running", 2), ("max_running_per_user", 1)] {
        let world = TestWorld::new().await;
        world.sql(format!("update job_types set {cap} = {together} where name = 'scripted'")).await;
        let users = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
        let groups: Vec<String> = match cap {
            "max_running" => vec![world.database.clone(); 2],
            _ => users.iter().map(Uuid::to_string).collect(),
        };
        for n in 0..24 {
            let params = json!({"act": {"count_together": groups[n % 2]}});
            world.enqueue_for("scripted", &params, Some(users[n % 2])).await;
        }
        let workers = [world.worker().ready().await, world.worker().ready().await];
        world.wait_until("select count(*) = 24 from jobs where status = 'completed'").await;
        for group in &groups {
            let most = most_together(group);
            assert!(most <= together, "{cap} = {together}, but {most} ran at once");
        }
        for worker in workers {
            worker.stop().await;
        }
    }
}

#[tokio::test]
async fn adopted_rows_wait_until_they_are_released() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    world.sql("update jobs set run_at = null").await;
    assert!(claim(&world, WorkerId::random(), 30.0, &[("noop", 1)]).await.is_empty());
    assert_eq!(world.sql("select forgeos.adopt_pending_jobs()").await.value(), "1");
    assert_eq!(ids(&claim(&world, WorkerId::random(), 30.0, &[("noop", 1)]).await), [id]);
}
