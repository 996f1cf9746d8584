//! Building a database from nothing, and taking over one that has lived.

use std::collections::BTreeSet;

use forgeos_core::db::migrate;
use forgeos_tests::TestWorld;

const SEED: &str = include_str!("../../fixtures/seed.sql");
pub(crate) const SUPABASE: &str = include_str!("../../fixtures/supabase.sql");

/// Everything that the seed's tables hold, and how they are made.
async fn portrait(world: &TestWorld) -> String {
    let mut portrait = String::new();
    for (table, columns) in [
        ("jobs", "id, created_at, updated_at, status, job_type, params, results, error_message, user_id"),
        ("analyses", "id, created_at, filename, output_filename, metrics, status, user_id, job_id"),
        ("reports", "id, created_at, analysis_id, url, metadata, template, user_id"),
        (
            "training_sessions",
            "id, created_at, updated_at, notes, data, status, model_version, accuracy_metrics, user_id",
        ),
        ("audit_log", "id, created_at, user_id, action, table_name, record_id, changes"),
    ] {
        let rows = world.sql(format!("select {columns} from public.{table} order by id")).await;
        assert!(!rows.is_empty(), "{table} has rows");
        portrait += &format!("{table} {rows:?}\n");
        let names: Vec<String> = columns.split(", ").map(|c| format!("'{c}'")).collect();
        let columns = world
            .sql(format!(
                "select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attnum
                 from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
                 where attrelid = 'public.{table}'::regclass and attname in ({})
                 order by attnum",
                names.join(", ")
            ))
            .await;
        portrait += &format!("{columns:?}\n");
    }
    let indexes = world
        .sql(
            "select indexdef from pg_indexes
             where schemaname = 'public' and (indexname like 'idx\\_%' or indexname like '%\\_pkey')
               and tablename in ('jobs', 'analyses', 'reports', 'training_sessions', 'audit_log') order by indexname",
        )
        .await;
    portrait += &format!("{indexes:?}\n");
    let keys = world
        .sql(
            "select conrelid::regclass, conname, pg_get_constraintdef(oid) from pg_constraint
             where contype = 'f' and conrelid in ('public.analyses'::regclass, 'public.reports'::regclass) order by 2",
        )
        .await;
    portrait + &format!("{keys:?}\n")
}

/// The file of a table: another one would mean that all its rows were written again.
async fn files(world: &TestWorld) -> Vec<String> {
    let rows = world
        .sql("select pg_relation_filenode(t::regclass)::text from unnest(array['jobs', 'analyses', 'reports']) t")
        .await;
    rows.column().into_iter().map(str::to_owned).collect()
}

/// The whole schema as text: tables, columns, indexes, functions, policies, grants.
async fn schema(world: &TestWorld) -> BTreeSet<String> {
    let rows = world
        .sql(
            "select concat_ws(' ', c.relkind, c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                              (select string_agg(x::text, ',' order by x::text) from unnest(a.attacl) x),
                              (select string_agg(x::text, ',' order by x::text) from unnest(c.relacl) x), c.relrowsecurity) as line
             from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
             where c.relnamespace in ('public'::regnamespace, 'forgeos'::regnamespace)
             union all select pg_get_functiondef(oid)
                              || (select coalesce(string_agg(x::text, ',' order by x::text), '') from unnest(proacl) x) from pg_proc
             where pronamespace in ('public'::regnamespace, 'forgeos'::regnamespace)
               and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
             union all select concat_ws(' ', polrelid::regclass, polname, polcmd, polroles::regrole[],
                                        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy
             union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
             union all select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
             order by line",
        )
        .await;
    rows.column().into_iter().map(str::to_owned).collect()
}

/// Asserts that two schemas are the same, and shows only where they differ.
fn assert_same(found: &BTreeSet<String>, expected: &BTreeSet<String>, why: &str) {
    let more: Vec<_> = found.difference(expected).collect();
    let less: Vec<_> = expected.difference(found).collect();
    assert!(more.is_empty() && less.is_empty(), "{why}\nmore: {more:#?}\nless: {less:#?}");
}

/// Runs every file again by hand, as a nervous operator would.
async fn run_all_files_again(world: &TestWorld) {
    for migration in migrate::MIGRATIONS {
        world.sql(migration.sql).await;
    }
}

#[tokio::test]
async fn an_empty_database_gets_everything_and_a_second_run_changes_nothing() {
    let world = TestWorld::empty().await;
    let first = migrate::run(&world.options).await.unwrap();
    assert_eq!(first.applied.len(), migrate::MIGRATIONS.len());
    let made = schema(&world).await;
    for name in [
        "jobs",
        "analyses",
        "reports",
        "training_sessions",
        "audit_log",
        "job_types",
        "job_items",
        "job_attempts",
        "job_logs",
        "artifacts",
        "workers",
        "queue_health",
        "user_analysis_summary",
    ] {
        let found = world.sql(format!("select to_regclass('public.{name}') is not null")).await;
        assert_eq!(found.value(), "t", "{name}");
    }
    let second = migrate::run(&world.options).await.unwrap();
    assert!(second.applied.is_empty(), "{second:?}");
    assert_same(&schema(&world).await, &made, "a second run changed the schema");
    run_all_files_again(&world).await;
    assert_same(&schema(&world).await, &made, "a file is not safe to run again");
}

