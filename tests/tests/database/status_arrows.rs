//! The arrows between the statuses, for everyone.

use forgeos_tests::TestWorld;

const STATUSES: [&str; 5] = ["pending", "running", "completed", "failed", "cancelled"];

/// What the contract says of one arrow.
#[derive(Debug, PartialEq, Eq)]
enum Arrow {
    Passes,
    /// Changes nothing and raises nothing.
    IsIgnored,
    IsRefused,
}

fn rule(from: &str, to: &str) -> Arrow {
    match (from, to) {
        ("completed" | "failed" | "cancelled", "cancelled") => Arrow::IsIgnored,
        (from, to) if from == to => Arrow::Passes,
        ("pending", "running" | "cancelled") => Arrow::Passes,
        ("running", _) => Arrow::Passes,
        _ => Arrow::IsRefused,
    }
}

/// Makes a row of a status without any trigger.
async fn row_of(world: &TestWorld, status: &str) -> String {
    let made = world
        .sql(format!(
            "begin; set local session_replication_role = replica;
             insert into jobs (job_type, params, status, run_at, locked_by, started_at, attempt, completed_at, updated_at)
             values ('noop', '{{}}', '{status}', now(), gen_random_uuid(), now(), 2,
                     case when '{status}' in ('completed', 'failed', 'cancelled') then now() - interval '1 day' end,
                     now() - interval '1 day') returning id;
             commit"
        ))
        .await;
    made.value().to_owned()
}

#[tokio::test]
async fn every_arrow_is_as_the_contract_says() {
    let world = TestWorld::new().await;
    for from in STATUSES {
        for to in STATUSES {
            let id = row_of(&world, from).await;
            let read = format!("select * from jobs where id = '{id}'");
            let before = world.sql(&read).await;
            let answer = world
                .try_sql(format!("update jobs set status = '{to}' where id = '{id}' returning status"))
                .await;
            let after = world.sql(&read).await;
            match rule(from, to) {
                Arrow::Passes => {
                    assert_eq!(answer.unwrap_or_else(|e| panic!("{from} -> {to}: {e:?}")).column(), [to]);
                }
                Arrow::IsIgnored => {
                    assert!(
                        answer.unwrap_or_else(|e| panic!("{from} -> {to}: {e:?}")).is_empty(),
                        "{from} -> {to}"
                    );
                    assert_eq!(after, before, "{from} -> {to}");
                }
                Arrow::IsRefused => {
                    let refusal = answer.expect_err(&format!("{from} -> {to} passed"));
                    assert_eq!(refusal.code, "23514", "{from} -> {to}");
                    assert_eq!(refusal.message, format!("a job cannot go from \"{from}\" to \"{to}\""));
                    assert_eq!(after, before, "{from} -> {to}");
                }
            }
        }
        for to in ["null", "'bogus'", "''"] {
            let id = row_of(&world, from).await;
            let refusal = world.refused(format!("update jobs set status = {to} where id = '{id}'")).await;
            assert_eq!(refusal.code, "23514", "{from} -> {to}");
        }
    }
}

#[tokio::test]
async fn a_job_that_ends_by_hand_gets_its_time() {
    let world = TestWorld::new().await;
    for status in ["completed", "failed", "cancelled"] {
        let id = row_of(&world, "running").await;
        let row = world
            .sql(format!(
                "update jobs set status = '{status}' where id = '{id}' returning completed_at = now(), updated_at = now()"
            ))
            .await;
        assert_eq!(row.0[0], [Some("t".to_owned()), Some("t".to_owned())], "{status}");
    }
}

#[tokio::test]
async fn the_time_of_a_change_is_set_unless_the_statement_sets_it() {
    let world = TestWorld::new().await;
    let id = row_of(&world, "pending").await;
    let row = world
        .sql(format!("update jobs set params = '{{}}' where id = '{id}' returning updated_at = now()"))
        .await;
    assert_eq!(row.value(), "t");
    let row = world
        .sql(format!(
            "update jobs set updated_at = '2020-02-02' where id = '{id}' returning updated_at = '2020-02-02'"
        ))
        .await;
    assert_eq!(row.value(), "t");
}

#[tokio::test]
async fn an_adopted_status_is_mended_by_the_service_only_and_never_run() {
    let world = TestWorld::new().await;
    for to in ["pending", "completed", "failed", "cancelled"] {
        let id = row_of(&world, "queued").await;
        world.sql(format!("update jobs set status = '{to}' where id = '{id}'")).await;
    }
    let id = row_of(&world, "queued").await;
    assert_eq!(
        world.refused(format!("update jobs set status = 'running' where id = '{id}'")).await.code,
        "23514"
    );
    world.sql(format!("update jobs set params = '{{}}' where id = '{id}'")).await;
}
