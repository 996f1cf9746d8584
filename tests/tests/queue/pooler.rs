//! Statements as a transaction pooler wants them: without names, each inside a transaction.

use forgeos_tests::TestWorld;
use serde_json::json;

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
        forgeos_core::db::queue::ping(&mut session).await.unwrap();
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
