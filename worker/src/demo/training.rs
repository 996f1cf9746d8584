//! The demo's own model: trained on small drawn panels, then used on panels that it has not seen.

use anyhow::Context;
use forgeos_core::db::{
    Db,
    console::{self, AnalysisLine, JobState},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Picture, USER, put_pictures, to_its_end};
use crate::{
    cli::output::{self, bold, short, text},
    environment::Environment,
};

/// Panels of each kind to learn from.
const OF_EACH: u64 = 24;
/// Panels of each kind to try the model on.
const UNSEEN_OF_EACH: u64 = 3;
/// What they are called: without spots, with spots.
const LABELS: [&str; 2] = ["good", "defect"];

/// A panel, and what it shows.
struct Labelled {
    picture: Picture,
    label: &'static str,
}

/// Trains, shows how good the model is, and has a batch use it. Answers what came out otherwise than it should.
pub(super) async fn run(environment: &Environment) -> anyhow::Result<Vec<String>> {
    let db = &environment.handlers;
    let (lesson, unseen) =
        tokio::task::spawn_blocking(|| (panels(0, OF_EACH), panels(1_000, UNSEEN_OF_EACH)))
            .await
            .context("the panels could not be drawn")?;
    put_pictures(environment, lesson.iter().chain(&unseen).map(|one| &one.picture)).await?;
    let job = ask_for(db, &lesson).await?;
    let (state, seconds) = to_its_end(db, job).await?;
    show(&state, seconds, lesson.len());
    let Some(version) = result(&state, "model_version").and_then(Value::as_str) else {
        return Ok(surprises(&state, &[]));
    };

    text("  A batch that names the model labels what it has not seen:\n");
    text(&format!(
        "    'batch_analysis', '{{\"image_ids\": [\"{}\", … {} more],\n      \"options\": {{\"model_version\": \"{version}\"}}}}'\n",
        unseen[0].picture.id,
        unseen.len() - 1
    ));
    let ids: Vec<Uuid> = unseen.iter().map(|one| one.picture.id).collect();
    let params = json!({
        "image_ids": ids,
        "options": {"model_version": version, "include_visualization": false},
    });
    let batch = console::insert_job(db, "batch_analysis", &params, USER).await?;
    let (batch_state, seconds) = to_its_end(db, batch).await?;
    let verdicts = verdicts(&unseen, &console::analyses_of(db, batch).await?);
    show_verdicts(&verdicts, &batch_state, seconds);
    Ok(surprises(&state, &verdicts))
}

fn panels(first_seed: u64, of_each: u64) -> Vec<Labelled> {
    let one = |seed: u64, label: &'static str| {
        let sample = forgeos_samples::lesson(seed, label != LABELS[0]);
        let id = Uuid::new_v5(&USER.0, format!("lesson/{seed}/{label}").as_bytes());
        Labelled { picture: Picture { id, sample }, label }
    };
    (first_seed..first_seed + of_each).flat_map(|seed| LABELS.map(|label| one(seed, label))).collect()
}

async fn ask_for(db: &Db, lesson: &[Labelled]) -> anyhow::Result<forgeos_core::JobId> {
    let ids: Vec<Uuid> = lesson.iter().map(|one| one.picture.id).collect();
    let labels: Vec<&str> = lesson.iter().map(|one| one.label).collect();
    text(&format!(
        "  {} small panels, half of them with rusty spots, are labelled; a model that tells them apart is one more row:\n",
        lesson.len()
    ));
    text(&format!(
        "    'model_training', '{{\"data\": {{\"images\": [\"{}\", … {} more],\n      \"labels\": [\"good\", \"defect\", …]}}}}'\n",
        ids[0],
        ids.len() - 1
    ));
    let params = json!({"data": {"images": ids, "labels": labels}, "notes": "the demo's panels"});
    Ok(console::insert_job(db, "model_training", &params, USER).await?)
}

