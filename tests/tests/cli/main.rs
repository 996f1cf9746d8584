//! The command line: what people and scripts type.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod dashboard;
mod doctor;
mod files;
mod loadtest;
mod secrets;
mod served;
mod tls;

use forgeos_tests::{Process, TestWorld, http, world::poll};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// The only line of stderr.
fn one_line(text: &str) -> &str {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(lines.len(), 1, "one sentence expected: {text}");
    lines[0]
}

#[tokio::test]
async fn a_job_is_enqueued_awaited_and_shown() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let image = Uuid::new_v4();
    world.put("images", &format!("{user}/{image}.jpg"), &forgeos_samples::variant(1).bytes);
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"image_ids": [image]}).to_string();
    let user = user.to_string();
    let enqueue = ["enqueue", "batch_analysis", "--params", &params, "--user", &user, "--wait", "--json"];
    let output = world.program().args(&enqueue).output().await;
    assert_eq!(output.code, Some(0), "{output:?}");
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let id = answer["id"].as_str().unwrap().to_owned();
    let job = world.job(id.parse().unwrap()).await;
    assert_eq!((job.status(), job.user_id.unwrap().to_string()), ("completed", user));

    for arguments in [["jobs", "show", &id, "--json"], ["jobs", "explain", &id, "--json"]] {
        let output = world.program().args(&arguments).output().await;
        assert_eq!(output.code, Some(0), "{output:?}");
        let answer: Value = serde_json::from_str(&output.stdout).unwrap();
        let text = answer.to_string();
        assert!(text.contains(if arguments[1] == "show" { "\"completed\"" } else { "finished" }), "{text}");
    }
    let output = world.program().args(&["jobs", "list", "--json"]).output().await;
    let list: Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(list.to_string().contains(&id), "{list}");
    // Tables for people hold the same.
    let output = world.program().args(&["jobs", "list"]).output().await;
    assert!(output.stdout.contains("batch_analysis") && output.stdout.contains("completed"), "{output:?}");
}

#[tokio::test]
async fn waiting_for_a_job_that_fails_ends_with_1_and_its_reason() {
    let world = TestWorld::new().await;
    let _worker = world.program().args(&["run"]).spawn();
    let output = world
        .program()
        .args(&["enqueue", "batch_analysis", "--params", "{\"image_ids\": [\"x\"]}", "--wait"])
        .output()
        .await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(format!("{}{}", output.stdout, output.stderr).contains("UUID"), "{output:?}");
}

#[tokio::test]
async fn jobs_are_cancelled_retried_and_explained() {
    let world = TestWorld::new().await;
    let id = world.enqueue("noop", &json!({})).await;
    let text = id.to_string();
    let explained = world.program().args(&["jobs", "explain", &text]).output().await;
    assert!(explained.stdout.contains("no live worker"), "{explained:?}");
    assert_eq!(world.program().args(&["jobs", "cancel", &text]).output().await.code, Some(0));
    assert_eq!(world.job(id).await.status(), "cancelled");
    assert_eq!(world.program().args(&["jobs", "retry", &text]).output().await.code, Some(0));
    assert_eq!(world.job(id).await.status(), "pending");
    let bulk = ["jobs", "cancel", "--type", "noop", "--status", "pending"];
    assert_eq!(world.program().args(&bulk).output().await.code, Some(0));
    assert_eq!(world.job(id).await.status(), "cancelled");
}

#[tokio::test]
async fn a_row_with_an_infinite_time_hides_no_other_from_the_list() {
    let world = TestWorld::new().await;
    // As in a row that was there before the schema refused it.
    world.sql("alter table jobs disable trigger jobs_guard_times").await;
    let odd = world
        .sql(
            "insert into jobs (job_type, params, created_at, started_at, completed_at)
             values ('noop', '{}', 'infinity', '-infinity', 'infinity'), ('noop', '{}', '-infinity', now(), null)
             returning id",
        )
        .await;
    let good = world.enqueue("noop", &json!({})).await.to_string();
    let output = world.program().args(&["jobs", "list", "--json"]).output().await;
    assert_eq!(output.code, Some(0), "{output:?}");
    for id in odd.column().into_iter().chain([good.as_str()]) {
        assert!(output.stdout.contains(id), "{id} is not in {}", output.stdout);
    }
}

