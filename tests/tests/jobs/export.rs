//! Exports of rows: what stands in the files, for whom, and what is refused.

use std::path::PathBuf;

use calamine::Reader as _;
use forgeos_tests::{JobRow, TestWorld};
use parquet::file::reader::FileReader as _;
use serde_json::{Value, json};
use uuid::Uuid;

/// The ids in each file of a finished export, in order; every promise that is the same for all files is checked on
/// the way: the file is whole, its rows of `reports` and `artifacts` say what it is, and nothing else lies beside it.
pub(crate) async fn ids_in_files(world: &TestWorld, job: &JobRow) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let files = job.result("files").as_array().unwrap();
    for file in files {
        let path = world.object_path("exports", file["key"].as_str().unwrap());
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(file["size_bytes"], bytes.len());
        let row = world
            .sql(format!(
                "select jsonb_build_object('same', (r.metadata ->> 'sha256') = a.sha256 and a.verified
                     and (r.metadata ->> 'size_bytes')::bigint = a.size_bytes and r.analysis_id is null
                     and r.user_id is not distinct from a.user_id and r.template = 'data_export'
                     and a.attempt = {attempt} and a.job_id = '{job}' and r.metadata ? 'generated_at',
                     'sha256', a.sha256, 'rows', r.metadata -> 'rows', 'url', r.url)
                 from reports r join artifacts a on a.key = '{key}' and a.bucket = 'exports'
                 where r.id = '{id}' and a.kind = 'export_' || (r.metadata ->> 'format')",
                attempt = job.attempt,
                job = job.id,
                key = file["key"].as_str().unwrap(),
                id = file["report_id"].as_str().unwrap()
            ))
            .await
            .json();
        assert_eq!(row["same"], true, "{row}");
        assert_eq!(
            (&row["sha256"], &row["rows"], &row["url"]),
            (&file["sha256"], &file["rows"], &file["url"])
        );
        assert_eq!(&file["rows"], job.result("rows"));
        let format = file["format"].as_str().unwrap().to_owned();
        found.push((format.clone(), ids(&format, bytes)));
    }
    assert_eq!(objects(world).len(), files.len(), "{:?}", objects(world));
    found
}

/// Every file in the bucket, staged ones too.
pub(crate) fn objects(world: &TestWorld) -> Vec<PathBuf> {
    fn walk(folder: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(world.storage_folder().join("exports"), &mut found);
    found
}

/// The column `id` as it stands in a file.
fn ids(format: &str, bytes: Vec<u8>) -> Vec<String> {
    match format {
        "csv" => csv_column(&bytes, "id"),
        "jsonl" => String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect(),
        "xlsx" => {
            let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
            let sheet = book.worksheet_range_at(0).unwrap().unwrap();
            sheet.rows().skip(1).map(|row| row[0].to_string()).collect()
        }
        "parquet" => {
            let file = parquet::file::reader::SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
            let rows = file.get_row_iter(None).unwrap();
            rows.map(|row| match row.unwrap().get_column_iter().find(|(name, _)| *name == "id").unwrap().1 {
                parquet::record::Field::Bytes(id) => Uuid::from_slice(id.data()).unwrap().to_string(),
                other => panic!("an id is {other:?}"),
            })
            .collect()
        }
        other => panic!("{other}"),
    }
}

pub(crate) fn csv_column(bytes: &[u8], name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|record| record.unwrap()[place].to_owned()).collect()
}

/// Rows of all four tables, of two users and of nobody, created one second apart on 2 March 2026, the last of them at
/// once.
async fn fill(world: &TestWorld, users: [Uuid; 2]) {
    let [one, two] = users;
    let owner = format!("case n % 3 when 0 then '{one}'::uuid when 1 then '{two}'::uuid end");
    let at = "timestamptz '2026-03-02 10:00:00+00' + least(n, 22) * interval '1 second'";
    let status = "(array['pending', 'completed', 'failed'])[n % 3 + 1]";
    world
        .sql(format!(
            "set session_replication_role = replica;
             insert into jobs (id, created_at, status, job_type, params, results, user_id, locked_by)
             select md5('j' || n)::uuid, {at}, {status}, 'batch_analysis', '{{\"a\": 1}}', '{{\"processed\": 3}}',
                    {owner}, gen_random_uuid() from generate_series(1, 31) n;
             insert into analyses (id, created_at, filename, metrics, status, user_id, job_id)
             select md5('a' || n)::uuid, {at}, '=cmd|'' /C calc''!A' || n,
                    jsonb_build_object('cvi', n / 64.0::float8, 'severity', 'Low', 'odd', n), {status}, {owner},
                    md5('j' || n % 5)::uuid from generate_series(1, 32) n;
             insert into reports (id, created_at, analysis_id, url, metadata, template, user_id)
             select md5('r' || n)::uuid, {at}, md5('a' || n)::uuid, 'file:///x', '{{\"pages\": 2}}', 'standard', {owner}
             from generate_series(1, 31) n;
             insert into training_sessions (id, created_at, notes, data, status, accuracy_metrics, user_id)
             select md5('t' || n)::uuid, {at}, 'notes', '{{\"images\": [\"a\"], \"labels\": [\"b\"]}}', {status},
                    '{{\"accuracy\": 0.5}}', {owner} from generate_series(1, 31) n;
             set session_replication_role = default"
        ))
        .await;
}

