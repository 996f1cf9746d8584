//! Everything that a job's params or a user's own rows can name, tried for a thing of somebody else: the answer is that
//! of a thing which does not exist, nothing is read, nothing is overwritten.

use std::collections::BTreeMap;

use forgeos_tests::{JobRow, TestWorld};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    lessons::{Lesson, session},
    pictures::put_panels,
    report,
    supabase_storage::{create_tables, object},
};

/// Stands in what only its owner may read.
const PLANTED: &str = "planted-in-what-is-not-yours";

/// Somebody with one of everything.
#[derive(Debug)]
struct Owner {
    user: Uuid,
    things: Vec<(&'static str, Uuid)>,
    model: String,
}

impl Owner {
    async fn settle(world: &TestWorld) -> Self {
        let user = Uuid::new_v4();
        let image = put_panels(world, Some(user), 1)[0];
        let stored = object(world, "images", &format!("{user}/{image}.jpg"), Some(user)).await;
        let analysis = report::analysis(world, Some(user), "photo.jpg", "completed").await;
        let pending = report::analysis(world, Some(user), "other.jpg", "pending").await;
        let batch =
            json!({"image_ids": [image], "_note": PLANTED, "options": {"include_visualization": false}});
        let batch = world.enqueue_for("batch_analysis", &batch, Some(user)).await;
        let lesson = Lesson::put(world, Some(user), 10, 0).data();
        let trained = session(world, Some(user), &lesson).await;
        let training = json!({"training_session_id": trained, "options": {"folds": 2}});
        let training = world.enqueue_for("model_training", &training, Some(user)).await;
        world.wait_for(batch, "completed").await;
        let model = world.wait_for(training, "completed").await.result("model_version").clone();
        let untrained = session(world, Some(user), &lesson).await;
        let document = json!({"analysis_ids": [analysis], "formats": ["csv"]});
        let document = world.enqueue_for("report_generation", &document, Some(user)).await;
        let document = world.wait_for(document, "completed").await;
        let report: Uuid = document.result("report_ids")[0].as_str().unwrap().parse().unwrap();
        world
            .sql(format!(
                "update analyses set filename = '{user}/' || filename where id in ('{analysis}', '{pending}');
                 update analyses set metrics = metrics || '{{\"note\": \"{PLANTED}\"}}' where user_id = '{user}' and metrics is not null;
                 update training_sessions set notes = '{PLANTED}' where user_id = '{user}';
                 update reports set metadata = metadata || '{{\"note\": \"{PLANTED}\"}}' where user_id = '{user}'"
            ))
            .await;
        // What a job has logged is written a little later than its end; the report's last line is the last of all.
        let last = "select exists (select from job_logs where job_id = '{}' and message = 'reports set')";
        world.wait_until(&last.replace("{}", &document.id.to_string())).await;
        let artifact = world.sql(format!("select id from artifacts where user_id = '{user}' limit 1")).await;
        let things = vec![
            ("image", image),
            ("row of storage.objects", stored),
            ("analysis", analysis),
            ("pending analysis", pending),
            ("batch", batch),
            ("training job", training),
            ("trained session", trained),
            ("pending session", untrained),
            ("report", report),
            ("artifact", artifact.value().parse().unwrap()),
            ("user id", user),
        ];
        Self { user, things, model: model.as_str().unwrap().to_owned() }
    }

    /// All rows and all files, in an order of their own.
    async fn estate(&self, world: &TestWorld) -> (String, BTreeMap<String, Vec<u8>>) {
        let user = self.user;
        let rows = world
            .sql(format!(
                "select string_agg(row::text, chr(10) order by row::text) from (
                   select to_jsonb(t) from jobs t where user_id = '{user}' union all
                   select to_jsonb(t) from analyses t where user_id = '{user}' union all
                   select to_jsonb(t) from reports t where user_id = '{user}' union all
                   select to_jsonb(t) from training_sessions t where user_id = '{user}' union all
                   select to_jsonb(t) from artifacts t where user_id = '{user}' union all
                   select to_jsonb(t) from job_items t join jobs j on j.id = t.job_id where j.user_id = '{user}' union all
                   select to_jsonb(t) from job_attempts t join jobs j on j.id = t.job_id where j.user_id = '{user}' union all
                   select to_jsonb(t) from job_logs t join jobs j on j.id = t.job_id where j.user_id = '{user}') as x (row)"
            ))
            .await;
        (rows.value().to_owned(), files_of(world, user))
    }
}

