//! The demo's second job: one report about all pictures of the first.

use forgeos_core::{
    JobId,
    db::{
        Db,
        console::{self, JobState},
    },
    storage::{Bucket, Key},
};
use serde_json::{Value, json};

use super::{USER, shown_path};
use crate::{
    cli::output::{bold, text},
    environment::Environment,
};

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
    let files = files(state);
    text(&format!("  {} after {seconds:.1} s: {} files\n", state.status, files.len()));
    let mut folder_said = String::new();
    for file in files {
        let word = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| file.get(key).and_then(Value::as_u64);
        let Ok(key) = Key::parse(word("key")) else { continue };
        let url = environment.storage.url(Bucket::Reports, &key);
        let path = url::Url::parse(&url).ok().and_then(|url| url.to_file_path().ok());
        let shown = path.map_or(url, |path| shown_path(&path));
        let (folder, name) = shown.rsplit_once('/').unwrap_or(("", &shown));
        if folder_said != folder {
            text(&format!("  {}\n    {folder}/", bold("The report, to read and to calculate with")));
            folder.clone_into(&mut folder_said);
        }
        let pages = number("pages").map(|pages| format!("{pages} pages, ")).unwrap_or_default();
        let kilobytes = number("size_bytes").unwrap_or_default().div_ceil(1000);
        text(&format!("      {name:<17} {pages}{kilobytes} kB"));
    }
    text("");
}

/// What came out otherwise than it should.
pub(super) fn surprises(state: &JobState) -> Vec<String> {
    let mut surprises = Vec::new();
    if state.status != "completed" {
        let why = state.error_message.as_deref().unwrap_or("no reason was given");
        surprises.push(format!("the report is {}: {why}", state.status));
    } else if files(state).len() != 2 {
        surprises.push(format!("{} files of the report were written instead of 2", files(state).len()));
    }
    surprises
}

fn files(state: &JobState) -> &[Value] {
    let files = state.results.as_ref().and_then(|results| results.get("files"));
    files.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
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