/// How good the model is, with what must be known before it is believed.
fn show(state: &JobState, seconds: f64, pictures: usize) {
    text(&format!("  {} after {seconds:.1} s: learned from {pictures} pictures", state.status));
    let Some(metrics) = result(state, "accuracy_metrics") else { return };
    let percent = |value: &Value| value.as_f64().map(|share| format!("{:.0} %", 100.0 * share));
    if let Some(accuracy) = percent(&metrics["accuracy"]) {
        let interval = &metrics["intervals"]["accuracy"];
        let within = match (percent(&interval["low"]), percent(&interval["high"])) {
            (Some(low), Some(high)) => format!(" (95 % interval {low} to {high})"),
            _ => String::new(),
        };
        let baseline = percent(&metrics["baseline_accuracy"]).unwrap_or_default();
        text(&format!(
            "    {} of panels it had not seen labelled right{within}; saying always the same: {baseline}",
            bold(&accuracy)
        ));
    }
    for warning in metrics["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text(&format!("    note: {}", short(warning, 160)));
    }
    text("");
}

/// What a batch said of a panel.
struct Verdict {
    drawn: &'static str,
    description: &'static str,
    metrics: Option<Value>,
}

impl Verdict {
    fn text(&self, key: &str) -> &str {
        self.metrics.as_ref().and_then(|metrics| metrics.get(key)).and_then(Value::as_str).unwrap_or("")
    }

    fn number(&self, key: &str) -> String {
        let number = self.metrics.as_ref().and_then(|metrics| metrics.get(key)).and_then(Value::as_f64);
        number.map_or_else(String::new, |number| format!("{number:.2}"))
    }
}

fn verdicts(unseen: &[Labelled], analyses: &[AnalysisLine]) -> Vec<Verdict> {
    unseen
        .iter()
        .map(|one| {
            let id = one.picture.id.to_string();
            let row = analyses.iter().find(|row| row.filename.contains(&id));
            Verdict {
                drawn: one.label,
                description: one.picture.sample.description,
                metrics: row.and_then(|row| row.metrics.clone()),
            }
        })
        .collect()
}

fn show_verdicts(verdicts: &[Verdict], state: &JobState, seconds: f64) {
    text(&format!("  {} after {seconds:.1} s", state.status));
    let rows: Vec<[String; 7]> = verdicts
        .iter()
        .map(|one| {
            [
                String::new(),
                one.drawn.to_owned(),
                one.text("label").to_owned(),
                one.number("probability"),
                one.text("severity").to_owned(),
                one.number("confidence"),
                one.description.to_owned(),
            ]
        })
        .collect();
    output::table(["", "DRAWN", "LABEL", ">PROBABILITY", "SEVERITY", ">CONFIDENCE", "NOTE"], &rows);
    text("");
}

/// What came out otherwise than it should: no model, or one that labels no better than a coin.
fn surprises(training: &JobState, verdicts: &[Verdict]) -> Vec<String> {
    if training.status != "completed" {
        let why = training.error_message.as_deref().unwrap_or("no reason was given");
        return vec![format!("the training is {}: {why}", training.status)];
    }
    let right = verdicts.iter().filter(|one| one.text("label") == one.drawn).count();
    if 2 * right <= verdicts.len() {
        return vec![format!("the model labelled {right} of {} unseen panels right", verdicts.len())];
    }
    Vec::new()
}

fn result<'a>(state: &'a JobState, key: &str) -> Option<&'a Value> {
    state.results.as_ref().and_then(|results| results.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: &str) -> JobState {
        JobState {
            status: status.to_owned(),
            attempt: 1,
            progress: None,
            error_code: None,
            error_message: None,
            results: None,
        }
    }

    fn verdict(drawn: &'static str, label: &str) -> Verdict {
        Verdict { drawn, description: "", metrics: Some(json!({"label": label})) }
    }

    #[test]
    fn a_model_that_does_no_better_than_a_coin_is_a_surprise() {
        let right = || vec![verdict("good", "good"), verdict("defect", "defect"), verdict("good", "defect")];
        assert!(surprises(&state("completed"), &right()).is_empty());
        assert_eq!(surprises(&state("failed"), &right()).len(), 1);
        let coin = [verdict("good", "good"), verdict("good", "defect")];
        assert_eq!(surprises(&state("completed"), &coin).len(), 1);
        assert_eq!(surprises(&state("completed"), &[]).len(), 1);
    }
}
