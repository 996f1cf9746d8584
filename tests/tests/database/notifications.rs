//! The three notifications and their payloads.

use std::time::Duration;

use forgeos_tests::TestWorld;
use sqlx::postgres::PgListener;

struct Ear(PgListener);

impl Ear {
    async fn on(world: &TestWorld) -> Self {
        let mut listener = PgListener::connect_with(&world.pool).await.unwrap();
        listener.listen_all(["forgeos_jobs", "forgeos_cancel", "forgeos_done", "the_end"]).await.unwrap();
        Self(listener)
    }

    /// Everything that was said up to now: notifications arrive in the order of their commits.
    async fn heard(&mut self, world: &TestWorld) -> Vec<String> {
        world.sql("select pg_notify('the_end', '')").await;
        let mut heard = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(30), self.0.recv()).await.unwrap().unwrap();
            if next.channel() == "the_end" {
                return heard;
            }
            heard.push(format!("{} {}", next.channel(), next.payload()));
        }
    }
}

#[tokio::test]
async fn one_insert_tells_once_which_types_are_due() {
    let world = TestWorld::new().await;
    let mut ear = Ear::on(&world).await;
    world
        .sql(
            "insert into jobs (job_type, run_at) values ('noop', now()), ('noop', now()), ('data_export', now()),
                                                        ('batch_analysis', now() + interval '1 h')",
        )
        .await;
    assert_eq!(ear.heard(&world).await, ["forgeos_jobs data_export,noop"]);
    world.sql("insert into jobs (job_type, run_at) values ('noop', now() + interval '1 h')").await;
    world.sql("insert into jobs (job_type, status) values ('noop', 'completed')").await;
    world.sql("insert into jobs (job_type) select 'noop' where false").await;
    assert_eq!(ear.heard(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn more_types_than_a_payload_holds_become_a_star() {
    let world = TestWorld::new().await;
    world
        .sql("insert into job_types (name) select repeat('x', 90) || n from generate_series(1, 100) n")
        .await;
    let mut ear = Ear::on(&world).await;
    world.sql("insert into jobs (job_type) select name from job_types").await;
    assert_eq!(ear.heard(&world).await, ["forgeos_jobs *"]);
}

#[tokio::test]
async fn a_cancel_a_retry_and_an_adoption_are_told() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &serde_json::json!({})).await;
    let mut ear = Ear::on(&world).await;
    world.sql("update jobs set status = 'cancelled'").await;
    assert_eq!(ear.heard(&world).await, [format!("forgeos_cancel {id}"), format!("forgeos_done {id}")]);
    world.sql("update jobs set status = 'cancelled'").await;
    assert!(ear.heard(&world).await.is_empty());
    world.sql(format!("select retry_job('{id}')")).await;
    assert_eq!(ear.heard(&world).await, ["forgeos_jobs noop"]);
    world.sql("update jobs set run_at = null; select forgeos.adopt_pending_jobs()").await;
    assert_eq!(ear.heard(&world).await, ["forgeos_jobs noop"]);
}
