//! Fair claims: users take turns within a priority.

use forgeos_core::{
    WorkerId,
    db::queue::{Turn, caps},
};
use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

const MANY: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const FEW: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const ONE: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

async fn fair_world() -> TestWorld {
    let world = TestWorld::new().await;
    world.sql("update job_types set fair = true").await;
    world
}

async fn fill(world: &TestWorld, user: Option<&str>, jobs: usize, columns: &str, values: &str) {
    let user = user.map_or("null".to_owned(), |user| format!("'{user}'::uuid"));
    world
        .sql(format!(
            "insert into jobs (job_type, params, user_id{columns})
             select 'noop', '{{}}', {user}{values} from generate_series(1, {jobs})"
        ))
        .await;
}

/// The users of one claim in the order of its answer; the service is `-`.
async fn claim(world: &TestWorld, free: i32, turn: &mut Turn) -> Vec<String> {
    let db = world.db();
    let mut transaction = db.begin().await.unwrap();
    let jobs = caps::claim(&mut transaction, WorkerId::random(), 30.0, "noop", free, turn).await.unwrap();
    transaction.commit().await.unwrap();
    jobs.iter().map(|job| job.user_id.map_or("-".to_owned(), |user| user.0.to_string())).collect()
}

fn count(users: &[String], user: &str) -> usize {
    users.iter().filter(|one| *one == user).count()
}

#[tokio::test]
async fn the_one_job_of_a_user_is_not_kept_waiting_by_the_ten_thousand_of_another() {
    let world = fair_world().await;
    fill(&world, Some(MANY), 10_000, "", "").await;
    fill(&world, Some(ONE), 1, "", "").await;
    fill(&world, None, 1, "", "").await;
    let mut turn = Turn::anywhere();
    let mut started = Vec::new();
    for _ in 0..3 {
        started.extend(claim(&world, 1, &mut turn).await);
    }
    started.sort();
    assert_eq!(started, ["-", MANY, ONE], "one turn each");
    assert_eq!(claim(&world, 5, &mut turn).await, [MANY; 5], "nobody else is left");
}

#[tokio::test]
async fn free_slots_are_shared_equally_among_those_who_have_more() {
    let world = fair_world().await;
    fill(&world, Some(MANY), 100, "", "").await;
    fill(&world, Some(FEW), 3, "", "").await;
    fill(&world, Some(ONE), 1, "", "").await;
    fill(&world, None, 100, "", "").await;
    let users = claim(&world, 20, &mut Turn::anywhere()).await;
    assert_eq!(users.len(), 20);
    assert_eq!((count(&users, FEW), count(&users, ONE)), (3, 1));
    assert_eq!((count(&users, MANY), count(&users, "-")), (8, 8));
}

#[tokio::test]
async fn of_many_users_nobody_gets_a_second_job_before_everybody_has_one() {
    let world = fair_world().await;
    world
        .sql(
            "insert into jobs (job_type, params, user_id)
             select 'noop', '{}', md5((n % 250)::text)::uuid from generate_series(1, 750) n",
        )
        .await;
    let mut turn = Turn::anywhere();
    let mut order = Vec::new();
    for free in [100, 100, 50] {
        order.extend(claim(&world, free, &mut turn).await);
    }
    let round = order.iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!((order.len(), round), (250, 250), "one each");
    // More than one round in a claim: the second is shared out equally.
    let users = claim(&world, 400, &mut turn).await;
    let most = users.iter().map(|user| count(&users, user)).max();
    assert_eq!((users.len(), most), (400, Some(2)));
    let last = claim(&world, 400, &mut turn).await;
    assert_eq!(last.len(), 100, "whose turn it is does not keep a job back");
}

#[tokio::test]
async fn a_turn_takes_the_users_own_order_and_priority_comes_before_turns() {
    let world = fair_world().await;
    fill(&world, Some(MANY), 3, ", priority", ", -5").await;
    fill(&world, Some(ONE), 1, ", priority", ", -10").await;
    fill(&world, Some(FEW), 2, ", run_at", ", now() - interval '1 hour' * generate_series").await;
    let oldest =
        world.sql(format!("select id from jobs where user_id = '{FEW}' order by run_at limit 1")).await;
    let mut turn = Turn::anywhere();
    let mut started = claim(&world, 1, &mut turn).await;
    let first = world.sql("select id from jobs where status = 'running'").await;
    assert_eq!(first.value(), oldest.value());
    for _ in 0..5 {
        started.extend(claim(&world, 1, &mut turn).await);
    }
    assert_eq!(started, [FEW, FEW, MANY, MANY, MANY, ONE]);
    assert!(claim(&world, 9, &mut turn).await.is_empty());
}

#[tokio::test]
async fn jobs_of_the_future_take_no_turn_and_hold_up_nobody() {
    let world = fair_world().await;
    fill(&world, Some(MANY), 50, ", run_at", ", now() + interval '1 hour'").await;
    fill(&world, Some(FEW), 2, "", "").await;
    assert_eq!(claim(&world, 1, &mut Turn::anywhere()).await, [FEW]);
    assert_eq!(claim(&world, 9, &mut Turn::anywhere()).await, [FEW]);
}

#[tokio::test]
async fn limits_hold_in_turns_too() {
    let world = fair_world().await;
    world.sql("update job_types set max_running_per_user = 2, max_running = 5").await;
    fill(&world, Some(MANY), 10, "", "").await;
    fill(&world, Some(FEW), 10, "", "").await;
    fill(&world, None, 10, "", "").await;
    let users = claim(&world, 30, &mut Turn::anywhere()).await;
    assert_eq!(users.len(), 5, "{users:?}");
    assert!(count(&users, MANY) <= 2 && count(&users, FEW) <= 2, "{users:?}");
    assert!(claim(&world, 30, &mut Turn::anywhere()).await.is_empty());
    world.sql("update job_types set paused = true, max_running = null, max_running_per_user = null").await;
    assert!(claim(&world, 30, &mut Turn::anywhere()).await.is_empty(), "paused");
}

#[tokio::test]
async fn a_row_that_another_claim_holds_is_passed_over() {
    let world = fair_world().await;
    fill(&world, Some(MANY), 2, "", "").await;
    fill(&world, Some(ONE), 1, "", "").await;
    let db = world.db();
    let mut other = db.begin().await.unwrap();
    let theirs =
        caps::claim(&mut other, WorkerId::random(), 30.0, "noop", 2, &mut Turn::anywhere()).await.unwrap();
    assert_eq!(theirs.len(), 2);
    let ours = claim(&world, 9, &mut Turn::anywhere()).await;
    other.commit().await.unwrap();
    assert_eq!(ours, [MANY]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_take_turns_as_soon_as_the_type_is_set_so() {
    let world = TestWorld::new().await;
    world.sql("update job_types set fair = true where name = 'scripted'").await;
    let (many, one) = (Uuid::new_v4(), Uuid::new_v4());
    for _ in 0..60 {
        world.enqueue_for("scripted", &json!({"act": {"wait": 5}}), Some(many)).await;
    }
    let last = world.enqueue_for("scripted", &json!({"act": {"wait": 5}}), Some(one)).await;
    let worker = world.worker().slots("scripted", 1).start().await;
    world.wait_until("select count(*) = 61 from jobs where status = 'completed'").await;
    worker.stop().await;
    let before = world
        .sql(format!(
            "select count(*) from jobs where started_at < (select started_at from jobs where id = '{last}')"
        ))
        .await;
    let before: usize = before.value().parse().unwrap();
    assert!(before <= 10, "{before} jobs of the other user went first");
}
