//! The product's own jobs among those of a scenario, and what must be there of each when all is over.

use forgeos_tests::{TestWorld, verdict::Verdict};
use serde_json::json;
use uuid::Uuid;

/// Pictures of each batch.
const PICTURES: i64 = 2;

/// What the jobs came to, each way once, with how often.
const ENDS: &str = "
    select concat_ws(' ', count(*), job_type, status, error_code, error_message, 'crashes', crashes, 'analyses', analyses,
                     'files', files, lower(chain))
    from (select j.*, (select count(*) from analyses a where a.job_id = j.id and a.status = 'completed') as analyses,
                 (select count(*) from artifacts f where f.job_id = j.id) as files,
                 (select max(a.error_chain::text) from job_attempts a where a.job_id = j.id) as chain
          from jobs j) as ended
    group by job_type, status, error_code, error_message, crashes, analyses, files, chain
    order by count(*)";

/// Enqueues so many jobs of each of three types: a batch of two small pictures, a report, an export.
pub(crate) async fn enqueue(world: &TestWorld, of_each: usize) {
    enqueue_with(world, of_each, |key, bytes| world.put("images", key, bytes)).await;
}

/// The same with the pictures in another store.
pub(crate) async fn enqueue_with(world: &TestWorld, of_each: usize, put_picture: impl Fn(&str, &[u8])) {
    let pictures: Vec<Uuid> = (0..PICTURES as u64)
        .map(|seed| {
            let id = Uuid::new_v4();
            put_picture(&format!("{id}.jpg"), &forgeos_samples::variant(seed).bytes);
            id
        })
        .collect();
    let analysis = world
        .sql(
            "insert into analyses (filename, status, metrics)
             values ('a.jpg', 'completed', '{\"cvi\": 0.5, \"cqi\": 0.6}') returning id",
        )
        .await;
    let analysis = analysis.value();
    for (job_type, params) in [
        ("batch_analysis", json!({ "image_ids": pictures })),
        (
            "report_generation",
            json!({"analysis_ids": [analysis], "formats": ["csv"], "options": {"include_images": false}}),
        ),
        ("data_export", json!({"dataset": "analyses", "filters": {"ids": [analysis]}})),
    ] {
        world
            .sql(format!(
                "insert into jobs (job_type, params, priority)
                 select '{job_type}', '{params}', 1 from generate_series(1, {of_each})"
            ))
            .await;
    }
}

/// Adds to a verdict what is missing of the product's jobs, or there too often: analyses, rows of files, files.
pub(crate) async fn judge(world: &TestWorld, verdict: Verdict) -> Verdict {
    judge_with(world, verdict, |name| world.storage_folder().join(name).is_file()).await
}

/// The same with the files, `bucket/key`, in another store.
pub(crate) async fn judge_with(
    world: &TestWorld,
    verdict: Verdict,
    is_there: impl Fn(&str) -> bool,
) -> Verdict {
    let differences = world
        .sql(format!(
            "with expected (job_type, analyses, files) as
                 (values ('batch_analysis', {PICTURES}, {PICTURES}), ('report_generation', 0, 1), ('data_export', 0, 1))
             select coalesce(sum(greatest(0, difference)), 0)::text, coalesce(sum(greatest(0, -difference)), 0)::text
             from jobs j join expected e using (job_type), lateral (values
                 (e.analyses - (select count(*) from analyses a where a.job_id = j.id and a.status = 'completed')),
                 (e.files - (select count(*) from artifacts f where f.job_id = j.id)),
                 (case when j.status = 'completed' then 0 else 1 end)) as d (difference)"
        ))
        .await;
    let number = |at: usize| differences.0[0][at].as_deref().unwrap().parse::<u64>().unwrap();
    let files = world.sql("select bucket || '/' || key from artifacts").await;
    let missing = files.column().iter().filter(|name| !is_there(name)).count();
    if number(0) + number(1) + missing as u64 > 0 {
        let ends = world.sql(ENDS).await;
        eprintln!("{missing} files are missing; what the jobs came to:\n{}", ends.column().join("\n"));
    }
    Verdict {
        lost: verdict.lost + number(0) + missing as u64,
        doubled: verdict.doubled + number(1),
        ..verdict
    }
}