const DAY: &str = "created_at >= '2026-03-02' and created_at < '2026-03-03'";

#[tokio::test]
async fn every_format_of_every_dataset_has_the_rows_that_sql_has_and_users_get_only_their_own() {
    let world = TestWorld::new().await;
    let users = [Uuid::new_v4(), Uuid::new_v4()];
    fill(&world, users).await;
    let _worker = world.program().args(&["run"]).spawn();
    for owner in [None, Some(users[0])] {
        let mine = owner.map_or("true".to_owned(), |user| format!("user_id = '{user}'"));
        for dataset in ["analyses", "reports", "jobs", "training_sessions"] {
            let params = json!({
                "dataset": dataset,
                "formats": ["csv", "jsonl", "xlsx", "parquet"],
                "filters": {"from_date": "2026-03-02", "to_date": "2026-03-03T00:00:00Z"}
            });
            let id = world.enqueue_for("data_export", &params, owner).await;
            let job = world.wait_for(id, "completed").await;
            let expected = world
                .sql(format!("select id from {dataset} where {DAY} and {mine} order by created_at, id"))
                .await;
            assert_eq!(job.result("rows"), expected.len(), "{dataset}");
            assert!(!expected.is_empty());
            let files = job.result("files").as_array().unwrap().clone();
            for file in &files {
                let folder = owner.map_or("service".to_owned(), |user| user.to_string());
                let (key, format) = (file["key"].as_str().unwrap(), file["format"].as_str().unwrap());
                assert_eq!(key, format!("{folder}/{id}/1/{dataset}.{format}"));
                let text = std::fs::read(world.object_path("exports", key)).unwrap();
                let internals = text.windows(9).any(|bytes| bytes == b"locked_by");
                let expected = dataset == "jobs" && owner.is_none() && format != "xlsx";
                assert_eq!(internals, expected, "{key}: what is internal is for the service only");
            }
            for (format, ids) in ids_in_files(&world, &job).await {
                assert_eq!(ids, expected.column(), "{dataset} as {format}");
            }
            // One world, many exports: the next one finds the bucket empty.
            world.sql("delete from reports where template = 'data_export'; delete from artifacts").await;
            std::fs::remove_dir_all(world.storage_folder().join("exports")).unwrap();
            std::fs::create_dir(world.storage_folder().join("exports")).unwrap();
        }
    }
}

