//! What a plain insert into `jobs` may and may not do.

use forgeos_tests::TestWorld;

#[tokio::test]
async fn an_unknown_type_is_refused_with_the_types_that_are_allowed() {
    let world = TestWorld::new().await;
    for (sql, word) in [
        ("insert into jobs (job_type) values ('nope')", "nope"),
        ("insert into jobs (job_type) values (null)", "null"),
        ("insert into jobs default values", "null"),
    ] {
        let refusal = world.refused(sql).await;
        assert_eq!(refusal.code, "22023", "{refusal:?}");
        let start = format!("unknown job type \"{word}\"; allowed: batch_analysis, data_export, ");
        assert!(refusal.message.starts_with(&start), "{refusal:?}");
    }
    assert!(world.sql("select 1 from jobs").await.is_empty());
}
