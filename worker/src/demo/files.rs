//! The files that a job of the demo answered with: how many, and where they lie.

use forgeos_core::{
    db::console::JobState,
    storage::{Bucket, Key},
};
use serde_json::Value;

use super::shown_path;
use crate::{
    cli::output::{bold, text},
    environment::Environment,
};

/// `results.files` of a job.
pub(super) fn of(state: &JobState) -> &[Value] {
    let files = state.results.as_ref().and_then(|results| results.get("files"));
    files.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Says how the job ended, and below a title where its files lie. `counted` is what they have besides a size: `pages`,
/// `rows`.
pub(super) fn show(
    state: &JobState,
    seconds: f64,
    environment: &Environment,
    bucket: Bucket,
    title: &str,
    counted: &str,
) {
    let files = of(state);
    text(&format!("  {} after {seconds:.1} s: {} files\n", state.status, files.len()));
    let mut folder_said = String::new();
    for file in files {
        let word = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| file.get(key).and_then(Value::as_u64);
        let Ok(key) = Key::parse(word("key")) else { continue };
        let url = environment.storage.url(bucket, &key);
        let path = url::Url::parse(&url).ok().and_then(|url| url.to_file_path().ok());
        let shown = path.map_or(url, |path| shown_path(&path));
        let (folder, name) = shown.rsplit_once('/').unwrap_or(("", &shown));
        if folder_said != folder {
            text(&format!("  {}\n    {folder}/", bold(title)));
            folder.clone_into(&mut folder_said);
        }
        let count = number(counted).map(|count| format!("{count} {counted}, ")).unwrap_or_default();
        let kilobytes = number("size_bytes").unwrap_or_default().div_ceil(1000);
        text(&format!("      {name:<17} {count}{kilobytes} kB"));
    }
    text("");
}
