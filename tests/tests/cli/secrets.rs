//! Secrets are nowhere: everything that a worker and the commands say at the most talkative level, everything that they
//! serve and everything that they write into rows is searched for those that were planted, while things go well and while
//! they do not.

use std::path::Path;

use forgeos_tests::{Process, S3, TestWorld, http, s3::Trouble, world::poll};
use serde_json::json;
use uuid::Uuid;

/// What must be found nowhere, by the name under which it was planted.
struct Planted {
    secrets: Vec<(&'static str, String)>,
    searched: usize,
}

impl Planted {
    fn search(&mut self, place: &str, words: &str) {
        assert!(!words.is_empty(), "{place} said nothing");
        self.searched += words.len();
        for (name, secret) in &self.secrets {
            if let Some(found) = words.find(secret.as_str()) {
                let around: String = words[..found].chars().rev().take(300).collect();
                panic!("{name} stands in {place} after: {}", around.chars().rev().collect::<String>());
            }
        }
    }
}

const PASSWORD: &str = "planted-database-password";
const LISTEN_PASSWORD: &str = "planted-listen-password";

fn with_password(url: &str, password: &str) -> String {
    let changed = url.replace("forgeos@", &format!("forgeos:{password}@"));
    assert_ne!(changed, url);
    changed
}

/// The program of somebody who has a Supabase project, and says everything.
fn program(world: &TestWorld, project: &S3, format: &str, args: &[&str]) -> Process {
    talkative(world.program().args(args), world, project, format)
}

fn talkative(program: Process, world: &TestWorld, project: &S3, format: &str) -> Process {
    let program = program
        .without("FORGEOS__STORAGE__URL")
        .env("DATABASE_URL", &with_password(&world.url(), PASSWORD))
        .env("FORGEOS__DATABASE__LISTEN_URL", &with_password(&world.url(), LISTEN_PASSWORD))
        .env("FORGEOS__LOG__FORMAT", format)
        .env("RUST_LOG", "trace");
    project.project().into_iter().fold(program, |program, (name, value)| program.env(name, &value))
}

/// Everything that lies in rows.
async fn rows(world: &TestWorld) -> String {
    let tables = world
        .sql(
            "select string_agg(format('select to_jsonb(t)::text from %s t', oid::regclass), ' union all ')
             from pg_class where relnamespace in ('public'::regnamespace, 'forgeos'::regnamespace) and relkind in ('r', 'v')",
        )
        .await;
    world.sql(tables.value()).await.column().join("\n")
}

#[tokio::test]
async fn what_is_planted_is_said_served_and_written_nowhere() {
    for format in ["text", "json"] {
        let (world, project) = (TestWorld::new().await, S3::supabase());
        let mut planted = Planted {
            secrets: vec![
                ("the database's password", PASSWORD.to_owned()),
                ("the password for LISTEN", LISTEN_PASSWORD.to_owned()),
            ],
            searched: 0,
        };
        let keys = project.project().into_iter().filter(|(name, _)| name.ends_with("_KEY"));
        planted.secrets.extend(keys);
        assert_eq!(planted.secrets.len(), 4);

        let mut worker =
            program(&world, &project, format, &["run"]).env("FORGEOS__HTTP__LISTEN", "127.0.0.1:0").spawn();
        let address = super::http_address(&world).await;
        let (user, image) = (Uuid::new_v4(), Uuid::new_v4());
        project.put("images", &format!("{user}/{image}.jpg"), &forgeos_samples::variant(4).bytes);
        let batch =
            world.enqueue_for("batch_analysis", &json!({"image_ids": [image, user]}), Some(user)).await;
        world.wait_for(batch, "completed").await;
        let report = json!({"job_id": batch, "formats": ["pdf"]});
        let report = world.enqueue_for("report_generation", &report, Some(user)).await;
        world.wait_for(report, "completed").await;
        let refused = world.enqueue_for("data_export", &json!({"dataset": "secrets"}), Some(user)).await;
        world.wait_for(refused, "failed").await;
        // A store that fails is told of, with its causes.
        project.trouble(Trouble::Failing);
        let waiting = world.enqueue_for("data_export", &json!({"dataset": "jobs"}), Some(user)).await;
        world.wait_until(&format!("select error_code is not null from jobs where id = '{waiting}'")).await;
        project.trouble(Trouble::None);

        for path in ["/", "/healthz", "/readyz", "/metrics"] {
            planted.search(path, &http::ask(&address, "GET", path, "", "").unwrap().text());
        }
        let id = batch.to_string();
        let file = world.sql("select id from artifacts where bucket = 'reports'").await.value().to_owned();
        let commands: &[&[&str]] = &[
            &["doctor"],
            &["doctor", "--json"],
            &["migrate"],
            &["jobs", "list", "--json"],
            &["jobs", "show", &id, "--json"],
            &["jobs", "explain", &id],
            &["workers", "list", "--json"],
            &["artifacts", "list", "--json"],
            &["artifacts", "url", &file],
            &["prune", "--dry-run"],
            &["erase", "--user", &Uuid::new_v4().to_string(), "--dry-run"],
        ];
        for command in commands {
            let output = program(&world, &project, format, command).output().await;
            assert_eq!(output.code, Some(0), "{command:?}: {output:?}");
            planted.search(&format!("{command:?}"), &format!("{}\n{}", output.stdout, output.stderr));
            if command.contains(&"url") {
                let link = output.stdout.trim();
                assert_eq!(http::read(link).unwrap().status, 200, "{link}");
                let token = link.split_once("token=").unwrap().1;
                assert!(!output.stderr.contains(token), "a signed link is a secret, too");
            }
        }
        // What is wrong at the start.
        let wrong: &[(&str, String)] = &[
            ("DATABASE_URL", format!("postgresql://forgeos:{PASSWORD}@127.0.0.1:1/forgeos")),
            ("DATABASE_URL", format!("postgresql://forgeos:{PASSWORD}@no-such-host.invalid/forgeos")),
            ("DATABASE_URL", format!("postgresql://forgeos:{PASSWORD}@[/forgeos")),
            ("DATABASE_URL", format!("mysql://forgeos:{PASSWORD}@127.0.0.1/forgeos")),
            (
                "DATABASE_URL",
                format!(
                    "postgresql://forgeos:{PASSWORD}@127.0.0.1:1/forgeos?sslkey=/nowhere&password={PASSWORD}"
                ),
            ),
            ("DATABASE_URL", with_password(&world.url(), PASSWORD).replace("/test_", "/no_such_")),
            ("FORGEOS__STORAGE__URL", format!("ftp://user:{PASSWORD}@host/path")),
            (
                "FORGEOS__DATABASE__LISTEN_URL",
                format!("postgresql://forgeos:{LISTEN_PASSWORD}@127.0.0.1:1/forgeos"),
            ),
        ];
        for (name, value) in wrong {
            for command in [&["doctor"][..], &["migrate"], &["run"]] {
                if *name == "FORGEOS__DATABASE__LISTEN_URL" && command == ["run"] {
                    // It polls, and goes on.
                    continue;
                }
                if *name == "FORGEOS__STORAGE__URL" && command == ["migrate"] {
                    continue;
                }
                let output = program(&world, &project, format, command).env(name, value).output().await;
                assert_ne!(output.code, None, "{command:?} {name}");
                planted.search(
                    &format!("{command:?} with a wrong {name}"),
                    &format!("{}\n{}", output.stdout, output.stderr),
                );
            }
        }
        // A handler that panics, in the tests' own worker.
        let test_worker = world.other_program(Path::new(env!("CARGO_BIN_EXE_test-worker")));
        let test_worker =
            talkative(test_worker, &world, &project, format).env("RUST_BACKTRACE", "full").spawn();
        let insert = "select enqueue_job('scripted', '{\"act\": \"panic\"}', max_attempts => 1)";
        let panicking = world.sql(insert).await.value().parse().unwrap();
        assert_eq!(world.wait_for(panicking, "failed").await.error_code(), "panicked");
        planted.search("the words of a panic", &test_worker.words());
        drop(test_worker);
        planted.search("rows", &rows(&world).await);
        worker.terminate();
        worker.ended().await;
        let words =
            poll("the last words", async || Some(worker.words()).filter(|words| words.contains("stopped")))
                .await;
        assert!(words.contains("TRACE"), "the worker is talkative");
        planted.search("the worker's log", &words);
        println!("{} bytes were searched, log.format = {format}", planted.searched);
    }
}
