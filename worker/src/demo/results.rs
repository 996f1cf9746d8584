//! What came out of the demo's job, as a table, and whether it is what should come out.

use forgeos_core::{
    db::console::{AnalysisLine, JobState},
    storage::{Bucket, Key},
};
use serde_json::Value;

use super::{Picture, shown_path};
use crate::{
    cli::output::{self, bold, short, text},
    environment::Environment,
};

/// One picture with its row of `analyses`.
pub(super) struct Judged {
    name: &'static str,
    description: &'static str,
    /// Whether it is a picture that can be judged.
    good: bool,
    pub(super) completed: bool,
    metrics: Option<Value>,
    output: Option<String>,
}

pub(super) fn judge(pictures: &[Picture], analyses: &[AnalysisLine]) -> Vec<Judged> {
    pictures
        .iter()
        .map(|picture| {
            let id = picture.id.to_string();
            let row = analyses.iter().find(|row| row.filename.contains(&id));
            Judged {
                name: picture.sample.name,
                description: picture.sample.description,
                good: picture.sample.defects.is_some(),
                completed: row.is_some_and(|row| row.status == "completed"),
                metrics: row.and_then(|row| row.metrics.clone()),
                output: row.and_then(|row| row.output_filename.clone()),
            }
        })
        .collect()
}

pub(super) fn show(judged: &[Judged]) {
    let rows: Vec<[String; 9]> = judged
        .iter()
        .map(|one| {
            let value = |key: &str| one.metrics.as_ref().and_then(|metrics| metrics.get(key));
            let number = |key: &str, digits: usize| {
                value(key).and_then(Value::as_f64).map_or_else(String::new, |n| format!("{n:.digits$}"))
            };
            let note = match value("error").and_then(|error| error.get("message")).and_then(Value::as_str) {
                Some(message) => message,
                None => one.description,
            };
            [
                String::new(),
                one.name.to_owned(),
                number("coverage_percent", 1),
                number("cqi", 2),
                number("cvi", 2),
                number("defects_detected", 0),
                value("severity")
                    .and_then(Value::as_str)
                    .unwrap_or(if one.completed { "" } else { "refused" })
                    .to_owned(),
                number("confidence", 2),
                short(note, 200),
            ]
        })
        .collect();
    output::table(
        ["", "PICTURE", ">COVERAGE %", ">CQI", ">CVI", ">DEFECTS", "SEVERITY", ">CONFIDENCE", "NOTE"],
        &rows,
    );
    text("");
}

pub(super) fn show_files(judged: &[Judged], environment: &Environment) {
    let mut folder_said = String::new();
    for one in judged {
        let Some(key) = one.output.as_deref().and_then(|output| Key::parse(output).ok()) else { continue };
        let url = environment.storage.url(Bucket::Outputs, &key);
        let path = url::Url::parse(&url).ok().and_then(|url| url.to_file_path().ok());
        let shown = path.map_or(url, |path| shown_path(&path));
        let (folder, file) = shown.rsplit_once('/').unwrap_or(("", &shown));
        if folder_said != folder {
            text(&format!("  {}\n    {folder}/", bold("The findings, drawn into the pictures")));
            folder.clone_into(&mut folder_said);
        }
        text(&format!("      {:<17} {file}", one.name));
    }
    text("");
}

/// What came out otherwise than it should.
pub(super) fn surprises(judged: &[Judged], state: &JobState) -> Vec<String> {
    let mut surprises = Vec::new();
    if state.status != "completed" {
        let why = state.error_message.as_deref().unwrap_or("no reason was given");
        surprises.push(format!("the job is {}: {why}", state.status));
    }
    for one in judged {
        match (one.good, one.completed) {
            (true, false) => surprises.push(format!("`{}` is a good picture but was refused", one.name)),
            (false, true) => surprises.push(format!("`{}` is damaged but was judged", one.name)),
            (true, true) if one.output.is_none() => {
                surprises.push(format!("`{}` has no picture with its findings", one.name));
            }
            _ => {}
        }
    }
    surprises
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(good: bool, completed: bool) -> Judged {
        Judged { name: "x", description: "", good, completed, metrics: None, output: Some(String::new()) }
    }

    #[test]
    fn a_refused_good_picture_and_a_judged_damaged_one_are_surprises() {
        let state = |status: &str| JobState {
            status: status.to_owned(),
            attempt: 1,
            progress: None,
            error_code: None,
            error_message: None,
            results: None,
        };
        assert!(surprises(&[one(true, true), one(false, false)], &state("completed")).is_empty());
        assert_eq!(surprises(&[one(true, false)], &state("completed")).len(), 1);
        assert_eq!(surprises(&[one(false, true)], &state("completed")).len(), 1);
        assert_eq!(surprises(&[one(true, true)], &state("failed")).len(), 1);
    }
}
