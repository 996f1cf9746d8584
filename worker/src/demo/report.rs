//! The demo's second job: one report about all pictures of the first.

use forgeos_core::{
    JobId,
    db::{
        Db,
        console::{self, JobState},
    },
    storage::Bucket,
};
use serde_json::json;

use super::{USER, files};
use crate::{cli::output::text, environment::Environment};

/// Asks for the report, as an API would.
pub(super) async fn ask_for(db: &Db, batch: JobId) -> anyhow::Result<JobId> {
    let params = json!({ "job_id": batch, "combined": true, "formats": ["pdf", "xlsx"] });
    text("  A report of that job is another row:\n");
    text(&format!(
        "    'report_generation', '{{\"job_id\": \"{batch}\",\n      \"combined\": true, \"formats\": [\"pdf\", \"xlsx\"]}}'\n"
    ));
    Ok(console::insert_job(db, "report_generation", &params, USER).await?)
}

/// Says where the files lie.
pub(super) fn show(state: &JobState, seconds: f64, environment: &Environment) {
    let title = "The report, to read and to calculate with";
    files::show(state, seconds, environment, Bucket::Reports, title, "pages");
}

/// What came out otherwise than it should.
pub(super) fn surprises(state: &JobState) -> Vec<String> {
    let mut surprises = Vec::new();
    if state.status != "completed" {
        let why = state.error_message.as_deref().unwrap_or("no reason was given");
        surprises.push(format!("the report is {}: {why}", state.status));
    } else if files::of(state).len() != 2 {
        surprises.push(format!("{} files of the report were written instead of 2", files::of(state).len()));
    }
    surprises
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_report_without_both_files_is_a_surprise() {
        let state = |status: &str, files: Value| JobState {
            status: status.to_owned(),
            attempt: 1,
            progress: None,
            error_code: None,
            error_message: None,
            results: Some(json!({ "files": files })),
        };
        assert!(surprises(&state("completed", json!([{}, {}]))).is_empty());
        assert_eq!(surprises(&state("completed", json!([{}]))).len(), 1);
        assert_eq!(surprises(&state("failed", json!([]))).len(), 1);
    }
}
