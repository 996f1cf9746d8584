//! Reports: from one insert to files and rows.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

/// Metrics as the worker writes them, shortened.
pub(crate) fn metrics(cqi: f64) -> Value {
    json!({
        "cvi": 0.8, "cqi": cqi, "coverage_percent": 97.5, "edge_coverage_ratio": 0.99, "defects_detected": 1,
        "severity": "low", "confidence": 0.9, "processing_time_ms": 40, "profile": "standard", "width": 640,
        "height": 480, "roi_percent": 80.0, "sensitivity": "medium",
        "defects": [{"class": "rust", "x": 10, "y": 20, "width": 30, "height": 40, "area_percent": 0.4, "delta_e": 21.5}],
        "capture": {"glare_percent": 0.0, "clipped_percent": 0.1, "sharpness": 0.8, "lighting_evenness": 0.9}
    })
}

/// An analysis with photograph and visualization; `filename` is what its user calls it.
pub(crate) async fn analysis(world: &TestWorld, user: Option<Uuid>, filename: &str, status: &str) -> Uuid {
    let id = Uuid::new_v4();
    let owner = user.map_or_else(|| "service".to_owned(), |user| user.to_string());
    let output = format!("{owner}/{}/1/{id}.jpg", Uuid::new_v4());
    if !filename.contains('\u{1}') {
        let key = if user.is_some() { format!("{owner}/{filename}") } else { filename.to_owned() };
        world.put("images", &key, &forgeos_samples::variant(3).bytes);
        world.put("outputs", &output, &forgeos_samples::variant(4).bytes);
    }
    sqlx::query(
        "insert into analyses (id, user_id, filename, output_filename, metrics, status) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(user)
    .bind(filename)
    .bind(output)
    .bind(if status == "failed" {
        json!({"error": {"code": "damaged_image", "message": "the file ends early"}})
    } else {
        metrics(0.7)
    })
    .bind(status)
    .execute(&world.pool)
    .await
    .unwrap();
    id
}

/// So many analyses of a service job that share one small photograph.
pub(crate) async fn analyses(world: &TestWorld, count: usize) -> Vec<Uuid> {
    world.put("images", "shared.jpg", &forgeos_samples::variant(5).bytes);
    sqlx::query_scalar(
        "insert into analyses (filename, metrics, status)
         select 'shared.jpg', $2, 'completed' from generate_series(1, $1) returning id",
    )
    .bind(i64::try_from(count).unwrap())
    .bind(metrics(0.6))
    .fetch_all(&world.pool)
    .await
    .unwrap()
}

/// The files that lie in bucket `reports`, by key.
pub(crate) fn stored(world: &TestWorld) -> Vec<String> {
    fn walk(folder: &std::path::Path, root: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let root = world.storage_folder().join("reports");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    found
}

/// Every file has its rows, every row its file, and `results` says the same.
pub(crate) async fn assert_files_are_true(world: &TestWorld, results: &Value) {
    let rows = world
        .sql(
            "select jsonb_build_object('key', f.key, 'size', f.size_bytes, 'kind', f.kind, 'verified', f.verified,
                                       'report', to_jsonb(r))
             from artifacts f join reports r on r.url like '%' || f.key where f.bucket = 'reports' order by f.key",
        )
        .await;
    let rows: Vec<Value> = rows.column().iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let keys: Vec<&str> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
    let mut files = stored(world);
    files.sort_by_key(|key| rows.iter().position(|row| row["key"] == json!(key)));
    assert_eq!(files, keys, "files and rows");
    assert_eq!(world.sql("select count(*) from reports").await.value(), rows.len().to_string());
    let told = results["files"].as_array().unwrap();
    assert_eq!(told.len(), rows.len());
    for row in &rows {
        let bytes = std::fs::read(world.object_path("reports", row["key"].as_str().unwrap())).unwrap();
        let report = &row["report"];
        let file = told.iter().find(|file| file["report_id"] == report["id"]).unwrap();
        let metadata = &report["metadata"];
        assert_eq!((&row["size"], &metadata["size_bytes"]), (&json!(bytes.len()), &json!(bytes.len())));
        assert_eq!((&file["size_bytes"], &file["key"]), (&json!(bytes.len()), &row["key"]));
        assert_eq!((&file["url"], &file["bucket"]), (&report["url"], &json!("reports")));
        assert_eq!(file["format"], metadata["format"]);
        assert_eq!(row["kind"], format!("report_{}", metadata["format"].as_str().unwrap()));
        assert_eq!(row["verified"], true);
        let begins: &[u8] = match metadata["format"].as_str().unwrap() {
            "pdf" => b"%PDF-",
            "xlsx" => b"PK",
            _ => b"",
        };
        assert!(bytes.starts_with(begins) && bytes.len() > 100, "{metadata}");
        if metadata["format"] == "pdf" {
            assert!(file["pages"].as_u64().unwrap() >= 1 && file["pages"] == metadata["pages"]);
        } else {
            assert!(file["pages"].is_null() && metadata["pages"] == 0);
        }
    }
}

#[tokio::test]
async fn each_analysis_gets_a_file_of_each_format_and_a_row_for_it() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let good = analysis(&world, Some(user), "bridge 4 (north).jpg", "completed").await;
    let hostile =
        "\u{1}<b>=cmd|' /C calc'!A1</b> #set page(fill: red) \u{202e}א🙂 ".to_owned() + &"x".repeat(10_000);
    let odd = analysis(&world, Some(user), &hostile, "completed").await;
    world
        .sql(format!(
            "update analyses set metrics = '{{\"cqi\": \"good\", \"defects\": 7}}' where id = '{odd}'"
        ))
        .await;
    let _worker = world.program().args(&["run"]).spawn();
    let params =
        json!({"analysis_ids": [good, odd, good], "formats": ["pdf", "xlsx", "csv"], "language": "no"});
    let id = world.enqueue_for("report_generation", &params, Some(user)).await;
    let job = world.wait_for(id, "completed").await;

    let results = job.results.clone().unwrap();
    assert_eq!((&results["generated"], &results["failed"]), (&json!(6), &json!(0)));
    assert_eq!(job.progress.as_ref().unwrap()["percent"], 100);
    assert_files_are_true(&world, &results).await;
    let rows = world
        .sql(
            "select concat_ws(' ', analysis_id, metadata ->> 'format', template, metadata ->> 'language', user_id,
                              metadata ->> 'includes_images', (metadata ->> 'generated_at')::timestamptz > now() - interval '1 h')
             from reports order by metadata ->> 'format' desc, analysis_id",
        )
        .await;
    for (analysis, format, pictures) in
        [(good, "pdf", true), (odd, "pdf", false), (good, "csv", false), (odd, "xlsx", false)]
    {
        let row =
            format!("{analysis} {format} standard no {user} {} t", if pictures { "true" } else { "false" });
        assert!(rows.column().contains(&row.as_str()), "{row} is missing in {rows:?}");
    }
    let expected = format!("{user}/{id}/{}/{good}.pdf", job.attempt);
    assert_eq!(results["files"][0]["key"], expected, "files are in the order of the analyses");

    // The same job once more: the same rows, the same files.
    let ids = world.sql("select id from reports order by id").await;
    let before = stored(&world);
    world
        .sql(format!(
            "begin; set local session_replication_role = replica;
             update jobs set status = 'pending', run_at = now(), completed_at = null where id = '{id}'; commit"
        ))
        .await;
    let again = world.wait_for(id, "completed").await;
    assert!(again.attempt > job.attempt);
    assert_eq!(again.results, Some(results));
    assert_eq!((world.sql("select id from reports order by id").await, stored(&world)), (ids, before));
}

