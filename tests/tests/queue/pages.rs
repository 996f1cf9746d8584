//! A claim reads no row that it cannot take: counted in pages.

use forgeos_core::{
    WorkerId,
    db::{
        Session,
        queue::{self, ClaimRequest},
    },
};
use forgeos_tests::TestWorld;

/// Pages of the table and its indexes that a claim of one row may touch. A step to the next existing priority costs two
/// descents of an index, and the claimed row one new entry in each index; a scan of what cannot be taken would cost
/// thousands.
const FEW: i64 = 150;

struct Claimed {
    jobs: usize,
    pages: i64,
    tuples: i64,
}

/// Claims in a transaction that is rolled back, and counts the pages and rows that were read meanwhile.
async fn counted_claim(world: &TestWorld, wanted: &[(&str, i32)]) -> Claimed {
    let request = ClaimRequest {
        job_types: wanted.iter().map(|(name, _)| (*name).to_owned()).collect(),
        limits: wanted.iter().map(|(_, free)| *free).collect(),
    };
    let mut session = world.pooled_db().session().await.unwrap();
    let before = counters(&mut session).await;
    let jobs = queue::claim(&mut session, WorkerId::random(), 30.0, &request).await.unwrap().len();
    let after = counters(&mut session).await;
    drop(session);
    Claimed { jobs, pages: after.0 - before.0, tuples: after.1 - before.1 }
}

/// Pages (of the table and its indexes) and rows of `jobs` read so far in this transaction.
async fn counters(session: &mut Session) -> (i64, i64) {
    sqlx::query_as(
        "select
           (select sum(pg_stat_get_xact_blocks_fetched(oid))::int8 from pg_class
            where oid = 'public.jobs'::regclass
               or oid in (select indexrelid from pg_index where indrelid = 'public.jobs'::regclass)),
           (select sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))::int8 from pg_class
            where oid = 'public.jobs'::regclass
               or oid in (select indexrelid from pg_index where indrelid = 'public.jobs'::regclass))",
    )
    .fetch_one(session.exec())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_claim_reads_a_handful_of_pages_however_full_the_table_is() {
    let world = TestWorld::new().await;
    // Finished rows, due rows of a common type, and rows of higher priority that are not due for a year.
    world
        .sql(
            "insert into job_types (name) values ('rare'), ('absent');
             insert into jobs (job_type, params, status, created_at)
             select 'noop', '{}', 'completed', now() - n * interval '1 second' from generate_series(1, 1000000) n;
             insert into jobs (job_type, params, priority, run_at)
             select 'noop', '{}', n % 5, now() - n * interval '1 millisecond' from generate_series(1, 1000000) n;
             insert into jobs (job_type, params, priority, run_at)
             select t, '{}', 100 + n % 3, now() + interval '1 year' + n * interval '1 second'
             from unnest(array['noop', 'rare']) t, generate_series(1, 20000) n;
             insert into jobs (job_type, params, priority) values ('rare', '{}', -5)",
        )
        .await;
    world.sql("vacuum (analyze) jobs").await;

    for (what, wanted, jobs) in [
        ("one of a common type", vec![("noop", 1)], 1),
        ("one of a rare type behind rows of the future", vec![("rare", 1)], 1),
        ("none of a type without rows", vec![("absent", 10)], 0),
        ("of all types", vec![("noop", 1), ("rare", 1), ("absent", 1)], 2),
    ] {
        let claimed = counted_claim(&world, &wanted).await;
        println!("{what}: {} pages, {} rows read", claimed.pages, claimed.tuples);
        assert_eq!(claimed.jobs, jobs, "{what}");
        assert!(claimed.pages <= FEW, "{what}: {} pages", claimed.pages);
        assert!(claimed.tuples <= 40, "{what}: {} rows", claimed.tuples);
    }
    let many = counted_claim(&world, &[("noop", 100)]).await;
    println!("a hundred: {} pages, {} rows read", many.pages, many.tuples);
    assert_eq!(many.jobs, 100);
    // Each row is found, locked and written, with an entry in each index that its change touches.
    assert!(many.pages <= 100 * 30, "a hundred: {} pages", many.pages);
    assert!(many.tuples <= 100 * 5, "a hundred: {} rows", many.tuples);
}

#[tokio::test]
async fn a_claim_stays_cheap_when_statistics_are_missing_or_stale() {
    let world = TestWorld::new().await;
    world
        .sql(
            "alter table jobs set (autovacuum_enabled = off);
             analyze jobs;
             insert into jobs (job_type, params, status) select 'noop', '{}', 'completed' from generate_series(1, 50000) n;
             insert into jobs (job_type, params) select 'noop', '{}' from generate_series(1, 50000) n",
        )
        .await;
    let claimed = counted_claim(&world, &[("noop", 1)]).await;
    assert_eq!(claimed.jobs, 1);
    assert!(claimed.pages <= FEW, "{} pages", claimed.pages);
}
