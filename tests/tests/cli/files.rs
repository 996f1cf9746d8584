//! `artifacts` and `erase`: the files of jobs, read and gone.

use forgeos_tests::{Process, S3, TestWorld, http::read};
use serde_json::{Value, json};
use uuid::Uuid;

/// Exports the jobs of a user and waits; the answer is the job's file in its results.
async fn export(world: &TestWorld, user: Option<Uuid>) -> Value {
    let id = world.enqueue_for("data_export", &json!({"dataset": "jobs"}), user).await;
    world.wait_for(id, "completed").await.result("files")[0].clone()
}

fn with_store(world: &TestWorld, s3: &S3, args: &[&str]) -> Process {
    let program = world.program().args(args);
    s3.settings().into_iter().fold(program, |program, (name, value)| program.env(name, &value))
}

#[tokio::test]
async fn files_are_listed_and_linked_by_their_own_id_and_by_that_of_their_report() {
    let world = TestWorld::new().await;
    let _worker = world.program().args(&["run"]).spawn();
    let file = export(&world, None).await;
    let listed = world.program().args(&["artifacts", "list", "--json"]).output().await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["key"], &listed[0]["size_bytes"]), (&file["key"], &file["size_bytes"]));
    let ids = [listed[0]["id"].as_str().unwrap(), file["report_id"].as_str().unwrap()];
    for id in ids {
        let link = world.program().args(&["artifacts", "url", id]).output().await;
        assert_eq!((link.code, link.stdout.trim()), (Some(0), file["url"].as_str().unwrap()), "{link:?}");
    }
    let other = Uuid::new_v4().to_string();
    let none = world.program().args(&["artifacts", "url", &other]).output().await;
    assert_eq!(none.code, Some(1));
    assert!(super::one_line(&none.stderr).contains(&other), "{none:?}");
    let of_other = world.program().args(&["artifacts", "list", "--user", &other, "--json"]).output().await;
    assert_eq!(of_other.stdout.trim(), "[]");
}

#[tokio::test]
async fn a_link_into_s3_is_signed_for_as_long_as_is_asked() {
    let world = TestWorld::new().await;
    let s3 = S3::start();
    let _worker = with_store(&world, &s3, &["run"]).spawn();
    let file = export(&world, None).await;
    let report = file["report_id"].as_str().unwrap();
    let args = ["artifacts", "url", report, "--valid-for", "600", "--json"];
    let answer = with_store(&world, &s3, &args).output().await;
    let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
    let link = answer["url"].as_str().unwrap();
    let answer = read(link).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body == s3.object("exports", file["key"].as_str().unwrap()).unwrap());
    let changed = read(&link.replace("X-Amz-Expires=600", "X-Amz-Expires=6000")).unwrap();
    assert_eq!(changed.status, 403, "whoever changes a link breaks it");
    let too_long =
        with_store(&world, &s3, &["artifacts", "url", report, "--valid-for", "604801"]).output().await;
    assert_eq!(too_long.code, Some(2));
}

#[tokio::test]
async fn a_user_is_erased_and_nobody_else() {
    let world = TestWorld::new().await;
    let (gone, stays) = (Uuid::new_v4(), Uuid::new_v4());
    let worker = world.program().args(&["run"]).spawn();
    for user in [gone, stays] {
        let image = Uuid::new_v4();
        world.put("images", &format!("{user}/{image}.jpg"), &forgeos_samples::variant(1).bytes);
        let id = world.enqueue_for("batch_analysis", &json!({"image_ids": [image]}), Some(user)).await;
        world.wait_for(id, "completed").await;
        let id = world
            .enqueue_for("report_generation", &json!({"job_id": id, "formats": ["csv"]}), Some(user))
            .await;
        world.wait_for(id, "completed").await;
        world.sql(format!("insert into audit_log (user_id, action) values ('{user}', 'looked')")).await;
    }
    drop(worker);
    // One job waits in the queue, one has a worker that is gone for good.
    world.enqueue_for("noop", &json!({}), Some(gone)).await;
    let held = world.enqueue_for("noop", &json!({}), Some(gone)).await;
    world
        .sql(format!(
            "update jobs set status = 'running', attempt = 1, locked_by = gen_random_uuid(),
                 locked_until = now() + interval '3 seconds' where id = '{held}'"
        ))
        .await;
    let user = gone.to_string();
    let rows = "select (select count(*) from jobs where user_id = $u) + (select count(*) from analyses where user_id = $u)
                + (select count(*) from reports where user_id = $u) + (select count(*) from artifacts where user_id = $u)
                + (select count(*) from audit_log where user_id = $u)";
    let rows_of = |user: Uuid| rows.replace("$u", &format!("'{user}'"));
    let files_of = |user: Uuid| {
        ["images", "outputs", "reports"]
            .iter()
            .filter(|bucket| {
                world
                    .object_path(bucket, &user.to_string())
                    .read_dir()
                    .is_ok_and(|mut dir| dir.next().is_some())
            })
            .count()
    };
    let before = world.sql(rows_of(gone)).await.value().to_owned();

    assert_eq!(
        world.program().args(&["erase", "--user", &user]).output().await.code,
        Some(2),
        "without --yes"
    );
    let look = world.program().args(&["erase", "--user", &user, "--dry-run", "--json"]).output().await;
    let look: Value = serde_json::from_str(&look.stdout).unwrap();
    assert_eq!((&look["jobs"], &look["analyses"], &look["deleted"]), (&json!(4), &json!(1), &json!(false)));
    assert_eq!((world.sql(rows_of(gone)).await.value(), files_of(gone)), (before.as_str(), 3), "only looked");

    let lease = ["--set", "worker.lease_seconds=5"];
    let erased =
        world.program().args(&["erase", "--user", &user, "--yes", lease[0], lease[1]]).output().await;
    assert_eq!(erased.code, Some(0), "{erased:?}");
    assert_eq!((world.sql(rows_of(gone)).await.value(), files_of(gone)), ("0", 0));
    assert_ne!(world.sql(rows_of(stays)).await.value(), "0");
    assert_eq!(files_of(stays), 3);
}
