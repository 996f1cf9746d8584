//! The functions that callers use through SQL or PostgREST.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn enqueue_job_answers_the_holder_of_a_taken_key() {
    let world = TestWorld::new().await;
    let enqueue = "select enqueue_job('noop', '{\"n\": 1}', unique_key => 'k')";
    let first = world.sql(enqueue).await;
    assert_eq!(world.sql(enqueue).await, first);
    let (a, b) = (world.user(Uuid::new_v4()), world.user(Uuid::new_v4()));
    let of_a = a.sql(enqueue).await.unwrap();
    assert_eq!(a.sql(enqueue).await.unwrap(), of_a);
    assert_ne!(of_a, first);
    assert_ne!(b.sql(enqueue).await.unwrap(), of_a, "a key never leads to another user's job");
    world.sql("update jobs set status = 'cancelled'").await;
    assert_ne!(world.sql(enqueue).await, first, "a finished job holds no key");
}

#[tokio::test]
async fn callers_in_a_race_for_a_key_all_get_the_same_job() {
    let world = TestWorld::new().await;
    for round in 0..10 {
        let ids = forgeos_tests::world::all(
            (0..8).map(|_| world.sql(format!("select enqueue_job('noop', unique_key => 'round {round}')"))),
        )
        .await;
        assert!(ids.iter().all(|id| id == &ids[0]), "{ids:?}");
    }
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "10");
}

#[tokio::test]
async fn enqueue_job_takes_every_argument_and_keeps_the_rules() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let id = world
        .sql(format!("select enqueue_job('noop', '{{\"a\": 1}}', '{user}', 7, '2031-02-03', 'key', 9)"))
        .await;
    let row = world
        .sql(format!(
            "select job_type, params, user_id, priority, run_at = '2031-02-03', unique_key, max_attempts from jobs where id = '{}'",
            id.value()
        ))
        .await;
    let expected = ["noop", "{\"a\": 1}", &user.to_string(), "7", "t", "key", "9"];
    assert_eq!(row.0[0], expected.map(|v| Some(v.to_owned())));
    assert_eq!(world.refused("select enqueue_job('nope')").await.code, "22023");
    assert_eq!(world.refused("select enqueue_job(null)").await.code, "22023");
    let me = world.user(user);
    me.denied(format!("select enqueue_job('noop', user_id => '{}')", Uuid::new_v4())).await;
    me.denied("select enqueue_job('noop', max_attempts => 99)").await;
    assert_eq!(me.refused("select enqueue_job('noop', priority => 1)").await.code, "23514");
    me.sql("select enqueue_job('noop')").await.unwrap();
}

#[tokio::test]
async fn cancel_job_says_whether_this_call_cancelled() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let id = world.enqueue_for("noop", &json!({}), Some(user)).await;
    let cancel = format!("select cancel_job('{id}')");
    let stranger = world.user(Uuid::new_v4());
    assert_eq!(stranger.sql(&cancel).await.unwrap().value(), "f");
    assert_eq!(world.job(id).await.status(), "pending");
    assert_eq!(world.user(user).sql(&cancel).await.unwrap().value(), "t");
    assert_eq!(world.user(user).sql(&cancel).await.unwrap().value(), "f");
    let none = format!("select cancel_job('{}')", Uuid::new_v4());
    assert_eq!(
        stranger.sql(none).await.unwrap().value(),
        "f",
        "a foreign job is like one that does not exist"
    );
    assert_eq!(world.job(id).await.status(), "cancelled");
}

