//! `doctor`: what is good, what is not, and how to mend it.

use forgeos_tests::{Output, TestWorld};
use serde_json::{Value, json};

/// The verdict, found words and mending of a check.
fn finding<'a>(report: &'a Value, check: &str) -> (&'a str, &'a str, &'a str) {
    let found = report["findings"].as_array().unwrap().iter().find(|f| f["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no `{check}` in {report}"));
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    (text("verdict"), text("found"), text("mend"))
}

fn report(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[tokio::test]
async fn where_all_is_well_it_says_so() {
    let world = TestWorld::new().await;
    let output = world.program().args(&["doctor", "--json"]).output().await;
    let answer = report(&output);
    assert_eq!((output.code, &answer["verdict"]), (Some(0), &json!("ok")), "{answer}");
    for check in
        ["settings", "database", "clock", "schema", "privileges", "wake-up", "storage", "reports", "disk"]
    {
        assert_eq!(finding(&answer, check).0, "ok", "{answer}");
    }
    let left = std::fs::read_dir(world.storage_folder().join("outputs/service/doctor"));
    assert!(left.is_err() || left.is_ok_and(|files| files.count() == 0), "what it wrote is deleted again");
    let output = world.program().args(&["doctor"]).output().await;
    assert!(output.stdout.ends_with("all is well\n"), "{output:?}");
}

#[tokio::test]
async fn what_a_worker_cannot_live_with_is_named_with_its_cure_and_ends_with_1() {
    let world = TestWorld::empty().await;
    let output = world.program().args(&["doctor", "--json"]).output().await;
    assert_eq!(output.code, Some(1));
    assert_eq!(finding(&report(&output), "schema").2, "run `forgeos-worker migrate`");

    let world = TestWorld::new().await;
    world.sql("create role bystander login").await;
    let url = world.url().replace("forgeos@", "bystander@");
    let output = world.program().env("DATABASE_URL", &url).args(&["doctor", "--json"]).output().await;
    assert_eq!(output.code, Some(1));
    let answer = report(&output);
    let told = answer.to_string();
    assert!(told.contains("permission denied") || told.contains("bystander lacks"), "{told}");

    let output =
        world.program().args(&["doctor", "--json", "--storage-url", "file:///proc/nowhere"]).output().await;
    assert_eq!((output.code, finding(&report(&output), "storage").0), (Some(1), "fail"));
}

#[tokio::test]
async fn what_only_needs_a_look_is_a_warning() {
    let world = TestWorld::new().await;
    world
        .sql(
            "begin; set local session_replication_role = replica;
             insert into jobs (job_type, status, run_at) values ('poetry', 'pending', now()),
               ('batch_analysis', 'done', now()), ('batch_analysis', 'pending', null); commit;
             create policy everybody on analyses for select to authenticated using (true)",
        )
        .await;
    let output = world.program().args(&["doctor", "--json"]).output().await;
    let answer = report(&output);
    assert_eq!((output.code, &answer["verdict"]), (Some(0), &json!("warn")), "{answer}");
    let told = answer.to_string();
    for words in ["poetry (1)", "done (1)", "1 jobs were pending before", "everybody on ", "jobs adopt"] {
        assert!(told.contains(words), "`{words}` is missing in {told}");
    }
    // Behind a transaction pooler nobody listens.
    let args = ["doctor", "--json", "--set", "database.pooler=transaction"];
    let answer = report(&world.program().args(&args).output().await);
    let (verdict, _, mend) = finding(&answer, "wake-up");
    assert_eq!((verdict, mend), ("warn", "set database.listen_url to a direct connection"));
}

#[tokio::test]
async fn secrets_are_not_told() {
    let world = TestWorld::new().await;
    let url = "postgresql://forgeos:planted-password@127.0.0.1:1/forgeos?sslpassword=planted-query";
    for args in [["doctor"].as_slice(), &["doctor", "--json"]] {
        let output = world
            .program()
            .env("DATABASE_URL", url)
            .env("FORGEOS__STORAGE__URL", "s3://bucket")
            .env("FORGEOS__STORAGE__ENDPOINT", "http://127.0.0.1:1")
            .env("FORGEOS__STORAGE__ACCESS_KEY_ID", "planted-key-id")
            .env("FORGEOS__STORAGE__SECRET_ACCESS_KEY", "planted-secret")
            .env("FORGEOS__STORAGE__SESSION_TOKEN", "planted-token")
            .env("RUST_LOG", "trace")
            .args(args)
            .output()
            .await;
        assert_eq!(output.code, Some(1), "{output:?}");
        for words in [&output.stdout, &output.stderr] {
            for planted in ["planted-password", "planted-query", "planted-secret", "planted-token"] {
                assert!(!words.contains(planted), "{planted} in {words}");
            }
        }
    }
}
