//! Behind a transaction pooler: statements without names, each inside a transaction, and nothing of a session.

use std::time::Duration;

use forgeos_core::db::{Db, DbError, DbResult, Statements, within};
use forgeos_tests::{PgBouncer, TestWorld, line::Line, pgbouncer, world::poll};
use serde_json::json;
use sqlx::{Connection, postgres::PgConnectOptions};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_does_its_work_without_named_statements() {
    let world = TestWorld::new().await;
    let worker = world.worker().behind_a_pooler().ready().await;
    let good = world.enqueue("scripted", &json!({"act": "succeed"})).await;
    let bad = world.enqueue("scripted", &json!({"act": "fail_for_good"})).await;
    let held = world.enqueue("scripted", &json!({"act": "run_until_stopped"})).await;
    world.wait_for(good, "completed").await;
    world.wait_for(bad, "failed").await;
    world.wait_for(held, "running").await;
    world.sql(format!("update jobs set status = 'cancelled' where id = '{held}'")).await;
    world.wait_until(&format!("select results is not null from jobs where id = '{held}'")).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_keeps_a_name_on_the_server() {
    let world = TestWorld::new().await;
    let unnamed = world.pooled_db();
    for _ in 0..3 {
        let mut session = unnamed.session().await.unwrap();
        forgeos_core::db::queue::note_contact(&mut session, 1.0).await.unwrap();
        let request =
            forgeos_core::db::queue::ClaimRequest { job_types: vec!["noop".into()], limits: vec![1] };
        forgeos_core::db::queue::claim(&mut session, forgeos_core::WorkerId::random(), 1.0, &request)
            .await
            .unwrap();
        let names: Vec<String> =
            sqlx::query_scalar("select statement from pg_prepared_statements where name <> ''")
                .fetch_all(session.exec())
                .await
                .unwrap();
        assert!(names.is_empty(), "{names:?}");
        session.finish().await.unwrap();
    }
}

/// A try to connect that nobody waits for any more, on a line that has died, keeps no place of the pool: here the only
/// one, in the pool of the heartbeat one of two, and it would keep it for longer than a lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_waiting_for_a_connection_leaves_nothing_behind() {
    let world = TestWorld::new().await;
    let line = Line::to(&world).await;
    let db = Db::lazy(over(&line, &world), Statements::Unnamed, 1);
    line.go_dead();
    for _ in 0..3 {
        let refusal = within(Duration::from_millis(100), db.begin()).await.err();
        assert!(matches!(refusal, Some(DbError::TimedOut)), "{refusal:?}");
    }
    line.mend();
    let begun = within(Duration::from_secs(3), db.begin()).await;
    begun.expect("the line is mended").rollback().await.unwrap();
    db.close().await;
}

/// The next statement on that connection would be rolled back with the transaction, although it had succeeded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_begin_that_nobody_waits_for_leaves_no_transaction_open() {
    let world = TestWorld::new().await;
    let db = Db::lazy_for_queue(world.options.clone(), Statements::Named, 1);
    write(&db).await.unwrap();
    poll("the connection to be back", async || (db.pool().num_idle() == 1).then_some(())).await;
    drop(futures::FutureExt::now_or_never(db.begin()));
    let mut session = db.session().await.unwrap();
    sqlx::query("create table public.written ()").execute(session.exec()).await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(world.sql("select to_regclass('public.written') is not null").await.value(), "t");
}

/// From the first message of a connection to the last before it rests in its pool, the line dies before each once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_line_dies_its_place_in_the_pool_is_free_again() {
    let world = TestWorld::new().await;
    let line = Line::to(&world).await;
    for statements in [Statements::Named, Statements::Unnamed] {
        let mut messages = 0;
        loop {
            let db = Db::lazy_for_queue(over(&line, &world), statements, 1)
                .with_silence(Duration::from_millis(300));
            line.go_dead_after(messages);
            let mut reached = within(Duration::from_secs(1), write(&db)).await.is_ok();
            if reached {
                // What follows is between the pool and the server.
                let rests = async {
                    while db.pool().num_idle() == 0 {
                        tokio::time::sleep(Duration::from_millis(1)).await
                    }
                };
                reached = tokio::time::timeout(Duration::from_millis(500), rests).await.is_ok();
            }
            line.mend();
            let again = within(Duration::from_secs(4), write(&db)).await;
            assert!(again.is_ok(), "{statements:?}, dead after {messages} messages: {again:?}");
            db.close().await;
            if reached {
                break;
            }
            messages += 1;
        }
        assert!(messages >= 6, "{statements:?}: only {messages} messages");
    }
}