#[tokio::test]
async fn a_combined_report_leaves_out_what_is_foreign_missing_or_not_completed_and_says_so() {
    let world = TestWorld::new().await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let mine = [
        analysis(&world, Some(me), "a.jpg", "completed").await,
        analysis(&world, Some(me), "b.jpg", "completed").await,
    ];
    let foreign = analysis(&world, Some(stranger), "c.jpg", "completed").await;
    let failed = analysis(&world, Some(me), "d.jpg", "failed").await;
    let open = analysis(&world, Some(me), "e.jpg", "processing").await;
    let absent = Uuid::new_v4();
    // Pictures that are not there, and one that leads into somebody else's folder: the page does without.
    std::fs::remove_file(world.object_path("images", &format!("{me}/a.jpg"))).unwrap();
    world
        .sql(format!(
            "update analyses set output_filename = (select output_filename from analyses where id = '{foreign}')
             where id = '{}'",
            mine[0]
        ))
        .await;
    let ids = json!([foreign, mine[0], absent, failed, mine[1], open]);
    let _worker = world.program().args(&["run"]).spawn();
    let params =
        json!({"analysis_ids": ids, "combined": true, "formats": ["pdf", "csv"], "template": "summary"});
    let id = world.enqueue_for("report_generation", &params, Some(me)).await;
    let job = world.wait_for(id, "completed").await;

    let results = job.results.clone().unwrap();
    assert_eq!((&results["generated"], &results["failed"]), (&json!(2), &json!(4)));
    assert_eq!(results["failed_ids"], json!([foreign, absent, failed, open]));
    let errors = results["errors"].as_array().unwrap();
    let codes: Vec<&str> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["not_found", "not_found", "damaged_image", "dependency_failed"]);
    assert_eq!(errors[0]["message"], errors[1]["message"], "foreign and absent are told apart");
    assert!(errors[2]["message"].as_str().unwrap().contains("the file ends early"));
    assert!(errors[3]["message"].as_str().unwrap().contains("`processing`"));
    assert_files_are_true(&world, &results).await;
    // A summary of several shows no picture, whatever was fetched for it.
    let row = world.sql("select analysis_id is null, template, metadata ->> 'includes_images' from reports where metadata ->> 'format' = 'pdf'").await;
    assert_eq!(row.0[0], ["t", "summary", "false"].map(|value| Some(value.to_owned())));
    assert_eq!(results["files"][0]["key"], format!("{me}/{id}/{}/combined.pdf", job.attempt));
    world.wait_until(&format!("select count(*) = 3 from job_logs where job_id = '{id}'")).await;
    let said = world
        .sql(format!(
            "select concat_ws(' | ', step, message, fields ->> 'missing', fields ->> 'files', fields ->> 'pages')
             from job_logs where job_id = '{id}' order by message"
        ))
        .await;
    let pages = &results["files"][0]["pages"];
    assert_eq!(
        said.column(),
        [
            "analyses are in no report",
            "collecting | pictures were not to be had | 2",
            &format!("typesetting | reports set | 2 | {pages}")
        ]
    );

    // A service job sees all of them.
    let params = json!({"analysis_ids": ids, "combined": true});
    let service = world.enqueue("report_generation", &params).await;
    let job = world.wait_for(service, "completed").await;
    assert_eq!(job.result("failed_ids"), &json!([absent, failed, open]));
    assert_eq!(job.result("files")[0]["key"], format!("service/{service}/{}/combined.pdf", job.attempt));
}

