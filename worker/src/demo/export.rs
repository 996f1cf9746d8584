//! The demo's third job: the rows of the first, for other programs.

use forgeos_core::{
    JobId,
    db::{
        Db,
        console::{self, JobState},
    },
    storage::Bucket,
};
use serde_json::{Value, json};

use super::{USER, files};
use crate::{cli::output::text, environment::Environment};

/// Asks for the export, as an API would.
pub(super) async fn ask_for(db: &Db, batch: JobId) -> anyhow::Result<JobId> {
    let params =
        json!({ "dataset": "analyses", "filters": { "job_id": batch }, "formats": ["csv", "parquet"] });
    text("  So is an export of its analyses, for other programs:\n");
    text(&format!(
        "    'data_export', '{{\"dataset\": \"analyses\", \"filters\": {{\"job_id\": \"{batch}\"}},\n      \"formats\": [\"csv\", \"parquet\"]}}'\n"
    ));
    Ok(console::insert_job(db, "data_export", &params, USER).await?)
}

/// Says where the files lie.
pub(super) fn show(state: &JobState, seconds: f64, environment: &Environment) {
    files::show(state, seconds, environment, Bucket::Exports, "The analyses, one row a picture", "rows");
}

/// What came out otherwise than it should: a row for each of so many pictures in both files.
pub(super) fn surprises(state: &JobState, pictures: usize) -> Vec<String> {
    if state.status != "completed" {
        let why = state.error_message.as_deref().unwrap_or("no reason was given");
        return vec![format!("the export is {}: {why}", state.status)];
    }
    let files = files::of(state);
    let has_all = |file: &&Value| file.get("rows").and_then(Value::as_u64) == Some(pictures as u64);
    match files.iter().filter(has_all).count() {
        2 => Vec::new(),
        whole => vec![format!("{whole} files of the export have {pictures} rows instead of 2")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_that_lacks_a_row_or_a_file_is_a_surprise() {
        let state = |status: &str, files: Value| JobState {
            status: status.to_owned(),
            attempt: 1,
            progress: None,
            error_code: None,
            error_message: None,
            results: Some(json!({ "files": files })),
        };
        assert!(surprises(&state("completed", json!([{"rows": 9}, {"rows": 9}])), 9).is_empty());
        assert_eq!(surprises(&state("completed", json!([{"rows": 9}, {"rows": 8}])), 9).len(), 1);
        assert_eq!(surprises(&state("completed", json!([{"rows": 9}])), 9).len(), 1);
        assert_eq!(surprises(&state("failed", json!([])), 9).len(), 1);
    }
}