#[tokio::test]
async fn a_type_is_paused_and_resumed() {
    let world = TestWorld::new().await;
    let paused = "select paused from job_types where name = 'data_export'";
    for (word, expected) in [("pause", "t"), ("resume", "f")] {
        let output = world.program().args(&["types", word, "data_export"]).output().await;
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(world.sql(paused).await.value(), expected);
    }
    for (arguments, key, expected) in [
        (&["pause", "data_export"][..], "paused", json!(true)),
        (&["resume", "data_export"], "paused", json!(false)),
        (&["limit", "data_export", "--running", "3"], "max_running", json!(3)),
    ] {
        let arguments = [&["types"], arguments, &["--json"]].concat();
        let output = world.program().args(&arguments).output().await;
        let line: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!((line["name"].as_str(), &line[key]), (Some("data_export"), &expected), "{line}");
    }
}

#[tokio::test]
async fn schemas_are_json_and_name_every_param() {
    let folder = TempDir::new().unwrap();
    let output = Process::bare(folder.path()).args(&["schema", "batch_analysis"]).output().await;
    assert_eq!(output.code, Some(0), "{output:?}");
    let schema: Value = serde_json::from_str(&output.stdout).unwrap();
    let text = schema.to_string();
    for word in [
        "image_ids",
        "include_visualization",
        "sensitivity",
        "reference",
        "analysis_ids",
        "additionalProperties",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    let all = Process::bare(folder.path()).args(&["schema"]).output().await;
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    for name in ["batch_analysis", "report_generation", "model_training", "data_export"] {
        assert!(all.to_string().contains(name), "{name}");
    }
}

#[tokio::test]
async fn wrong_use_ends_with_2_and_says_what_is_right() {
    let folder = TempDir::new().unwrap();
    for (arguments, words) in [
        (vec!["dance"], vec!["dance"]),
        (vec!["jobs", "show", "not-a-uuid"], vec!["not-a-uuid"]),
        (vec!["jobs", "list", "--status", "sleeping"], vec!["sleeping", "pending"]),
        (vec!["enqueue", "batch_analysis", "--params", "{"], vec!["--params", "JSON"]),
        (vec!["enqueue", "batch_analysis", "--params", "@no-such-file"], vec!["no-such-file"]),
        (vec!["schema", "nope"], vec!["nope", "batch_analysis"]),
        (vec!["run", "--set", "worker.leese_seconds=5"], vec!["worker.leese_seconds"]),
        (vec!["run", "--set", "worker.lease_seconds=soon"], vec!["worker.lease_seconds"]),
    ] {
        // Nothing is opened for a command that was typed wrong.
        let output = Process::bare(folder.path())
            .env("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
            .args(&arguments)
            .output()
            .await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        for word in words {
            assert!(output.stderr.contains(word), "{arguments:?} does not name {word:?}: {}", output.stderr);
        }
    }
}

#[tokio::test]
async fn an_unknown_setting_is_named_with_where_it_stands() {
    let folder = TempDir::new().unwrap();
    let output =
        Process::bare(folder.path()).env("FORGEOS__WORKER__LEESE_SECONDS", "5").args(&["run"]).output().await;
    assert_eq!(output.code, Some(2), "{output:?}");
    let sentence = one_line(&output.stderr);
    assert!(
        sentence.contains("worker.leese_seconds") && sentence.contains("FORGEOS__WORKER__LEESE_SECONDS"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_secret_is_never_repeated() {
    let folder = TempDir::new().unwrap();
    for url in ["postgresql://me:hunter2@127.0.0.1:1/none", "mysql://me:hunter2@127.0.0.1/none"] {
        let output =
            Process::bare(folder.path()).env("DATABASE_URL", url).args(&["jobs", "list"]).output().await;
        assert!(matches!(output.code, Some(1 | 2)), "{output:?}");
        assert!(!format!("{output:?}").contains("hunter2"), "{output:?}");
    }
}

#[tokio::test]
async fn without_postgresql_one_sentence_says_how_to_install_it() {
    let folder = TempDir::new().unwrap();
    let nowhere = TempDir::new().unwrap();
    let output = Process::bare(folder.path())
        .env("PATH", nowhere.path().to_str().unwrap())
        .env("FORGEOS_PG_BINDIR", nowhere.path().to_str().unwrap())
        .args(&["jobs", "list"])
        .output()
        .await;
    assert_eq!(output.code, Some(1), "{output:?}");
    let sentence = one_line(&output.stderr);
    assert!(sentence.contains("FORGEOS_PG_BINDIR") || sentence.contains("install"), "{sentence}");
}

#[tokio::test]
async fn in_production_nothing_is_made_up() {
    let folder = TempDir::new().unwrap();
    let output = Process::bare(folder.path()).env("FORGEOS_ENV", "production").args(&["run"]).output().await;
    assert_ne!(output.code, Some(0));
    assert!(one_line(&output.stderr).contains("DATABASE_URL"), "{output:?}");
}

#[tokio::test]
async fn migrate_builds_a_database_and_may_be_repeated() {
    let world = TestWorld::empty().await;
    let run_first = world.program().args(&["jobs", "list"]).output().await;
    assert_eq!(run_first.code, Some(1), "{run_first:?}");
    assert!(one_line(&run_first.stderr).contains("migrate"), "{run_first:?}");
    for _ in 0..2 {
        let output = world.program().args(&["migrate"]).output().await;
        assert_eq!(output.code, Some(0), "{output:?}");
    }
    assert_eq!(world.sql("select count(*) from jobs").await.value(), "0");
    assert_eq!(world.program().args(&["jobs", "list", "--json"]).output().await.code, Some(0));
}

#[tokio::test]
async fn jobs_are_published_to_supabase_realtime_where_it_is() {
    let world = TestWorld::new().await;
    let migrate = async || {
        let output = world.program().args(&["migrate", "--realtime"]).output().await;
        (output.code, output.stdout + &output.stderr)
    };
    let (code, words) = migrate().await;
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("no publication `supabase_realtime`"), "{words}");
    world.sql("create publication supabase_realtime").await;
    for _ in 0..2 {
        let (code, words) = migrate().await;
        assert_eq!(code, Some(0), "{words}");
        assert!(words.contains("supabase_realtime publishes `jobs`"), "{words}");
    }
    let published = world.sql("select schemaname || '.' || tablename from pg_publication_tables").await;
    assert_eq!(published.column(), ["public.jobs"]);
}

#[tokio::test]
async fn adopted_jobs_are_released_by_a_word() {
    let world = TestWorld::new().await;
    for (n, command) in [&["jobs", "adopt"][..], &["migrate", "--adopt"][..]].into_iter().enumerate() {
        world.sql("insert into jobs (job_type) values ('noop'); update jobs set run_at = null").await;
        let output = world.program().args(command).output().await;
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(format!("{}{}", output.stdout, output.stderr).contains(&(n + 1).to_string()), "{output:?}");
        assert_eq!(world.sql("select count(*) from jobs where run_at is null").await.value(), "0");
    }
}

#[tokio::test]
async fn run_serves_its_health_and_its_metrics() {
    let world = TestWorld::new().await;
    let mut worker = world.program().env("FORGEOS__HTTP__LISTEN", "127.0.0.1:0").args(&["run"]).spawn();
    let address = http_address(&world).await;
    let get = |path| http::ask(&address, "GET", path, "", "").unwrap();
    assert_eq!(get("/healthz").status, 200);
    poll("the worker to be ready", async || (get("/readyz").status == 200).then_some(())).await;
    let job = world.enqueue("batch_analysis", &json!({"image_ids": [Uuid::new_v4()]})).await;
    world.wait_for(job, "failed").await;
    let metrics = get("/metrics").text();
    assert!(metrics.contains("forgeos_jobs_settled_total{"), "{metrics}");
    assert!(!metrics.contains(&job.to_string()), "an id is never a label");
    worker.terminate();
    assert_eq!(worker.ended().await.code(), Some(0));
}

/// Where the one worker's server listens.
async fn http_address(world: &TestWorld) -> String {
    poll("the address in workers", async || {
        let rows = world.sql("select http_address from workers where http_address is not null").await;
        rows.0.first().and_then(|row| row[0].clone())
    })
    .await
}
