//! `doctor`: what is good, what is not, and how to mend it.

use forgeos_tests::{Output, S3, TestWorld};
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
    for check in [
        "settings",
        "database",
        "clock",
        "schema",
        "privileges",
        "wake-up",
        "storage",
        "http",
        "reports",
        "disk",
    ] {
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
    let (verdict, _, mend) = finding(&answer, "privileges");
    assert_eq!((verdict, mend), ("fail", "grant forgeos_worker to bystander; -- as an administrator"));

    let output =
        world.program().args(&["doctor", "--json", "--storage-url", "file:///proc/nowhere"]).output().await;
    let answer = report(&output);
    let (verdict, _, mend) = finding(&answer, "storage");
    assert_eq!((output.code, verdict), (Some(1), "fail"));
    assert!(mend.contains("let the worker's user write there"), "{mend}");
}

#[tokio::test]
async fn what_is_wrong_with_an_object_store_is_mended_where_it_is() {
    let world = TestWorld::new().await;
    let store = S3::start();
    for (name, value, found, mend) in [
        ("FORGEOS__STORAGE__URL", "s3://nowhere", "a bucket is missing", "make the bucket"),
        (
            "FORGEOS__STORAGE__SECRET_ACCESS_KEY",
            "guessed",
            "credentials are refused",
            "storage.secret_access_key",
        ),
        ("FORGEOS__STORAGE__ENDPOINT", "http://127.0.0.1:1", "cannot be reached", "storage.endpoint"),
    ] {
        let program = world.program().args(&["doctor", "--json"]);
        let program =
            store.settings().iter().fold(program, |program, (name, value)| program.env(name, value));
        let output = program.env(name, value).output().await;
        let answer = report(&output);
        let (verdict, said, cure) = finding(&answer, "storage");
        assert_eq!((output.code, verdict), (Some(1), "fail"), "{answer}");
        assert!(said.contains(found) && cure.contains(mend), "{said}: {cure}");
        assert!(!answer.to_string().contains("guessed"), "{answer}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_and_a_way_to_listen_that_leads_nowhere_are_named() {
    let world = TestWorld::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let doctor = world.program().env("FORGEOS__HTTP__LISTEN", &address).args(&["doctor", "--json"]);
    let nowhere = "postgresql://forgeos@127.0.0.1:1/forgeos";
    let output = doctor.env("FORGEOS__DATABASE__LISTEN_URL", nowhere).output().await;
    let answer = report(&output);
    assert_eq!(output.code, Some(0), "a worker runs all the same: {answer}");
    let (verdict, found, mend) = finding(&answer, "http");
    assert_eq!((verdict, found), ("warn", format!("{address} is taken").as_str()));
    assert!(mend.contains("http.listen"), "{mend}");
    let (verdict, found, mend) = finding(&answer, "wake-up");
    assert!(verdict == "warn" && found.contains("Connection refused"), "{answer}");
    assert!(mend.contains("database.listen_url"), "{mend}");

    let links =
        world.program().env("FORGEOS__HTTP__PUBLIC_URL", "https://x.example").args(&["doctor", "--json"]);
    let answer = report(&links.output().await);
    assert_eq!(finding(&answer, "links").0, "warn", "{answer}");
    // Nobody has this address here.
    let foreign =
        world.program().env("FORGEOS__HTTP__LISTEN", "203.0.113.7:9464").args(&["doctor", "--json"]);
    let output = foreign.output().await;
    assert_eq!((output.code, finding(&report(&output), "http").0), (Some(1), "fail"));
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
    for words in ["poetry (1)", "done (1)", "pending jobs without `run_at`: 1", "everybody on ", "jobs adopt"]
    {
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

#[tokio::test]
async fn a_disk_that_is_not_mounted_becomes_no_empty_store() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into artifacts (attempt, kind, bucket, key, size_bytes, verified)
             values (1, 'report_csv', 'reports', 'service/x/1/a.csv', 1, true)",
        )
        .await;
    let user = uuid::Uuid::new_v4().to_string();
    for command in [&["doctor"][..], &["run"], &["prune"], &["erase", "--user", &user, "--yes"]] {
        let output = world.program().args(command).output().await;
        let words = format!("{}{}", output.stdout, output.stderr);
        assert_eq!(output.code, Some(1), "{command:?}: {words}");
        assert!(words.contains("has no buckets, but the database knows of files"), "{command:?}: {words}");
        assert!(!world.storage_folder().exists(), "{command:?} made a store where none should be");
    }
    // Who means it says so by a folder.
    std::fs::create_dir_all(world.storage_folder().join("images")).unwrap();
    assert_eq!(world.program().args(&["doctor"]).output().await.code, Some(0));
}

#[tokio::test]
async fn what_the_server_refuses_is_mended_where_it_is() {
    let world = TestWorld::new().await;
    let no_database = world.url().replace("/test_", "/no_such_");
    let no_role = world.url().replace("forgeos@", "stranger@");
    let no_file = format!("{}&sslrootcert=/nowhere/ca.crt", world.url());
    for (url, found, mend) in [
        (no_database, "does not exist", "create that database"),
        (no_role, "does not exist", "correct user and password"),
        (no_file, "/nowhere/ca.crt", "correct the path in the URL"),
    ] {
        let output = world.program().env("DATABASE_URL", &url).args(&["doctor", "--json"]).output().await;
        let answer = report(&output);
        let (verdict, said, cure) = finding(&answer, "database");
        assert_eq!((output.code, verdict), (Some(1), "fail"), "{answer}");
        assert!(said.contains(found) && !said.contains("at line"), "{said}");
        assert!(cure.contains(mend), "{cure}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_store_on_a_disk_of_its_own_has_its_room_looked_at() {
    use std::os::unix::fs::MetadataExt;
    let world = TestWorld::new().await;
    let memory = std::path::Path::new("/dev/shm");
    let device = |folder: &std::path::Path| std::fs::metadata(folder).map(|found| found.dev()).ok();
    if device(memory).is_none() || device(memory) == device(world.folder()) {
        println!("NOT TRIED: there is no second file system here");
        return;
    }
    let folder = tempfile::tempdir_in(memory).unwrap();
    let url = format!("file://{}", folder.path().display());
    let output =
        world.program().env("FORGEOS__STORAGE__URL", &url).args(&["doctor", "--json"]).output().await;
    let answer = report(&output);
    let disks: Vec<&Value> =
        answer["findings"].as_array().unwrap().iter().filter(|one| one["check"] == "disk").collect();
    assert_eq!(disks.len(), 2, "{answer}");
    assert!(disks[1]["found"].as_str().unwrap().contains("/dev/shm"), "{answer}");
}
