//! Follows a job to its end: a bar on a terminal, a line for each change elsewhere.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use forgeos_core::{
    JobId,
    db::{
        Db,
        console::{self, JobState},
    },
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{Failure, Outcome, jobs::no_such_job, output};

const PACE: Duration = Duration::from_millis(200);
/// A job that has not begun after this long is explained.
const PATIENCE: Duration = Duration::from_secs(3);

/// Follows a job and says how it ended; an error unless it completed. On stdout stands JSON only: the results, or with
/// `json` the whole state.
pub(super) async fn watch(db: &Db, id: JobId, json: bool) -> Outcome {
    let state = to_its_end(db, id).await?;
    if json {
        output::json(&serde_json::json!({ "id": id, "job": state }));
    } else {
        say(&state);
    }
    if state.status == "completed" { Ok(()) } else { Err(Failure::Said) }
}

async fn to_its_end(db: &Db, id: JobId) -> Result<JobState, Failure> {
    let bar = Bar::new();
    let begun = Instant::now();
    let mut explained = false;
    loop {
        let Some(state) = console::state(db, id).await? else {
            return Err(no_such_job(id));
        };
        if matches!(state.status.as_str(), "completed" | "failed" | "cancelled") {
            bar.clear();
            return Ok(state);
        }
        bar.show(&state);
        if !explained && state.status == "pending" && begun.elapsed() > PATIENCE {
            explained = true;
            for (_, detail) in console::explain(db, id).await? {
                bar.note(&format!("it waits: {detail}"));
            }
        }
        tokio::time::sleep(PACE).await;
    }
}

/// The end of a job: in words for people, its results for whoever reads stdout.
fn say(state: &JobState) {
    let why = state.error_message.as_deref().unwrap_or_default();
    match state.status.as_str() {
        "completed" => output::note("completed"),
        status => output::note(&format!(
            "{status}{}{}",
            state.error_code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default(),
            if why.is_empty() { String::new() } else { format!(": {why}") }
        )),
    }
    if let Some(results) = &state.results {
        output::json(results);
    }
}

/// Progress on stderr.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    said: std::sync::Mutex<String>,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(100);
            if let Ok(style) = ProgressStyle::with_template("  {bar:32} {msg}  {elapsed}") {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar, said: std::sync::Mutex::default() }
    }

    pub(crate) fn show(&self, state: &JobState) {
        let words = progress_words(state);
        match &self.bar {
            Some(bar) => {
                let percent = state.progress.as_ref().and_then(|p| p.get("percent")).and_then(Value::as_f64);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 100
                bar.set_position(percent.unwrap_or_default().clamp(0.0, 100.0) as u64);
                bar.set_message(words);
            }
            None => {
                let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if *said != words {
                    output::note(&format!("  {words}"));
                    *said = words;
                }
            }
        }
    }

    pub(crate) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => output::note(line),
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `running, analysing 3 of 7`.
fn progress_words(state: &JobState) -> String {
    let Some(progress) = state.progress.as_ref().filter(|_| state.status == "running") else {
        return state.status.clone();
    };
    let phase = progress.get("phase").and_then(Value::as_str).unwrap_or("working");
    let number = |key| progress.get(key).and_then(Value::as_u64);
    match (number("done"), number("total")) {
        (Some(done), Some(total)) if total > 0 => {
            format!("{}, {phase} {done} of {total}", state.status)
        }
        _ => format!("{}, {phase}", state.status),
    }
}