#[tokio::test]
async fn text_is_text_and_json_is_whole_where_it_can_be() {
    let world = TestWorld::new().await;
    fill(&world, [Uuid::new_v4(), Uuid::new_v4()]).await;
    let _worker = world.worker().behind_a_pooler().ready().await;
    let params = json!({"dataset": "analyses", "formats": ["csv", "jsonl"]});
    let id = world.enqueue("data_export", &params).await;
    let job = world.wait_for(id, "completed").await;
    let read = |place: usize| {
        let key = job.result("files")[place]["key"].as_str().unwrap().to_owned();
        std::fs::read(world.object_path("exports", &key)).unwrap()
    };
    let names = csv_column(&read(0), "filename");
    assert!(names.iter().all(|name| name.starts_with("'=cmd|")), "{names:?}");
    assert_eq!(csv_column(&read(0), "metrics_cvi")[15], "0.25");
    assert_eq!(csv_column(&read(0), "created_at")[0], "2026-03-02T10:00:01.000000Z");
    let first: Value = serde_json::from_slice(read(1).split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let row = world
        .sql("select to_jsonb(a) - 'created_at' from analyses a order by created_at limit 1")
        .await
        .json();
    let mut same = first.clone();
    same.as_object_mut().unwrap().remove("created_at");
    assert_eq!(same, row, "{first}");
}

#[tokio::test]
async fn filters_columns_and_packing_are_what_was_asked_for() {
    let world = TestWorld::new().await;
    let users = [Uuid::new_v4(), Uuid::new_v4()];
    fill(&world, users).await;
    world.sql("update analyses set created_at = now() - interval '1 hour' where id = md5('a7')::uuid").await;
    let _worker = world.program().args(&["run"]).spawn();
    let uuid = |name: &str| format!("md5('{name}')::uuid");
    let first = world.sql(format!("select {}", uuid("j1"))).await.value().to_owned();
    let some = world.sql(format!("select unnest(array[{}, {}])", uuid("a1"), uuid("a2"))).await;
    let some = some.column();
    for (dataset, filters, condition) in [
        (
            "analyses",
            json!({"from_date": "2026-03-02T10:00:05Z", "to_date": "2026-03-02T10:00:09+00:00"}),
            "created_at >= '2026-03-02 10:00:05+00' and created_at < '2026-03-02 10:00:09+00'".to_owned(),
        ),
        ("analyses", json!({"from_date": "-1d"}), format!("id = {}", uuid("a7"))),
        ("analyses", json!({"status": "failed"}), "status = 'failed'".to_owned()),
        (
            "analyses",
            json!({"status": ["failed", "pending"], "job_id": first}),
            format!("status in ('failed', 'pending') and job_id = '{first}'"),
        ),
        ("analyses", json!({"ids": some}), format!("id in ({}, {})", uuid("a1"), uuid("a2"))),
        (
            "reports",
            json!({"job_id": first}),
            format!("analysis_id in (select id from analyses where job_id = '{first}')"),
        ),
        ("jobs", json!({"job_id": first}), format!("id = '{first}'")),
        ("training_sessions", json!({"status": "completed"}), "status = 'completed'".to_owned()),
        ("analyses", json!({"to_date": "1999-01-01"}), "false".to_owned()),
    ] {
        let expected =
            world.sql(format!("select id from {dataset} where {condition} order by created_at, id")).await;
        let id = world.enqueue("data_export", &json!({"dataset": dataset, "filters": filters})).await;
        let job = world.wait_for(id, "completed").await;
        let key = job.result("files")[0]["key"].as_str().unwrap().to_owned();
        let found = csv_column(&std::fs::read(world.object_path("exports", &key)).unwrap(), "id");
        assert_eq!(found, expected.column(), "{dataset} {filters}");
        assert_eq!(job.result("rows"), found.len());
    }

    // The files of a job lie in its folder: that is how its reports are found.
    let own = world.sql("select job_id, id from artifacts limit 1").await.0[0][0].clone().unwrap();
    let id = world.enqueue("data_export", &json!({"dataset": "reports", "filters": {"job_id": own}})).await;
    assert_eq!(world.wait_for(id, "completed").await.result("rows"), 1);

    for (compression, extension, magic) in
        [("gzip", "csv.gz", &[0x1f, 0x8b][..]), ("zstd", "csv.zst", &[0x28, 0xb5, 0x2f, 0xfd][..])]
    {
        let params =
            json!({"dataset": "analyses", "columns": ["metrics_cvi", "id"], "compression": compression});
        let id = world.enqueue("data_export", &params).await;
        let job = world.wait_for(id, "completed").await;
        let key = job.result("files")[0]["key"].as_str().unwrap();
        assert!(key.ends_with(&format!("/analyses.{extension}")), "{key}");
        assert!(std::fs::read(world.object_path("exports", key)).unwrap().starts_with(magic));
    }
    let id =
        world.enqueue("data_export", &json!({"dataset": "analyses", "columns": ["metrics_cvi", "id"]})).await;
    let job = world.wait_for(id, "completed").await;
    let bytes = std::fs::read(world.object_path("exports", job.result("files")[0]["key"].as_str().unwrap()));
    assert!(bytes.unwrap().starts_with(b"metrics_cvi,id\r\n"));
}

#[tokio::test]
async fn what_a_dataset_does_not_have_is_named_with_what_it_has() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let mut jobs = Vec::new();
    for (params, owner, words) in [
        (json!({"dataset": "people"}), None, &["people", "analyses"][..]),
        (
            json!({"dataset": "analyses", "columns": ["colour"]}),
            None,
            &["`colour`", "allowed: id, created_at"],
        ),
        (json!({"dataset": "analyses", "columns": ["metrics_cvj"]}), None, &["metrics_cvj", "cvi, cqi"]),
        (json!({"dataset": "jobs", "columns": ["locked_by"]}), Some(user), &["`locked_by`", "allowed: id"]),
        (
            json!({"dataset": "reports", "filters": {"status": "completed"}}),
            None,
            &["filters.status", "allowed: from_date, to_date, job_id, ids"],
        ),
        (
            json!({"dataset": "training_sessions", "filters": {"job_id": user}}),
            None,
            &["filters.job_id", "allowed: from_date, to_date, status, ids"],
        ),
        (
            json!({"dataset": "analyses", "filters": {"status": ["running"]}}),
            None,
            &["`running`", "allowed: pending, processing, completed, failed"],
        ),
        (json!({"dataset": "analyses", "filters": {"colour": "red"}}), None, &["colour"]),
        (json!({"dataset": "analyses", "formats": ["pdf"]}), None, &["pdf", "csv"]),
        (
            json!({"dataset": "analyses", "formats": ["parquet"], "compression": "zstd"}),
            None,
            &["compression"],
        ),
        (
            json!({"dataset": "analyses", "filters": {"from_date": "-1d", "to_date": "-2d"}}),
            None,
            &["before"],
        ),
    ] {
        jobs.push((world.enqueue_for("data_export", &params, owner).await, words));
    }
    let _worker = world.program().args(&["run"]).spawn();
    for (id, words) in jobs {
        let job = world.wait_for(id, "failed").await;
        assert_eq!((job.error_code(), job.attempt), ("bad_params", 1), "{job:?}");
        for word in words {
            assert!(job.error_message().contains(word), "{} does not say {word}", job.error_message());
        }
    }
    assert!(objects(&world).is_empty());
}