#[tokio::test]
async fn the_seeds_database_keeps_every_row_column_and_index() {
    let world = TestWorld::empty().await;
    world.sql(SEED).await;
    let (before, files_before) = (portrait(&world).await, files(&world).await);
    migrate::run(&world.options).await.unwrap();
    assert_eq!(portrait(&world).await, before);
    assert_eq!(files(&world).await, files_before, "a big table must not be written again");
    let made = schema(&world).await;
    assert!(migrate::run(&world.options).await.unwrap().applied.is_empty());
    run_all_files_again(&world).await;
    assert_eq!(portrait(&world).await, before);
    assert_eq!(files(&world).await, files_before);
    assert_same(&schema(&world).await, &made, "a second run changed the schema");
}

#[tokio::test]
async fn an_adopted_database_ends_up_like_a_new_one() {
    let (adopted, new) = (TestWorld::empty().await, TestWorld::empty().await);
    adopted.sql(SEED).await;
    migrate::run(&adopted.options).await.unwrap();
    migrate::run(&new.options).await.unwrap();
    assert_same(&schema(&adopted).await, &schema(&new).await, "adopted is not like new");
}

/// A database as on Supabase: everything granted to everybody by default, the migrating role no superuser.
pub(crate) async fn supabase(with_seed: bool) -> (TestWorld, String) {
    let world = TestWorld::empty().await;
    world.sql(SUPABASE).await;
    let owner = world.options.clone().username("project_owner");
    if with_seed {
        let pool = sqlx::PgPool::connect_with(owner.clone()).await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        forgeos_tests::rows::run(&mut connection, SEED).await.unwrap();
    }
    let before = if with_seed { portrait(&world).await } else { String::new() };
    migrate::run(&owner).await.unwrap();
    let made = schema(&world).await;
    assert!(migrate::run(&owner).await.unwrap().applied.is_empty());
    assert_same(&schema(&world).await, &made, "a second run changed the schema");
    (world, before)
}

#[tokio::test]
async fn on_supabase_the_default_privileges_are_taken_back() {
    let (world, _) = supabase(false).await;
    crate::rights::assert_rights_are_as_narrow_as_they_should_be(&world).await;
}

#[tokio::test]
async fn a_seed_database_on_supabase_is_adopted_by_a_role_without_special_rights() {
    let (world, before) = supabase(true).await;
    assert_eq!(portrait(&world).await, before);
    crate::rights::assert_rights_are_as_narrow_as_they_should_be(&world).await;
    // The seed let every user read every analysis.
    let user = world.user("00000000-0000-0000-0000-00000000000a".parse().unwrap());
    assert!(user.sql("select 1 from analyses").await.unwrap().is_empty());
    let owner = world.sql("select md5('user 1')::uuid").await.value().parse().unwrap();
    let own = world.user(owner).sql("select distinct user_id from analyses").await.unwrap();
    assert_eq!(own.column(), [owner.to_string().as_str()]);
}

#[tokio::test]
async fn other_peoples_policies_stay_and_are_named() {
    let world = TestWorld::empty().await;
    migrate::run(&world.options).await.unwrap();
    world.sql("create policy everybody_reads on public.reports for select using (true)").await;
    run_all_files_again(&world).await;
    let named = world.sql("select relation, policy from forgeos.other_policies()").await;
    assert_eq!(named.0, [[Some("public.reports".to_owned()), Some("everybody_reads".to_owned())]]);
}

#[tokio::test]
async fn adopted_pending_jobs_wait_and_adopted_running_ones_count_as_expired() {
    let world = TestWorld::empty().await;
    world.sql(SEED).await;
    migrate::run(&world.options).await.unwrap();
    let waiting =
        world.sql("select count(*) from jobs where status = 'pending' and run_at is not null").await;
    assert_eq!(waiting.value(), "0");
    let expired = world.sql("select sum(expired_leases) = (select count(*) from jobs where status = 'running') from queue_health").await;
    assert_eq!(expired.value(), "t");
    // A new row beside them is due at once.
    world.sql("insert into jobs (job_type, params) values ('data_export', '{}')").await;
    assert_eq!(world.sql("select count(*) from jobs where run_at <= now()").await.value(), "1");
    let known = "job_type in (select name from job_types) and status = 'pending' and run_at is null";
    let due = world.sql(format!("select count(*) from jobs where {known}")).await;
    let released = world.sql("select forgeos.adopt_pending_jobs()").await;
    assert_eq!(released.value(), due.value());
    assert_ne!(released.value(), "0");
    assert_eq!(world.sql("select forgeos.adopt_pending_jobs()").await.value(), "0");
    let left = world.sql("select distinct coalesce(job_type, 'null') from jobs where status = 'pending' and run_at is null order by 1").await;
    assert_eq!(left.column(), ["null", "thumbnailing"], "rows of an unknown type stay as they are");
}

#[tokio::test]
async fn two_processes_may_migrate_at_the_same_time() {
    let world = TestWorld::empty().await;
    let runs = forgeos_tests::world::all((0..4).map(|_| migrate::run(&world.options))).await;
    let applied: usize = runs.into_iter().map(|run| run.unwrap().applied.len()).sum();
    assert_eq!(applied, migrate::MIGRATIONS.len(), "each file ran once");
}

#[tokio::test]
async fn a_column_of_another_type_stops_the_migration_with_its_name() {
    let world = TestWorld::empty().await;
    world.sql(SEED).await;
    world.sql("alter table jobs add column priority text").await;
    let error = migrate::run(&world.options).await.unwrap_err().to_string();
    assert!(error.contains("priority is text, wanted smallint"), "{error}");
}
