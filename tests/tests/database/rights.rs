//! Who may do what, asked of the catalogue about everything that there is.

use forgeos_tests::TestWorld;
use uuid::Uuid;

/// What `authenticated` may do beyond reading whole tables, exactly.
const USERS_COLUMNS: &[&str] = &[
    "analyses insert filename",
    "analyses insert user_id",
    "analyses update filename",
    "jobs insert id",
    "jobs insert job_type",
    "jobs insert params",
    "jobs insert priority",
    "jobs insert run_at",
    "jobs insert status",
    "jobs insert unique_key",
    "jobs insert user_id",
    "jobs update status",
    "training_sessions insert data",
    "training_sessions insert notes",
    "training_sessions update data",
    "training_sessions update notes",
];

/// Used on every kind of database.
pub(crate) async fn assert_rights_are_as_narrow_as_they_should_be(world: &TestWorld) {
    let ours = "relnamespace in ('public'::regnamespace, 'forgeos'::regnamespace)";
    let function_is_ours = "p.pronamespace in ('public'::regnamespace, 'forgeos'::regnamespace)
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')";
    let expect = async |what: &str, sql: String, expected: &[&str]| {
        assert_eq!(world.sql(&sql).await.column(), expected, "{what}");
    };

    expect(
        "what anon may touch",
        format!(
            "select c.oid::regclass::text from pg_class c
             where {ours} and c.relkind in ('r', 'p', 'v', 'm', 'f')
               and (has_table_privilege('anon', c.oid, 'select, insert, update, delete, truncate, references, trigger')
                    or has_any_column_privilege('anon', c.oid, 'select, insert, update, references'))
             union all select c.oid::regclass::text from pg_class c
             where {ours} and case when c.relkind = 'S' then has_sequence_privilege('anon', c.oid, 'usage, select, update') end
             union all select p.oid::regprocedure::text from pg_proc p
             where {function_is_ours} and has_function_privilege('anon', p.oid, 'execute')"
        ),
        &[],
    )
    .await;

    expect(
        "what users may do to whole tables beside reading",
        format!(
            "select c.relname || ' ' || p
             from (select * from pg_class where {ours} and relkind in ('r', 'p', 'v', 'm', 'f')) c,
                  unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p
             where has_table_privilege('authenticated', c.oid, p) order by 1"
        ),
        &["analyses delete"],
    )
    .await;

    expect(
        "the columns that users may write",
        format!(
            "select c.relname || ' ' || p || ' ' || a.attname
             from (select * from pg_class where {ours} and relkind in ('r', 'p')) c
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped,
                  unnest(array['insert', 'update', 'references']) p
             where has_column_privilege('authenticated', c.oid, a.attnum, p) order by 1"
        ),
        USERS_COLUMNS,
    )
    .await;

    expect(
        "the tables and views that users may read",
        format!(
            "select c.oid::regclass::text from (select * from pg_class where {ours} and relkind in ('r', 'p', 'v', 'm', 'f')) c
             where has_any_column_privilege('authenticated', c.oid, 'select') order by 1"
        ),
        &[
            "analyses", "artifacts", "audit_log", "job_attempts", "job_items", "job_logs", "jobs", "reports",
            "training_sessions", "user_analysis_summary",
        ],
    )
    .await;

    expect(
        "the columns of those that users may not read",
        format!(
            "select c.relname || ' ' || a.attname
             from (select * from pg_class where {ours} and relkind in ('r', 'p', 'v')) c
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where has_any_column_privilege('authenticated', c.oid, 'select')
               and not has_column_privilege('authenticated', c.oid, a.attnum, 'select') order by 1"
        ),
        &[
            "job_attempts error_chain",
            "job_attempts worker_id",
            "job_items locked_by",
            "job_items locked_until",
        ],
    )
    .await;

    expect(
        "the functions that users may call",
        format!(
            "select p.oid::regproc::text from pg_proc p
             where {function_is_ours} and has_function_privilege('authenticated', p.oid, 'execute') order by 1"
        ),
        &["cancel_job", "cvi_of", "enqueue_job", "explain_job", "get_user_stats", "retry_job"],
    )
    .await;

    expect(
        "sequences that users may touch",
        format!(
            "select relname from pg_class c
             where {ours} and case when relkind = 'S' then has_sequence_privilege('authenticated', c.oid, 'usage, select, update') end"
        ),
        &[],
    )
    .await;

    expect(
        "tables without row-level security",
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and not relrowsecurity"
            .to_owned(),
        &[],
    )
    .await;

    expect(
        "functions in public that do not run as their owner with an empty search path",
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace = 'public'::regnamespace
           and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
           and not (p.prosecdef and p.proconfig @> array['search_path=\"\"'])"
            .to_owned(),
        &[],
    )
    .await;

    expect(
        "views that show more than their reader may see",
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'
         and not coalesce(reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']"
            .to_owned(),
        &[],
    )
    .await;

    expect(
        "roles of ours that row-level security does not bind",
        "select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role', 'forgeos_worker')
         and (rolbypassrls or rolsuper or rolcanlogin)"
            .to_owned(),
        &[],
    )
    .await;

    expect(
        "what the worker's role may truncate, and where it may insert jobs",
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
           and (has_table_privilege('forgeos_worker', oid, 'truncate, references, trigger')
                or (relname = 'jobs' and has_any_column_privilege('forgeos_worker', oid, 'insert')))"
            .to_owned(),
        &[],
    )
    .await;
}

#[tokio::test]
async fn nobody_may_do_more_than_the_contract_says() {
    let world = TestWorld::new().await;
    assert_rights_are_as_narrow_as_they_should_be(&world).await;
}

#[tokio::test]
async fn anon_is_refused_everywhere() {
    let world = TestWorld::new().await;
    let anon = world.role("anon");
    for relation in world
        .sql("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')")
        .await
        .column()
    {
        anon.denied(format!("select * from public.{relation}")).await;
    }
    anon.denied("insert into jobs (job_type, params) values ('noop', '{}')").await;
    anon.denied("select enqueue_job('noop')").await;
    anon.denied("select get_user_stats(gen_random_uuid())").await;
    anon.denied("select cancel_job(gen_random_uuid())").await;
}

#[tokio::test]
async fn a_user_cannot_truncate_delete_or_touch_what_the_worker_writes() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    world.enqueue_for("noop", &serde_json::json!({}), Some(user)).await;
    let me = world.user(user);
    for table in
        ["jobs", "analyses", "reports", "training_sessions", "audit_log", "job_items", "artifacts", "workers"]
    {
        me.denied(format!("truncate {table}")).await;
    }
    for sql in [
        "delete from jobs",
        "update jobs set results = '{}'",
        "update jobs set params = '{}'",
        "update jobs set priority = 0",
        "update jobs set attempt = 0",
        "update jobs set locked_by = null",
        "update jobs set user_id = gen_random_uuid()",
        "update jobs set status = 'running'",
        "insert into jobs (job_type, max_attempts) values ('noop', 99)",
        "insert into jobs (job_type, created_at) values ('noop', now())",
        "insert into jobs (job_type, traceparent) values ('noop', '')",
        "insert into analyses (metrics) values ('{}')",
        "insert into analyses (job_id) values (null)",
        "update analyses set metrics = '{}'",
        "insert into training_sessions (accuracy_metrics) values ('{}')",
        "insert into reports (url) values ('x')",
        "insert into audit_log (action) values ('x')",
        "insert into artifacts (attempt, kind, bucket, key, size_bytes) values (1, 'x', 'outputs', 'x', 0)",
        "insert into job_logs (job_id, attempt, level, message) select id, 1, 'info', '' from jobs",
        "select * from workers",
        "select * from job_types",
        "select * from queue_health",
        "select error_chain from job_attempts",
        "select locked_by from job_items",
        "select cleanup_old_analyses(90)",
        "select forgeos.adopt_pending_jobs()",
        "select forgeos.grant_to('authenticated', 'all on table public.jobs')",
    ] {
        me.denied(sql).await;
    }
}

