//! What a plain insert into `jobs` may and may not do.

use forgeos_tests::TestWorld;
use uuid::Uuid;

#[tokio::test]
async fn an_unknown_type_is_refused_with_the_types_that_are_allowed() {
    let world = TestWorld::new().await;
    for (sql, word) in [
        ("insert into jobs (job_type) values ('nope')", "nope"),
        ("insert into jobs (job_type) values (null)", "null"),
        ("insert into jobs default values", "null"),
        ("insert into jobs (job_type) values ('noop'), ('nope')", "nope"),
    ] {
        let refusal = world.refused(sql).await;
        assert_eq!(refusal.code, "22023", "{refusal:?}");
        let start = format!("unknown job type \"{word}\"; allowed: batch_analysis, data_export, ");
        assert!(refusal.message.starts_with(&start), "{refusal:?}");
    }
    assert!(world.sql("select 1 from jobs").await.is_empty());
    world.sql("insert into jobs (job_type) values ('noop')").await;
    assert_eq!(world.refused("update jobs set job_type = 'nope'").await.code, "23503");
}

#[tokio::test]
async fn a_user_is_told_only_of_types_for_users() {
    let world = TestWorld::new().await;
    world.sql("update job_types set user_may_enqueue = name = 'data_export'").await;
    let me = world.user(Uuid::new_v4());
    let refusal = me.refused("insert into jobs (job_type) values ('nope')").await;
    assert_eq!(refusal.message, "unknown job type \"nope\"; allowed: data_export");
    me.denied("insert into jobs (job_type) values ('noop')").await;
    me.denied("select enqueue_job('noop')").await;
    me.sql("insert into jobs (job_type) values ('data_export')").await.unwrap();
}

#[tokio::test]
async fn the_old_way_to_insert_still_works() {
    let world = TestWorld::new().await;
    let row = world
        .sql(
            "insert into jobs (status, job_type, params, user_id) values (null, 'batch_analysis', '{\"image_ids\": []}', null)
             returning status, priority, run_at = now(), attempt, attempts_forgiven, crashes, max_attempts, locked_by, started_at",
        )
        .await;
    let expected = [Some("pending"), Some("0"), Some("t"), Some("0"), Some("0"), Some("0"), None, None, None];
    assert_eq!(row.0[0], expected.map(|v| v.map(str::to_owned)));
    world.sql("insert into jobs (job_type, run_at) values ('noop', null)").await;
    assert_eq!(world.sql("select count(*) from jobs where run_at is null").await.value(), "0");
}

#[tokio::test]
async fn a_time_that_no_client_can_read_is_refused() {
    let world = TestWorld::new().await;
    for time in ["infinity", "-infinity", "20000-01-01", "4000-01-01 BC"] {
        let refusal =
            world.refused(format!("insert into jobs (job_type, run_at) values ('noop', '{time}')")).await;
        assert_eq!(refusal.code, "23514", "{time}");
    }
}

#[tokio::test]
async fn times_of_a_row_are_finite_and_a_lease_ends_within_two_hours() {
    let world = TestWorld::new().await;
    for column in ["created_at", "started_at", "completed_at"] {
        for time in ["infinity", "-infinity"] {
            let job = world.sql("insert into jobs (job_type) values ('noop') returning id").await;
            for sql in [
                format!("insert into jobs (job_type, {column}) values ('noop', '{time}')"),
                format!("update jobs set {column} = '{time}' where id = '{}'", job.value()),
            ] {
                assert_eq!(world.refused(&sql).await.code, "23514", "{sql}");
            }
        }
    }
    let lease = |until: &str| {
        format!("update jobs set status = 'running', locked_by = gen_random_uuid(), locked_until = {until}")
    };
    for until in ["'infinity'", "now() + interval '3 hours'"] {
        let refusal = world.refused(lease(until)).await;
        assert_eq!(refusal.code, "23514", "{until}");
        assert!(refusal.message.starts_with("locked_until is when a lease runs out"), "{refusal:?}");
    }
    world.sql(lease("now() + interval '1 hour'")).await;
    // The same for the parts of a job.
    let item = |until: &str, attempt: &str| {
        format!(
            "insert into job_items (job_id, item, status, locked_by, locked_until, attempt)
             select id, 'x', 'running', gen_random_uuid(), {until}, {attempt} from jobs limit 1"
        )
    };
    for until in ["'infinity'", "now() + interval '3 hours'"] {
        let refusal = world.refused(item(until, "1")).await;
        assert!(refusal.message.starts_with("locked_until is when a lease runs out"), "{refusal:?}");
    }
    let refusal = world.refused(item("now()", "2147483647")).await;
    assert!(refusal.message.starts_with("attempt is counted by the queue"), "{refusal:?}");
    world.sql(item("now() + interval '1 hour'", "1")).await;
}