#[tokio::test]
async fn a_job_that_is_somebody_elses_or_nobodys_is_not_found() {
    let world = TestWorld::new().await;
    let users = [Uuid::new_v4(), Uuid::new_v4()];
    fill(&world, users).await;
    let of = |user: Uuid| format!("select id from jobs where user_id = '{user}' limit 1");
    let foreign = world.sql(of(users[1])).await.value().to_owned();
    let own = world.sql(of(users[0])).await.value().to_owned();
    let _worker = world.program().args(&["run"]).spawn();
    for dataset in ["analyses", "reports", "jobs"] {
        let ask = async |job: &str, user: Option<Uuid>, end: &str| {
            let params = json!({"dataset": dataset, "filters": {"job_id": job}});
            world.wait_for(world.enqueue_for("data_export", &params, user).await, end).await
        };
        let absent = Uuid::new_v4().to_string();
        for (job, user) in [(&foreign, Some(users[0])), (&absent, Some(users[0])), (&absent, None)] {
            let refused = ask(job, user, "failed").await;
            assert_eq!((refused.error_code(), refused.attempt), ("not_found", 1));
            assert_eq!(refused.error_message(), "`filters.job_id`: there is no job with this id");
        }
        ask(&own, Some(users[0]), "completed").await;
        ask(&foreign, None, "completed").await;
    }
}

#[tokio::test]
async fn what_an_xlsx_cell_does_not_hold_is_counted() {
    let world = TestWorld::new().await;
    world
        .sql(
            "insert into analyses (filename, metrics) values
                (repeat('x', 32767), '{}'), (repeat('x', 32768), jsonb_build_object('odd', repeat('y', 40000)))",
        )
        .await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"dataset": "analyses", "formats": ["csv", "xlsx"]});
    let id = world.enqueue("data_export", &params).await;
    world.wait_for(id, "completed").await;
    let cut = world
        .sql("select concat(metadata ->> 'format', ' ', metadata ->> 'cells_cut') from reports order by 1")
        .await;
    assert_eq!(cut.column(), ["csv ", "xlsx 2"]);
    world.wait_until(&format!("select count(*) = 2 from job_logs where job_id = '{id}'")).await;
    let said = world
        .sql(
            "select concat_ws(' | ', step, message, fields ->> 'cells', fields ->> 'rows', fields ->> 'files')
             from job_logs order by message",
        )
        .await;
    assert_eq!(
        said.column(),
        ["exporting | exported | 2 | 2", "exporting | texts longer than an XLSX cell were cut | 2"]
    );
}
