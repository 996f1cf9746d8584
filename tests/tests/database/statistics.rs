//! get_user_stats, the summary view, cleanup_old_analyses.

use std::time::{Duration, Instant};

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

async fn stats(world: &TestWorld, user: Uuid) -> Value {
    world.user(user).sql(format!("select get_user_stats('{user}')")).await.unwrap().json()
}

#[tokio::test]
async fn stats_are_right_for_a_user_with_rows_and_one_without() {
    let world = TestWorld::new().await;
    let (user, other, nobody) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for (of, times) in [(user, 1), (other, 5)] {
        world
            .sql(format!(
                "insert into analyses (user_id, metrics, created_at)
                 select '{of}', m, '2025-01-01' from unnest(array['{{\"cvi\": 0.25}}', '{{\"cvi\": \"0.75\"}}', '{{\"cvi\": \"n/a\"}}',
                    '{{}}', null, '{{\"cvi\": null}}', '[]', '{{\"cvi\": {{}}}}']::jsonb[]) m, generate_series(1, {times});
                 insert into reports (user_id, created_at) select '{of}', '2025-03-01' from generate_series(1, 3 * {times});
                 insert into jobs (user_id, job_type, created_at) select '{of}', 'noop', '2025-02-01' from generate_series(1, 2 * {times});
                 insert into jobs (user_id, job_type, status, created_at) select '{of}', 'noop', 'completed', '2025-02-01' from generate_series(1, {times})"
            ))
            .await;
    }
    let found = stats(&world, user).await;
    assert_eq!(
        found,
        json!({"total_analyses": 8, "total_reports": 3, "active_jobs": 2, "avg_cvi": 0.5,
               "last_activity": found["last_activity"]})
    );
    assert!(found["last_activity"].as_str().unwrap().starts_with("2025-03-01"), "{found}");
    assert_eq!(
        stats(&world, nobody).await,
        json!({"total_analyses": 0, "total_reports": 0, "active_jobs": 0, "avg_cvi": null, "last_activity": null})
    );
    // A user without analyses still has jobs.
    world.enqueue_for("noop", &json!({}), Some(nobody)).await;
    assert_eq!(stats(&world, nobody).await["active_jobs"], 1);
}

#[tokio::test]
async fn stats_are_given_of_oneself_only() {
    let world = TestWorld::new().await;
    let (user, other) = (Uuid::new_v4(), Uuid::new_v4());
    world.user(user).denied(format!("select get_user_stats('{other}')")).await;
    world.user(user).denied("select get_user_stats(null)").await;
    world.role("authenticated").denied(format!("select get_user_stats('{other}')")).await;
    world.role("service_role").sql(format!("select get_user_stats('{other}')")).await.unwrap();
    // A role in the claims does not lift the role of the session.
    let forged = format!(
        "set local request.jwt.claims = '{{\"role\": \"service_role\", \"sub\": \"{user}\"}}'; select get_user_stats('{other}')"
    );
    world.user(user).denied(forged).await;
}

#[tokio::test]
async fn stats_of_a_busy_user_are_quick() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    world
        .sql(format!(
            "insert into analyses (user_id, metrics) select '{user}', '{{\"cvi\": 0.5}}' from generate_series(1, 300);
             insert into reports (user_id) select '{user}' from generate_series(1, 200);
             insert into jobs (user_id, job_type) select '{user}', 'noop' from generate_series(1, 200)"
        ))
        .await;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        assert_eq!(stats(&world, user).await["total_analyses"], 300);
        best = best.min(began.elapsed());
    }
    println!("get_user_stats for 300 analyses, 200 reports, 200 jobs: {best:?}");
    // A join of the three takes tens of seconds; this machine may be busy.
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[tokio::test]
async fn the_summary_survives_rows_without_a_number() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    world
        .sql(format!(
            "insert into analyses (user_id, metrics, status) values ('{user}', '{{\"cvi\": 0.25}}', 'completed'),
                ('{user}', '{{\"cvi\": \"good\"}}', 'completed'), ('{user}', null, 'failed')"
        ))
        .await;
    let row = world
        .user(user)
        .sql("select total_analyses, completed, failed, avg_cvi from user_analysis_summary")
        .await
        .unwrap();
    assert_eq!(row.0[0], ["3", "2", "1", "0.25"].map(|v| Some(v.to_owned())));
}

#[tokio::test]
async fn clean_up_removes_the_old_ones_and_takes_no_nonsense() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into analyses (created_at) select now() - d * interval '1 day' from unnest(array[1, 89, 91, 400]) d;
             insert into reports (analysis_id) select id from analyses",
        )
        .await;
    for days in ["0", "-1", "null"] {
        assert_eq!(
            world.refused(format!("select cleanup_old_analyses({days})")).await.code,
            "22023",
            "{days}"
        );
    }
    assert_eq!(world.login("service_role").sql("select cleanup_old_analyses()").await.unwrap().value(), "2");
    assert_eq!(world.sql("select count(*) from analyses").await.value(), "2");
    assert_eq!(world.sql("select count(*) from reports").await.value(), "2");
}