#[tokio::test]
async fn the_fencing_token_is_never_lowered() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &serde_json::json!({})).await;
    world.sql(format!("update jobs set attempt = 5 where id = '{id}'")).await;
    for attempt in [4, 0, -1] {
        let sql = format!("update jobs set attempt = {attempt} where id = '{id}'");
        assert_eq!(world.refused(&sql).await.code, "23514", "{sql}");
    }
    // Not by the worker either.
    let worker = world.login("forgeos_worker");
    let refusal = worker.refused(format!("update jobs set attempt = 4 where id = '{id}'")).await;
    assert_eq!(refusal.code, "23514");
    world.sql(format!("update jobs set attempt = 6 where id = '{id}'")).await;
    assert_eq!(world.job(id).await.attempt, 6);
}

#[tokio::test]
async fn the_service_inserts_pending_jobs_or_history() {
    let world = TestWorld::new().await;
    for status in ["completed", "failed", "cancelled"] {
        let row = world
            .sql(format!("insert into jobs (job_type, status) values ('noop', '{status}') returning completed_at is not null"))
            .await;
        assert_eq!(row.value(), "t", "{status}");
    }
    for status in ["running", "bogus", ""] {
        let refusal =
            world.refused(format!("insert into jobs (job_type, status) values ('noop', '{status}')")).await;
        assert_eq!(refusal.code, "23514", "{status}");
    }
}

#[tokio::test]
async fn a_users_job_is_the_own_one_and_keeps_the_users_limits() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let me = world.user(user);
    let row = me
        .sql("insert into jobs (job_type, params) values ('noop', '{}') returning user_id, status, priority")
        .await
        .unwrap();
    assert_eq!(row.0[0], [Some(user.to_string()), Some("pending".into()), Some("0".into())]);
    me.sql(format!(
        "insert into jobs (id, job_type, params, priority, run_at, unique_key, user_id, status)
         values (gen_random_uuid(), 'noop', '{{}}', -100, now() + interval '300 days', 'k', '{user}', 'pending')"
    ))
    .await
    .unwrap();
    let raised = me
        .sql("insert into jobs (job_type, run_at) values ('noop', '1999-01-01') returning run_at = now()")
        .await
        .unwrap();
    assert_eq!(raised.value(), "t");
    for (what, columns, values, code) in [
        ("somebody else's", "user_id", "gen_random_uuid()", "42501"),
        ("urgent", "priority", "1", "23514"),
        ("too lazy", "priority", "-101", "23514"),
        ("in two years", "run_at", "now() + interval '2 years'", "23514"),
        ("never", "run_at", "'infinity'", "23514"),
        ("running", "status", "'running'", "23514"),
        ("completed", "status", "'completed'", "23514"),
    ] {
        let refusal =
            me.refused(format!("insert into jobs (job_type, {columns}) values ('noop', {values})")).await;
        assert_eq!(refusal.code, code, "{what}: {refusal:?}");
    }
}

#[tokio::test]
async fn the_cap_of_pending_jobs_is_strict() {
    let world = TestWorld::new().await;
    world.sql("update job_types set max_pending_per_user = 5 where name = 'noop'").await;
    let user = Uuid::new_v4();
    let tries = forgeos_tests::world::all((0..12).map(|n| {
        let me = world.user(user);
        async move {
            let sql = if n % 2 == 0 {
                "insert into jobs (job_type) values ('noop')"
            } else {
                "select enqueue_job('noop')"
            };
            me.sql(sql).await
        }
    }))
    .await;
    let refused: Vec<_> = tries.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 7, "{refused:?}");
    assert!(refused.iter().all(|refusal| refusal.code == "PT429"), "{refused:?}");
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "5");
    let me = world.user(user);
    assert_eq!(me.refused("insert into jobs (job_type) values ('noop'), ('noop')").await.code, "PT429");
    // Somebody else, another type and the service have their own room.
    world.user(Uuid::new_v4()).sql("insert into jobs (job_type) values ('noop')").await.unwrap();
    me.sql("insert into jobs (job_type) values ('data_export')").await.unwrap();
    world.sql(format!("insert into jobs (job_type, user_id) values ('noop', '{user}')")).await;
    world.sql("update jobs set status = 'cancelled'").await;
    me.sql("insert into jobs (job_type) values ('noop')").await.unwrap();
}

#[tokio::test]
async fn a_unique_key_is_held_by_one_live_job_per_type_and_user() {
    let world = TestWorld::new().await;
    let insert = |user: &str, job_type: &str| {
        format!("insert into jobs (job_type, user_id, unique_key) values ('{job_type}', {user}, 'k')")
    };
    let (a, b) = (format!("'{}'", Uuid::new_v4()), format!("'{}'", Uuid::new_v4()));
    for (user, job_type) in
        [(a.as_str(), "noop"), (b.as_str(), "noop"), ("null", "noop"), (a.as_str(), "scripted")]
    {
        world.sql(insert(user, job_type)).await;
        assert_eq!(world.refused(insert(user, job_type)).await.code, "23505", "{user} {job_type}");
    }
    world.sql("update jobs set status = 'running'").await;
    assert_eq!(world.refused(insert("null", "noop")).await.code, "23505", "a running job holds it too");
    world.sql("update jobs set status = 'completed'").await;
    world.sql(insert("null", "noop")).await;
}