#[tokio::test]
async fn retry_job_gives_a_fresh_budget_and_keeps_finished_items() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    for status in ["failed", "cancelled"] {
        let id = world.enqueue_for("noop", &json!({}), Some(user)).await;
        world
            .sql(format!(
                "update jobs set status = 'running', attempt = 3, locked_by = gen_random_uuid(), crashes = 2, results = '{{}}',
                                 error_code = 'x', error_message = 'y', progress = '{{}}' where id = '{id}';
                 update jobs set status = '{status}' where id = '{id}';
                 insert into job_items (job_id, item, status) values
                    ('{id}', 'a', 'completed'), ('{id}', 'b', 'failed'), ('{id}', 'c', 'running'), ('{id}', 'd', 'pending')"
            ))
            .await;
        let retry = format!("select retry_job('{id}')");
        assert_eq!(world.user(Uuid::new_v4()).sql(&retry).await.unwrap().value(), "f");
        assert_eq!(world.user(user).sql(&retry).await.unwrap().value(), "t");
        let job = world.job(id).await;
        assert_eq!((job.status(), job.attempt, job.attempts_forgiven, job.crashes), ("pending", 3, 3, 0));
        assert!(job.results.is_none() && job.error_code.is_none() && job.error_message.is_none());
        assert!(job.completed_at.is_none() && job.locked_by.is_none() && job.progress.is_none());
        let items =
            world.sql(format!("select status from job_items where job_id = '{id}' order by item")).await;
        assert_eq!(items.column(), ["completed", "pending", "pending", "pending"]);
        assert_eq!(world.sql(&retry).await.value(), "f", "a pending job is not retried");
    }
    assert_eq!(world.sql(format!("select retry_job('{}')", Uuid::new_v4())).await.value(), "f");
}

#[tokio::test]
async fn retry_job_does_not_take_a_key_that_another_job_holds() {
    let world = TestWorld::new().await;
    let first = world.sql("select enqueue_job('noop', unique_key => 'k')").await.value().to_owned();
    world.sql("update jobs set status = 'cancelled'").await;
    world.sql("select enqueue_job('noop', unique_key => 'k')").await;
    assert_eq!(world.sql(format!("select retry_job('{first}')")).await.value(), "f");
    assert_eq!(world.job(first.parse().unwrap()).await.status(), "cancelled");
    // And the arrow back stays closed afterwards.
    let refusal = world.refused(format!("update jobs set status = 'pending' where id = '{first}'")).await;
    assert_eq!(refusal.code, "23514");
}

#[tokio::test]
async fn queue_health_counts_what_waits_runs_and_failed() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into jobs (job_type, run_at) values ('noop', now() - interval '90 s'), ('noop', now()), ('noop', now() + interval '1 h');
             insert into jobs (job_type, status) values ('noop', 'failed'), ('noop', 'completed');
             insert into jobs (job_type, status, completed_at) values ('noop', 'failed', now() - interval '2 hours');
             insert into jobs (job_type, params) values ('scripted', '1'), ('scripted', '2'), ('scripted', '3');
             update jobs set status = 'running', locked_until = now() + (params::text::int - 2) * interval '1 minute' where job_type = 'scripted';
             update jobs set run_at = null where job_type = 'noop' and run_at > now() - interval '1 s' and run_at <= now() and status = 'pending';
             update job_types set paused = true where name = 'scripted'",
        )
        .await;
    let row = world
        .sql(
            "select waiting, scheduled, not_adopted, running, expired_leases, failed_last_hour, paused,
                    oldest_waiting_seconds between 90 and 200 from queue_health where job_type in ('noop', 'scripted') order by job_type",
        )
        .await;
    let text =
        |row: &Vec<Option<String>>| row.iter().map(|v| v.clone().unwrap()).collect::<Vec<_>>().join(" ");
    assert_eq!(text(&row.0[0]), "1 1 1 0 0 1 f t");
    assert_eq!(text(&row.0[1]), "0 0 0 3 2 0 t f");
}

#[tokio::test]
async fn queue_health_names_who_holds_back_the_clean_up() {
    let world = TestWorld::new().await;
    let mut old = world.pool.acquire().await.unwrap();
    sqlx::raw_sql("begin isolation level repeatable read").execute(&mut *old).await.unwrap();
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *old).await.unwrap();
    let holder = world.sql("select distinct xmin_holder from queue_health").await;
    assert!(holder.value().starts_with(&format!("pid {pid} ")), "{holder:?}");
    sqlx::raw_sql("rollback").execute(&mut *old).await.unwrap();
}