#[tokio::test]
async fn a_date_that_no_calendar_holds_is_left_out_and_none_is_made_up() {
    let world = TestWorld::new().await;
    let mut ids = Vec::new();
    for date in ["infinity", "-infinity", "0002-01-01 BC", "20000-01-01", "1900-05-06"] {
        let id = analysis(&world, None, "a.jpg", "completed").await;
        world
            .sql(
                format!("update analyses set created_at = '{date}+00' where id = '{id}'")
                    .replace("infinity+00", "infinity"),
            )
            .await;
        ids.push(id);
    }
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"analysis_ids": ids, "combined": true, "formats": ["csv", "pdf"]});
    let job = world.enqueue("report_generation", &params).await;
    let job = world.wait_for(job, "completed").await;
    let files = job.result("files").as_array().unwrap();
    let key = files.iter().find(|file| file["format"] == "csv").unwrap()["key"].as_str().unwrap();
    let csv = std::fs::read_to_string(world.object_path("reports", key)).unwrap();
    let dates: Vec<&str> = csv.lines().skip(1).map(|row| row.split(',').nth(2).unwrap()).collect();
    assert_eq!(dates[..4], [""; 4], "{csv}");
    assert!(dates[4].starts_with("1900-05-0"), "{csv}");
}

#[tokio::test]
async fn a_report_of_nothing_fails_and_says_why() {
    let world = TestWorld::new().await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let failed = analysis(&world, Some(me), "d.jpg", "failed").await;
    let foreign = analysis(&world, Some(stranger), "c.jpg", "completed").await;
    let later = "now() + interval '1 d'";
    let rows = world
        .sql(format!(
            "insert into jobs (job_type, params, user_id, run_at) values
                ('batch_analysis', '{{}}', '{stranger}', {later}), ('data_export', '{{}}', '{me}', {later}),
                ('batch_analysis', '{{}}', '{me}', {later}) returning id"
        ))
        .await;
    let jobs: Vec<Uuid> = rows.column().iter().map(|id| id.parse().unwrap()).collect();
    world.sql(format!("update jobs set status = 'cancelled' where id = '{}'", jobs[2])).await;
    let large = world
        .sql(format!(
            "with made as (insert into jobs (job_type, params, user_id, run_at) values ('batch_analysis', '{{}}', '{me}', {later})
                           returning id)
             select id from made"
        ))
        .await;
    let large = large.value().to_owned();
    world
        .sql(format!(
            "insert into analyses (job_id, user_id, status) select '{large}', '{me}', 'completed' from generate_series(1, 1001);
             update jobs set status = 'cancelled' where id = '{large}'"
        ))
        .await;
    let _worker = world.program().args(&["run"]).spawn();
    let absent = Uuid::new_v4();
    for (params, code, words) in [
        (
            json!({"analysis_ids": [failed]}),
            "damaged_image",
            "there is no report: the analysis is `failed`: the file ends",
        ),
        (json!({"analysis_ids": [failed, foreign]}), "nothing_to_do", "none|any of the 2 analyses"),
        (json!({"analysis_ids": [foreign, absent], "combined": true}), "not_found", "any of the 2 analyses"),
        (json!({"job_id": absent}), "not_found", "there is no job with this id"),
        (json!({"job_id": jobs[0]}), "not_found", "there is no job with this id"),
        (json!({"job_id": jobs[1]}), "bad_params", "type `data_export`"),
        (json!({"job_id": jobs[2]}), "dependency_failed", "is `cancelled` and has no completed analysis"),
        (
            json!({"job_id": large, "combined": true}),
            "bad_params",
            "1001 analyses; a report takes at most 1000",
        ),
    ] {
        let id = world.enqueue_for("report_generation", &params, Some(me)).await;
        let job = world.wait_for(id, "failed").await;
        assert_eq!(job.error_code(), code, "{params}: {}", job.error_message());
        assert!(
            words.split('|').any(|words| job.error_message().contains(words)),
            "{params}: {}",
            job.error_message()
        );
        if let Some(ids) = params["analysis_ids"].as_array() {
            assert_eq!((job.result("failed"), job.result("failed_ids")), (&json!(ids.len()), &json!(ids)));
            assert_eq!(job.result("files"), &json!([]));
        }
    }
    assert!(stored(&world).is_empty() && world.sql("select 1 from reports").await.is_empty());
}
