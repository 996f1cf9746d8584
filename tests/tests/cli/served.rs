//! `/files`: files of a local folder for who has a link, and for nobody else.

use std::{path::Path, time::Duration};

use forgeos_core::storage::{Bucket, Key, Storage};
use forgeos_tests::{
    Process, TestWorld,
    http::{self, Answer},
    process::Running,
    world::poll,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const PUBLIC: &str = "https://files.example/worker";

/// A world with a worker that serves, and a user with a file of each kind.
struct Served {
    world: TestWorld,
    _worker: Running,
    access: &'static str,
    address: String,
    user: Uuid,
    photograph: String,
    files: Vec<Value>,
}

impl Served {
    async fn with(access: &'static str) -> Self {
        let world = TestWorld::new().await;
        let serving = |args| program(&world, access, args).env("FORGEOS__HTTP__LISTEN", "127.0.0.1:0");
        let worker = serving(&["run"]).spawn();
        let address = super::http_address(&world).await;
        let (user, image) = (Uuid::new_v4(), Uuid::new_v4());
        let photograph = format!("{user}/{image}.jpg");
        world.put("images", &photograph, &forgeos_samples::variant(2).bytes);
        let batch = world.enqueue_for("batch_analysis", &json!({"image_ids": [image]}), Some(user)).await;
        world.wait_for(batch, "completed").await;
        for (job_type, params) in [
            ("report_generation", json!({"job_id": batch, "formats": ["pdf"]})),
            ("data_export", json!({"dataset": "analyses", "formats": ["csv"]})),
        ] {
            let job = world.enqueue_for(job_type, &params, Some(user)).await;
            world.wait_for(job, "completed").await;
        }
        let listed = program(&world, access, &["artifacts", "list", "--json"]).output().await;
        let files: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(files.len(), 3);
        Self { world, _worker: worker, access, address, user, photograph, files }
    }

    async fn link(&self, file: &Value, more: &[&str]) -> String {
        let args = [&["artifacts", "url", file["id"].as_str().unwrap()], more].concat();
        let output = program(&self.world, self.access, &args).output().await;
        assert_eq!(output.code, Some(0), "{output:?}");
        output.stdout.trim().to_owned()
    }

    /// What stands at a link. The proxy that the world would come through takes its own part of the path away.
    fn ask(&self, method: &str, link: &str, headers: &str) -> Answer {
        let target = link.strip_prefix(PUBLIC).unwrap_or(link);
        http::ask(&self.address, method, target, headers, "").unwrap()
    }

    fn get(&self, link: &str) -> Answer {
        self.ask("GET", link, "")
    }

    /// What whoever holds the key could sign.
    async fn signed(&self, bucket: Bucket, key: &str) -> String {
        let storage = Storage::open_folder(&self.world.storage_folder(), Some(PUBLIC)).unwrap();
        storage.signed_url(bucket, &Key::parse(key).unwrap(), Duration::from_secs(600)).await.unwrap()
    }
}

fn program(world: &TestWorld, access: &str, args: &[&str]) -> Process {
    world.program().env("FORGEOS__HTTP__PUBLIC_URL", PUBLIC).env("FORGEOS__HTTP__FILES", access).args(args)
}

fn place(file: &Value) -> (&str, &str) {
    (file["bucket"].as_str().unwrap(), file["key"].as_str().unwrap())
}

#[tokio::test]
async fn whoever_has_a_link_reads_that_file_until_the_link_ends() {
    let served = Served::with("signed").await;
    for file in &served.files {
        let (bucket, key) = place(file);
        let link = served.link(file, &[]).await;
        assert!(link.starts_with(&format!("{PUBLIC}/files/{bucket}/{key}?")), "{link}");
        let answer = served.get(&link);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(&answer.body)));
        assert_eq!(answer.header("content-type"), file["mime_type"].as_str());
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let shown = if bucket == "exports" { "attachment" } else { "inline" };
        let name = Path::new(key).file_name().unwrap().to_str().unwrap();
        let expected = format!("{shown}; filename=\"{name}\"");
        assert_eq!(answer.header("content-disposition"), Some(expected.as_str()));

        let head = served.ask("HEAD", &link, "");
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some(answer.body.len().to_string().as_str()));
        let part = served.ask("GET", &link, "Range: bytes=3-9\r\n");
        assert_eq!((part.status, part.body.as_slice()), (206, &answer.body[3..10]));
        let expected = format!("bytes 3-9/{}", answer.body.len());
        assert_eq!(part.header("content-range"), Some(expected.as_str()));
        assert_eq!(served.ask("GET", &link, "Range: bytes=999999999-\r\n").status, 416);
        let known = format!("If-None-Match: {}\r\n", answer.header("etag").unwrap());
        assert_eq!(served.ask("GET", &link, &known).status, 304);

        // The link that is kept in rows opens nothing; what was changed neither, and says no more.
        let (plain, query) = link.split_once('?').unwrap();
        let (_, other) = place(served.files.iter().find(|other| place(other) != place(file)).unwrap());
        let refusals = [
            plain.to_owned(),
            format!("{plain}?expires=99999999999&signature={}", "0".repeat(64)),
            link.replace("expires=", "expires=9"),
            format!("{}?{query}", plain.replace(key, other)),
            format!(
                "{}?{query}",
                plain.replace(key, &key.replace(served.user.to_string().as_str(), &Uuid::nil().to_string()))
            ),
            format!("{}?{query}", plain.replace(&format!("/{bucket}/"), "/images/")),
        ]
        .map(|changed| served.get(&changed));
        for refusal in &refusals {
            assert_eq!((refusal.status, refusal.text()), (403, refusals[0].text()), "{refusal:?}");
        }
        assert!(refusals[0].text().contains("artifacts url"), "{refusals:?}");
    }
    let short = served.link(&served.files[0], &["--valid-for", "2"]).await;
    let ended = poll("the link to end", async || {
        let answer = served.get(&short);
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!(ended.status, 403);
    assert!(ended.text().contains("expired"), "{ended:?}");

    // Even who could sign gets only what a job has written whole and as it was written.
    served.world.put("reports", "service/stray.pdf", b"stray");
    let (bucket, key) = place(&served.files[0]);
    let bucket: Bucket = bucket.parse().unwrap();
    for (bucket, key) in [
        (Bucket::Images, served.photograph.as_str()),
        (Bucket::Reports, "service/stray.pdf"),
        (Bucket::Reports, "service/none.pdf"),
        (bucket, key.rsplit_once('/').unwrap().0),
    ] {
        assert_eq!(served.get(&served.signed(bucket, key).await).status, 404, "{bucket}/{key}");
    }
    let whole = served.signed(bucket, key).await;
    assert_eq!(served.get(&whole).status, 200);
    let path = served.world.object_path(bucket.as_str(), key);
    std::fs::write(&path, b"cut").unwrap();
    assert_eq!(served.get(&whole).status, 404, "another size than was written");
    served.world.sql("update artifacts set verified = false, size_bytes = 3").await;
    assert_eq!(served.get(&whole).status, 404, "not verified");
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_the_buckets() {
    let served = Served::with("public").await;
    let key = std::fs::read_to_string(served.world.storage_folder().join("links.key")).unwrap();
    let lost = [
        "/files",
        "/files/",
        "/files/links.key",
        "/files//links.key",
        "/files/reports",
        "/files/reports/",
        "/files/reports/../links.key",
        "/files/reports/%2e%2e/links.key",
        "/files/reports/%252e%252e/links.key",
        "/files/reports/..%2flinks.key",
        "/files/reports/..%5clinks.key",
        "/files/../storage/links.key",
        "/files/./links.key",
        "/files/%2e/links.key",
        "/files/nothing/a",
        "/files/reports/%00",
        "/files/reports/%ff",
        "/files/reports//etc/passwd",
        "/files/reports/%2fetc%2fpasswd",
        "//files/reports/a",
    ];
    for path in lost {
        let answer = served.get(path);
        assert!([400, 403, 404].contains(&answer.status), "{path}: {answer:?}");
        assert!(
            !answer.text().contains(key.trim()) && !answer.text().contains("root:"),
            "{path}: {answer:?}"
        );
    }
    let folders = format!("/files/reports/{}", served.user);
    for path in [folders.clone(), format!("{folders}/")] {
        assert_eq!(served.get(&path).status, 404, "a folder is not listed");
    }
}

#[tokio::test]
async fn an_operator_may_open_the_files_to_who_knows_their_names_or_close_them() {
    for (access, status) in [("public", 200), ("off", 404)] {
        let served = Served::with(access).await;
        for file in &served.files {
            let link = served.link(file, &[]).await;
            assert!(link.starts_with(PUBLIC) && !link.contains('?'), "nobody asks for a signature: {link}");
            assert_eq!(served.get(&link).status, status, "{access}");
        }
        let photograph = format!("/files/images/{}", served.photograph);
        assert_eq!(served.get(&photograph).status, 404, "uploads are nobody's to read here");
    }
}
