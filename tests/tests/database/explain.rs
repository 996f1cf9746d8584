//! explain_job: why a job is not running now.

use forgeos_tests::{Caller, TestWorld};
use serde_json::json;
use uuid::Uuid;

async fn reasons(caller: &Caller, id: Uuid) -> Vec<String> {
    let rows = caller.sql(format!("select reason from explain_job('{id}')")).await.unwrap();
    rows.column().into_iter().map(str::to_owned).collect()
}

/// A worker that was just seen.
const LIVE_WORKER: &str = "insert into workers (id, host, job_types)
    values ('00000000-0000-0000-0000-0000000000aa', 'secret-host', array['noop', 'report_generation'])";

#[tokio::test]
async fn each_reason_is_given_when_it_holds_and_only_then() {
    let world = TestWorld::new().await;
    let service = world.login("service_role");
    for (expected, sql) in [
        ("waiting_for_slot", "select 1"),
        ("scheduled", "update jobs set run_at = now() + interval '1 h'"),
        ("not_adopted", "update jobs set run_at = null"),
        ("paused", "update job_types set paused = true where name = 'noop'"),
        ("no_worker", "update workers set last_heartbeat_at = now() - interval '1 h'"),
        ("no_worker", "update workers set job_types = '{data_export}'"),
        ("type_limit", "update job_types set max_running = 0 where name = 'noop'"),
        (
            "user_limit",
            "update jobs set user_id = gen_random_uuid();
             update job_types set max_running_per_user = 0 where name = 'noop'",
        ),
        // Jobs of the service belong to no user.
        ("waiting_for_slot", "update job_types set max_running_per_user = 0 where name = 'noop'"),
        ("store_unavailable", "update workers set store_away = '{noop}'"),
        ("waiting_for_slot", "update workers set store_away = '{report_generation}'"),
        ("attempts_spent", "update jobs set attempt = 3"),
        ("crashes_spent", "update jobs set crashes = 3"),
        ("finished", "update jobs set status = 'cancelled'"),
        ("running", "update jobs set status = 'running', locked_until = now() + interval '1 min'"),
        ("lease_expired", "update jobs set status = 'running', locked_until = now() - interval '1 min'"),
    ] {
        let id = world.enqueue("noop", &json!({})).await;
        world.sql(LIVE_WORKER).await;
        world.sql(sql).await;
        assert_eq!(reasons(&service, id).await, [expected], "after `{sql}`");
        world
            .sql(
                "delete from jobs; delete from workers;
                 update job_types set paused = false, max_running = null, max_running_per_user = null",
            )
            .await;
    }
    assert!(reasons(&service, Uuid::new_v4()).await.is_empty());
}

#[tokio::test]
async fn all_reasons_that_apply_are_given_together() {
    let world = TestWorld::new().await;
    let id = world.enqueue_for("noop", &json!({}), Some(Uuid::new_v4())).await;
    world.sql(LIVE_WORKER).await;
    world
        .sql(
            "update jobs set run_at = now() + interval '1 h', attempt = 9, crashes = 1;
             update job_types set paused = true, max_running = 0, max_running_per_user = 0 where name = 'noop'",
        )
        .await;
    let reasons = reasons(&world.login("service_role"), id).await;
    assert_eq!(reasons, ["scheduled", "paused", "type_limit", "user_limit", "attempts_spent", "runs_alone"]);
}

#[tokio::test]
async fn a_job_that_will_be_tried_again_tells_what_it_met_the_last_time() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    world.sql(LIVE_WORKER).await;
    world
        .sql("update jobs set attempt = 1, run_at = now() + interval '1 h', error_message = 'the disk is full'")
        .await;
    let detail = world.sql(format!("select detail from explain_job('{id}')")).await;
    assert!(
        detail.value().ends_with("(after 1 of its attempts); the last time: the disk is full"),
        "{detail:?}"
    );
}

#[tokio::test]
async fn a_report_tells_which_job_it_waits_for() {
    let world = TestWorld::new().await;
    world.sql(LIVE_WORKER).await;
    let awaited = world.enqueue("noop", &json!({})).await;
    let report = world.enqueue("report_generation", &json!({ "job_id": awaited })).await;
    let detail = world
        .sql(format!("select detail from explain_job('{report}') where reason = 'waiting_for_job'"))
        .await;
    assert!(detail.value().contains(&awaited.to_string()));
}

#[tokio::test]
async fn a_user_learns_nothing_of_hosts_or_other_users() {
    let world = TestWorld::new().await;
    let (user, other) = (Uuid::new_v4(), Uuid::new_v4());
    world.sql(LIVE_WORKER).await;
    let ahead = world.enqueue_for("noop", &json!({}), Some(other)).await;
    let id = world.enqueue_for("noop", &json!({}), Some(user)).await;
    let me = world.user(user);
    let waiting = me.sql(format!("select detail from explain_job('{id}')")).await.unwrap();
    assert!(!waiting.value().contains(char::is_numeric), "{waiting:?}");
    world
        .sql("update jobs set status = 'running', locked_by = '00000000-0000-0000-0000-0000000000aa', locked_until = now() + interval '1 min'")
        .await;
    let running = me.sql(format!("select detail from explain_job('{id}')")).await.unwrap();
    assert!(!running.value().contains("secret-host"), "{running:?}");
    assert!(reasons(&me, ahead).await.is_empty(), "a foreign job is like one that does not exist");
    let seen = world.sql(format!("select detail from explain_job('{id}')")).await;
    assert!(seen.value().contains("secret-host"), "the service is told: {seen:?}");
}
