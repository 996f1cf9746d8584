//! Whose rows a user sees and writes.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

/// One row of everything for each of two users, and one of nobody.
pub(crate) async fn two_users(world: &TestWorld) -> (Uuid, Uuid) {
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    for user in [Some(a), Some(b), None] {
        let job = world.enqueue_for("noop", &json!({}), user).await;
        let user = user.map_or("null".to_owned(), |u| format!("'{u}'"));
        world
            .sql(format!(
                "insert into analyses (user_id, job_id, status) values ({user}, '{job}', 'completed');
                 insert into reports (user_id) values ({user});
                 insert into training_sessions (user_id) values ({user});
                 insert into audit_log (user_id) values ({user});
                 insert into job_items (job_id, item) values ('{job}', 'x');
                 insert into job_attempts (job_id, attempt, outcome) values ('{job}', 1, 'failed');
                 insert into job_logs (job_id, attempt, level, message)
                     select '{job}', 1, l, l from unnest(array['trace', 'debug', 'info', 'warn', 'error']) l;
                 insert into artifacts (job_id, user_id, attempt, kind, bucket, key, size_bytes)
                     values ('{job}', {user}, 1, 'x', 'outputs', 'x', 0)"
            ))
            .await;
    }
    (a, b)
}

#[tokio::test]
async fn a_user_reads_the_own_rows_and_no_other() {
    let world = TestWorld::new().await;
    let (a, _) = two_users(&world).await;
    let me = world.user(a);
    for table in [
        "jobs",
        "analyses",
        "reports",
        "training_sessions",
        "audit_log",
        "artifacts",
        "user_analysis_summary",
    ] {
        let rows = me.sql(format!("select user_id from {table}")).await.unwrap();
        assert_eq!(rows.column(), [a.to_string().as_str()], "{table}");
    }
    for table in ["job_items", "job_attempts"] {
        let rows = me.sql(format!("select job_id = (select id from jobs) from {table}")).await.unwrap();
        assert_eq!(rows.column(), ["t"], "{table}");
    }
    let logs = me.sql("select level from job_logs order by level").await.unwrap();
    assert_eq!(logs.column(), ["error", "info", "warn"]);
}

#[tokio::test]
async fn a_signed_in_nobody_sees_nothing() {
    let world = TestWorld::new().await;
    two_users(&world).await;
    for nobody in [world.login("authenticated"), world.role("authenticated")] {
        for table in
            ["jobs", "analyses", "reports", "training_sessions", "audit_log", "artifacts", "job_logs"]
        {
            assert!(nobody.sql(format!("select 1 from {table}")).await.unwrap().is_empty(), "{table}");
        }
        nobody.denied("insert into jobs (job_type, params) values ('noop', '{}')").await;
        nobody.denied("select enqueue_job('noop')").await;
    }
}

#[tokio::test]
async fn the_service_and_the_worker_see_every_row() {
    let world = TestWorld::new().await;
    two_users(&world).await;
    for role in ["service_role", "forgeos_worker"] {
        for table in ["jobs", "analyses", "reports", "training_sessions", "artifacts", "job_items"] {
            let rows = world.login(role).sql(format!("select 1 from {table}")).await.unwrap();
            assert_eq!(rows.len(), 3, "{role} {table}");
        }
    }
}

#[tokio::test]
async fn a_user_cancels_the_own_job_only() {
    let world = TestWorld::new().await;
    let (a, b) = two_users(&world).await;
    world.user(a).sql("update jobs set status = 'cancelled'").await.unwrap();
    let statuses = world
        .sql(format!(
            "select status from jobs order by (user_id is not distinct from '{a}') desc, user_id = '{b}'"
        ))
        .await;
    assert_eq!(statuses.column(), ["cancelled", "pending", "pending"]);
}

#[tokio::test]
async fn a_users_analysis_is_pending_and_the_own_one() {
    let world = TestWorld::new().await;
    let (a, b) = two_users(&world).await;
    let me = world.user(a);
    let made = me
        .sql("insert into analyses (filename) values ('a.jpg') returning user_id, status, job_id, metrics")
        .await
        .unwrap();
    assert_eq!(made.0[0], [Some(a.to_string()), Some("pending".into()), None, None]);
    // A client of the seed has to name itself.
    let named = |user: Uuid| {
        format!(
            "insert into analyses (filename, user_id) values ('c.jpg', '{user}') returning user_id, status"
        )
    };
    let made = me.sql(named(a)).await.unwrap();
    assert_eq!(made.0[0], [Some(a.to_string()), Some("pending".into())]);
    me.denied(named(b)).await;
    me.sql("update analyses set filename = 'b.jpg'").await.unwrap();
    me.sql("delete from analyses").await.unwrap();
    let left = world
        .sql(format!("select filename is null from analyses where user_id = '{b}' or user_id is null"))
        .await;
    assert_eq!(left.column(), ["t", "t"], "others' rows are untouched");
    assert!(world.sql(format!("select 1 from analyses where user_id = '{a}'")).await.is_empty());
}

#[tokio::test]
async fn a_user_changes_the_own_session_only_while_it_is_pending() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let me = world.user(user);
    let change = "update training_sessions set notes = 'y', data = '{\"labels\": []}' returning 1";
    me.sql("insert into training_sessions (notes, data) values ('x', '{}')").await.unwrap();
    assert_eq!(me.sql(change).await.unwrap().len(), 1);
    world.sql("update training_sessions set status = 'completed'").await;
    assert_eq!(me.sql(change).await.unwrap().len(), 0);
}