/// The files in a user's folders of all buckets.
fn files_of(world: &TestWorld, user: Uuid) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let buckets = std::fs::read_dir(world.storage_folder()).unwrap();
    let mut open: Vec<_> = buckets.map(|bucket| bucket.unwrap().path().join(user.to_string())).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() {
            found.insert(path.display().to_string(), std::fs::read(path).unwrap());
        }
    }
    found
}

/// The ways to write a key that others have misread: above the own folder, absolute, encoded, in other letters.
fn spellings(world: &TestWorld, me: Uuid, other: Uuid) -> Vec<String> {
    let root = world.storage_folder().display().to_string();
    let plain = format!("{other}/photo.jpg");
    vec![
        plain.clone(),
        format!("/{plain}"),
        format!("//{plain}"),
        format!("./{plain}"),
        format!("../{plain}"),
        format!("../images/{plain}"),
        format!("{me}/../{plain}"),
        format!("{me}/./../{plain}"),
        format!("{me}//../{plain}"),
        format!("{me}/x/../../{plain}"),
        format!("{me}/%2e%2e/{plain}"),
        format!("{me}/%252e%252e/{plain}"),
        format!("..%2f{plain}"),
        format!("{me}\\..\\{other}\\photo.jpg"),
        format!("{me}/..\\{plain}"),
        format!("{me}/..\u{0}/{plain}"),
        format!("{me}/\u{ff0e}\u{ff0e}/{plain}"),
        format!("{me}/\u{2025}/{plain}"),
        format!("{root}/images/{plain}"),
        format!("file://{root}/images/{plain}"),
        format!("s3://images/{plain}"),
        plain.to_uppercase(),
        format!("{me}/../outputs/{plain}"),
        format!("{me}/{}", "../".repeat(12)) + &plain,
    ]
    .into_iter()
    .map(|spelling| spelling.replace('\u{0}', "\t"))
    .collect()
}

