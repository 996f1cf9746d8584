//! An export that a schedule in the settings starts: yesterday, whenever in the night it runs.

use forgeos_tests::TestWorld;

use crate::export::csv_column;

#[tokio::test]
async fn a_nightly_schedule_exports_yesterday() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into analyses (filename, created_at)
             select n::text, now() - n * interval '6 hours' from generate_series(-8, 16) n",
        )
        .await;
    let _worker = world
        .program()
        .args(&["run"])
        .env("FORGEOS__SCHEDULES__NIGHTLY__CRON", "* * * * * *")
        .env("FORGEOS__SCHEDULES__NIGHTLY__JOB_TYPE", "data_export")
        .env(
            "FORGEOS__SCHEDULES__NIGHTLY__PARAMS",
            r#"{"dataset": "analyses", "filters": {"from_date": "-1d", "to_date": "-0d"}}"#,
        )
        .spawn();
    world.wait_until("select exists (select from jobs where status = 'completed')").await;
    let job = world.sql("select id from jobs where status = 'completed' order by created_at limit 1").await;
    let job = world.job(job.value().parse().unwrap()).await;
    // By the day on which it ran, should that have changed meanwhile.
    let expected = world
        .sql(format!(
            "select a.id from analyses a, jobs j, date_trunc('day', j.started_at, 'UTC') as today
             where j.id = '{}' and a.created_at >= today - interval '1 day' and a.created_at < today
             order by a.created_at, a.id",
            job.id
        ))
        .await;
    assert_eq!(expected.len(), 4);
    assert_eq!(job.user_id, None);
    let key = job.result("files")[0]["key"].as_str().unwrap();
    assert!(key.starts_with("service/"), "{key}");
    let found = csv_column(&std::fs::read(world.object_path("exports", key)).unwrap(), "id");
    assert_eq!(found, expected.column());
}