async fn write(db: &Db) -> DbResult<()> {
    let mut transaction = db.begin().await?;
    sqlx::query("select 1").execute(transaction.exec()).await?;
    transaction.commit().await
}

fn over(line: &Line, world: &TestWorld) -> PgConnectOptions {
    let database = world.options.get_database().unwrap();
    let url = format!("postgresql://forgeos@{}/{database}?sslmode=disable", line.address());
    url.parse::<PgConnectOptions>().unwrap().extra_float_digits(None)
}

/// One server connection carries everybody in turn, so whatever one transaction leaves behind the next one finds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pgbouncer"]
async fn nothing_of_a_session_is_left_on_the_one_server_connection() {
    let pooler: &'static PgBouncer = Box::leak(Box::new(PgBouncer::start(1)));
    let world = TestWorld::new().await.behind(pooler);
    let pooled = |args: &[&str]| world.program().without("FORGEOS__DATABASE__LISTEN_URL").args(args);
    let program = pooled(&["run"]).spawn();
    let (user, image) = (Uuid::new_v4(), Uuid::new_v4());
    world.put("images", &format!("{user}/{image}.jpg"), &forgeos_samples::variant(6).bytes);
    let batch = world.enqueue_for("batch_analysis", &json!({"image_ids": [image, user]}), Some(user)).await;
    let report = json!({"job_id": batch, "formats": ["pdf", "csv"]});
    let report = world.enqueue_for("report_generation", &report, Some(user)).await;
    world.wait_for(batch, "completed").await;
    world.wait_for(report, "completed").await;
    let export = json!({"dataset": "analyses", "formats": ["csv", "parquet"]});
    let export = world.enqueue_for("data_export", &export, Some(user)).await;
    let bad = world.enqueue("data_export", &json!({"dataset": "nothing"})).await;
    assert_eq!(world.wait_for(export, "completed").await.result("rows"), &json!(2));
    world.wait_for(bad, "failed").await;
    let (bad, user) = (bad.to_string(), user.to_string());
    for command in [
        &["migrate"][..],
        &["jobs", "list", "--json"],
        &["jobs", "show", &bad],
        &["jobs", "explain", &bad],
        &["jobs", "retry", &bad],
        &["types", "limit", "data_export", "--fair", "true"],
        &["types", "pause", "data_export"],
        &["enqueue", "data_export", "--params", "{\"dataset\": \"jobs\"}", "--unique-key", "once"],
        &["jobs", "cancel", "--type", "data_export", "--status", "pending"],
        &["workers", "list"],
        &["artifacts", "list"],
        &["prune", "--dry-run"],
        &["erase", "--user", &user, "--yes"],
    ] {
        let output = pooled(command).output().await;
        assert_eq!(output.code, Some(0), "{command:?}: {output:?}");
    }

    let looking: sqlx::postgres::PgConnectOptions = world.workers_url().parse().unwrap();
    let looking = looking.statement_cache_capacity(0).extra_float_digits(None);
    let mut connection = sqlx::PgConnection::connect_with(&looking).await.unwrap();
    for question in [
        "select count(*)::text from pg_prepared_statements",
        "select count(*)::text from pg_listening_channels()",
        "select count(*)::text from pg_cursors",
        "select count(*)::text from pg_locks where locktype = 'advisory'",
        "select count(*)::text from pg_settings where source = 'session'
         and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')",
    ] {
        let answer = sqlx::raw_sql(question).fetch_one(&mut connection).await.unwrap();
        assert_eq!(sqlx::Row::get::<String, _>(&answer, 0), "0", "{question}");
    }
    connection.close().await.unwrap();
    drop(program);
}

#[tokio::test]
#[ignore = "needs pgbouncer"]
async fn a_pooler_that_the_settings_do_not_tell_of_is_named_at_start() {
    let world = TestWorld::new().await.behind(PgBouncer::shared());
    let output = world.program().env("FORGEOS__DATABASE__POOLER", "none").args(&["run"]).output().await;
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("set `database.pooler` to `transaction`"), "{}", output.stderr);
}

#[tokio::test]
#[ignore = "needs pgbouncer"]
async fn doctor_and_migrate_work_through_a_pooler_alone() {
    let world = TestWorld::empty().await.behind(PgBouncer::shared());
    for command in ["migrate", "doctor"] {
        let program = world.program().without("FORGEOS__DATABASE__LISTEN_URL").args(&[command]);
        let output = program.output().await;
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
    }
}

#[tokio::test]
#[ignore = "needs pgbouncer"]
async fn the_whole_suite_holds_through_a_transaction_pooler() {
    pgbouncer::run_this_suite_again(&[]).await;
}