/// What a job answered, without the ids that it was given or made.
fn answer(job: &JobRow, named: &[String]) -> String {
    let mut text = format!(
        "{} {} {} {}",
        job.status(),
        job.error_code(),
        job.error_message(),
        job.results.as_ref().unwrap_or(&Value::Null)
    );
    for name in named {
        text = text.replace(name.as_str(), "NAME");
    }
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        if let Some(id) = rest.get(..36).filter(|word| Uuid::parse_str(word).is_ok()) {
            plain.push_str("ID");
            rest = &rest[id.len()..];
        } else {
            plain.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    plain
}

/// The params that name a thing by its id: how the job is asked, and whether a service job gets further with `thing`.
type ById = (&'static str, &'static str, fn(Uuid) -> Value);

const BY_ID: &[ById] = &[
    ("batch_analysis", "image_ids", |id| json!({"image_ids": [id]})),
    ("report_generation", "analysis_ids", |id| json!({"analysis_ids": [id], "formats": ["csv"]})),
    (
        "report_generation",
        "analysis_ids, combined",
        |id| json!({"analysis_ids": [id], "formats": ["csv"], "combined": true}),
    ),
    ("report_generation", "job_id", |id| json!({"job_id": id, "formats": ["csv"]})),
    ("model_training", "training_session_id", |id| json!({"training_session_id": id})),
    (
        "model_training",
        "data.images",
        |id| json!({"data": {"images": [id, Uuid::nil()], "labels": ["good", "defect"]}}),
    ),
    ("model_training", "data.annotations", |id| {
        json!({"data": {"images": [Uuid::nil(), Uuid::max()], "labels": ["good", "defect"], "annotations":
            [{"image_id": id, "regions": [{"x": 1, "y": 1, "width": 1, "height": 1, "label": "x"}]}]}})
    }),
    (
        "data_export",
        "filters.job_id of analyses",
        |id| json!({"dataset": "analyses", "filters": {"job_id": id}, "formats": ["csv", "jsonl"]}),
    ),
    (
        "data_export",
        "filters.ids of analyses",
        |id| json!({"dataset": "analyses", "filters": {"ids": [id]}, "formats": ["csv", "jsonl"]}),
    ),
    (
        "data_export",
        "filters.ids of reports",
        |id| json!({"dataset": "reports", "filters": {"ids": [id]}, "formats": ["csv", "jsonl"]}),
    ),
    (
        "data_export",
        "filters.ids of jobs",
        |id| json!({"dataset": "jobs", "filters": {"ids": [id]}, "formats": ["csv", "jsonl"]}),
    ),
    (
        "data_export",
        "filters.ids of training_sessions",
        |id| json!({"dataset": "training_sessions", "filters": {"ids": [id]}, "formats": ["csv", "jsonl"]}),
    ),
];

/// Which of them a service job may use; of the others it is told that there is no such thing, or that it is another kind.
const OF_USE: &[(&str, &[&str])] = &[
    ("image_ids", &["row of storage.objects", "analysis", "pending analysis"]),
    ("analysis_ids", &["analysis"]),
    ("job_id", &["batch"]),
    ("training_session_id", &["trained session", "pending session"]),
];

#[tokio::test]
async fn what_belongs_to_somebody_else_is_like_what_does_not_exist() {
    let world = TestWorld::new().await;
    create_tables(&world).await;
    let me = Uuid::new_v4();
    let _worker = world.program().args(&["run"]).spawn();
    let owner = Owner::settle(&world).await;
    let before = owner.estate(&world).await;
    let mut asked: Vec<(String, Uuid, Uuid, Vec<String>)> = Vec::new();

    for (job_type, param, params) in BY_ID {
        let nothing = world.enqueue_for(job_type, &params(Uuid::new_v4()), Some(me)).await;
        for (kind, id) in &owner.things {
            let job = world.enqueue_for(job_type, &params(*id), Some(me)).await;
            asked.push((format!("{job_type} {param}: {kind}"), job, nothing, Vec::new()));
        }
    }
    let mine = put_panels(&world, Some(me), 1)[0];
    let with_model = |version: &str| json!({"image_ids": [mine], "options": {"model_version": version}});
    let absent = format!("20200101-{}", Uuid::new_v4());
    let nothing = world.enqueue_for("batch_analysis", &with_model(&absent), Some(me)).await;
    let mut versions = vec![owner.model.clone(), format!("{}/{}", owner.user, owner.model)];
    versions.extend(owner.things.iter().map(|(_, id)| id.to_string()));
    versions.extend(["../", "/", "%2e%2e/"].map(|lead| format!("{lead}{}/{}", owner.user, owner.model)));
    for version in versions {
        let job = world.enqueue_for("batch_analysis", &with_model(&version), Some(me)).await;
        asked.push((
            format!("batch_analysis model_version: {version}"),
            job,
            nothing,
            vec![version, absent.clone()],
        ));
    }
    // What a user may write into rows of one's own, and what only a service key could: never trusted as keys.
    let nobody = Uuid::new_v4();
    let pairs = spellings(&world, me, owner.user).into_iter().zip(spellings(&world, me, nobody));
    for (theirs, nobodys) in pairs {
        let mut jobs = Vec::new();
        for name in [&theirs, &nobodys] {
            let row: Uuid = sqlx::query_scalar(
                "insert into analyses (user_id, filename, output_filename, metrics, status)
                 values ($1, $2, $2, $3, 'completed') returning id",
            )
            .bind(me)
            .bind(name)
            .bind(report::metrics(0.5))
            .fetch_one(&world.pool)
            .await
            .unwrap();
            let stored = object(&world, "images", name, Some(me)).await;
            let image = json!({"image_ids": [row]});
            let report = json!({"analysis_ids": [row], "formats": ["pdf"]});
            let lesson = json!({"data": {"images": [row, stored], "labels": ["good", "defect"]}});
            jobs.push([
                world.enqueue_for("batch_analysis", &image, Some(me)).await,
                world.enqueue_for("batch_analysis", &json!({"image_ids": [stored]}), Some(me)).await,
                world.enqueue_for("model_training", &lesson, Some(me)).await,
                world.enqueue_for("report_generation", &report, Some(me)).await,
            ]);
        }
        let what =
            ["analyses.filename, batch", "storage.objects.name", "data.images", "analyses.filename, report"];
        for (place, what) in what.iter().enumerate() {
            let named = vec![theirs.clone(), nobodys.clone()];
            asked.push((format!("{what}: {theirs}"), jobs[0][place], jobs[1][place], named));
        }
    }
    // Everything that is there, without a filter.
    for dataset in ["analyses", "reports", "jobs", "training_sessions"] {
        let params = json!({"dataset": dataset, "formats": ["csv", "jsonl"]});
        let job = world.enqueue_for("data_export", &params, Some(me)).await;
        asked.push((format!("data_export of all {dataset}"), job, job, Vec::new()));
    }

    for (what, foreign, absent, named) in &asked {
        let (foreign, absent) = (world.wait_finished(*foreign).await, world.wait_finished(*absent).await);
        if what.starts_with("analyses.filename, report") {
            assert_eq!(pictures_in(&world, &foreign), pictures_in(&world, &absent), "{what}");
            continue;
        }
        assert_eq!(answer(&foreign, named), answer(&absent, named), "{what}");
        assert_ne!(foreign.error_code(), "internal", "{what}: {foreign:?}");
    }
    let after = owner.estate(&world).await;
    assert_eq!(after.0, before.0, "a row of the owner was touched");
    assert!(after.1 == before.1, "a file of the owner was touched");
    let (rows, files) = Owner { user: me, things: Vec::new(), model: String::new() }.estate(&world).await;
    assert!(!rows.contains(PLANTED), "{rows}");
    for (path, bytes) in &files {
        assert!(!bytes.windows(PLANTED.len()).any(|words| words == PLANTED.as_bytes()), "{path}");
    }
    println!("{} things of somebody else were named in vain", asked.len());

    // The service may use what is of the kind that it asks for.
    let mut used = 0;
    for (job_type, param, params) in BY_ID {
        let Some((_, kinds)) = OF_USE.iter().find(|(of, _)| of == param) else { continue };
        for (kind, id) in owner.things.iter().filter(|(kind, _)| kinds.contains(kind)) {
            let mut params = params(*id);
            if *param == "training_session_id" {
                params["options"] = json!({"folds": 2});
            }
            let job = world.enqueue(job_type, &params).await;
            let job = world.wait_finished(job).await;
            assert_eq!(job.status(), "completed", "{job_type} {param}: {kind}: {job:?}");
            used += 1;
        }
    }
    println!("{used} of them were used by the service");
}

/// How many pictures stand in the report of a finished job.
fn pictures_in(world: &TestWorld, job: &JobRow) -> usize {
    let file = &job.result("files")[0];
    let bytes = std::fs::read(world.object_path("reports", file["key"].as_str().unwrap())).unwrap();
    let mark = b"/Subtype /Image";
    bytes.windows(mark.len()).filter(|words| words == mark).count()
}

/// The row ids and files of a job derive from its id, and the one who inserts a job may choose that.
#[tokio::test]
async fn the_id_of_somebodys_deleted_job_opens_nothing() {
    let world = TestWorld::new().await;
    create_tables(&world).await;
    let (me, other) = (Uuid::new_v4(), Uuid::new_v4());
    let _worker = world.program().args(&["run"]).spawn();
    let image = put_panels(&world, Some(other), 1)[0];
    let analysis = report::analysis(&world, Some(other), "photo.jpg", "completed").await;
    let lesson = Lesson::put(&world, Some(other), 10, 0);
    let kinds = |image: Uuid, analysis: Uuid, lesson: &Lesson| {
        [
            ("batch_analysis", json!({"image_ids": [image]})),
            ("report_generation", json!({"analysis_ids": [analysis], "formats": ["csv"], "combined": true})),
            ("data_export", json!({"dataset": "analyses"})),
            ("model_training", json!({"data": lesson.data(), "options": {"folds": 2}})),
        ]
    };
    let mut jobs = Vec::new();
    for (job_type, params) in kinds(image, analysis, &lesson) {
        jobs.push(world.enqueue_for(job_type, &params, Some(other)).await);
    }
    for job in &jobs {
        world.wait_for(*job, "completed").await;
    }
    world.sql(format!("delete from jobs where user_id = '{other}'")).await;
    let owner = Owner { user: other, things: Vec::new(), model: String::new() };
    for forget_files in [false, true] {
        if forget_files {
            // What pruning leaves: the rows that are shown, without the bookkeeping of files.
            world.sql("delete from jobs; delete from artifacts").await;
        }
        let before = owner.estate(&world).await;
        // The same names in the own folder.
        world.put("images", &format!("{me}/{image}.jpg"), &forgeos_samples::variant(9).bytes);
        let own = report::analysis(&world, Some(me), "photo.jpg", "completed").await;
        let lesson = Lesson::put(&world, Some(me), 10, 50);
        for (id, (job_type, params)) in jobs.iter().zip(kinds(image, own, &lesson)) {
            let insert =
                format!("insert into jobs (id, job_type, params) values ('{id}', '{job_type}', '{params}')");
            world.user(me).sql(insert).await.unwrap();
        }
        world.sql("update jobs set max_attempts = 1").await;
        for job in &jobs {
            world.wait_finished(*job).await;
        }
        let after = owner.estate(&world).await;
        assert_eq!(after.0, before.0, "a row of the owner was touched");
        assert!(after.1 == before.1, "a file of the owner was touched");
    }
}