#[tokio::test]
async fn the_workers_role_can_do_the_workers_work() {
    let world = TestWorld::new().await;
    let worker = world.login("forgeos_worker");
    for sql in [
        "select enqueue_job('noop')",
        "update jobs set status = 'running', attempt = attempt + 1, locked_by = gen_random_uuid(), locked_until = now()",
        "insert into analyses (status) values ('processing')",
        "update analyses set status = 'completed'",
        "insert into reports (url) values ('x')",
        "insert into job_items (job_id, item) select id, 'x' from jobs",
        "insert into job_attempts (job_id, attempt, outcome) select id, 1, 'failed' from jobs",
        "insert into job_logs (job_id, attempt, level, message) select id, 1, 'info', '' from jobs",
        "insert into artifacts (attempt, kind, bucket, key, size_bytes) values (1, 'x', 'outputs', 'x', 0)",
        "insert into workers (id) values (gen_random_uuid())",
        "select * from queue_health",
        "select * from forgeos.migrations",
        "update jobs set status = 'completed', results = '{}'",
        "delete from jobs",
    ] {
        let rows = worker.sql(sql).await;
        assert!(rows.is_ok(), "`{sql}`: {rows:?}");
    }
    worker.denied("insert into jobs (job_type) values ('noop')").await;
    worker.denied("delete from analyses").await;
    worker.denied("update job_types set paused = true").await;
}
