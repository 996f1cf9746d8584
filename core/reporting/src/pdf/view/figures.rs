//! Figures of an analysis: as number, as text, and as share of a bar's length. What was not measured is null and says
//! so in words; it is never 0.

use crate::language::{index, integer, percent, share, share_covered, share_covered_in_column, words};
use crate::model::{Language, Metrics};
use crate::rules::capture_quality;
use serde_json::{Value, json};

/// What the profile `reference` measures in another way.
const OF_THE_PROFILE: [&str; 3] = ["cqi", "cvi", "coverage_percent"];

/// The indices that are drawn as bars.
pub(super) fn indices(metrics: &Metrics, language: Language) -> Vec<Value> {
    let share_of_one = |v: f64| index(language, v);
    let covered = |v: f64| share_covered(language, v);
    let in_column = |v: f64| share_covered_in_column(language, v);
    let mut indices = vec![
        figure("cqi", metrics.cqi, 1.0, [&share_of_one; 2], language),
        figure("cvi", metrics.cvi, 1.0, [&share_of_one; 2], language),
        figure("coverage_percent", metrics.coverage_percent, 100.0, [&covered, &in_column], language),
        figure("edge_coverage_ratio", metrics.edge_coverage_ratio, 1.0, [&share_of_one; 2], language),
        figure("confidence", metrics.confidence, 1.0, [&share_of_one; 2], language),
    ];
    if is_reference(metrics) {
        // Their usual meanings speak of the judged area; a note says what they are instead.
        for one in indices.iter_mut().filter(|one| OF_THE_PROFILE.iter().any(|key| one["key"] == *key)) {
            one["meaning"] = Value::Null;
        }
    }
    indices
}

/// Whether `cqi`, `cvi` and coverage are those of the platform's reference formulas.
pub(super) fn is_reference(metrics: &Metrics) -> bool {
    metrics.profile.as_deref() == Some("reference")
}

/// `text` writes it by itself, and in a column of others.
fn figure(
    key: &str,
    value: Option<f64>,
    full: f64,
    text: [&dyn Fn(f64) -> String; 2],
    language: Language,
) -> Value {
    let words = words(language);
    let value = value.filter(|v| v.is_finite());
    json!({
        "key": key,
        "name": words.get(&format!("figure.{key}.name")),
        "short": words.get(&format!("figure.{key}.short")),
        "meaning": words.get(&format!("figure.{key}.meaning")),
        "value": value,
        "share": value.map(|v| (v / full).clamp(0.0, 1.0)),
        "text": value.map_or_else(|| words.get("label.not_measured").to_owned(), text[0]),
        "in_column": value.map(text[1]),
    })
}

/// How well the photograph was taken. Bars show the value itself: a share of what is hidden is best when empty.
pub(super) fn capture(metrics: &Metrics, language: Language) -> Value {
    if metrics.capture.is_none() {
        return Value::Null;
    }
    let words = words(language);
    capture_quality(metrics)
        .into_iter()
        .map(|one| {
            let hides = one.key.ends_with("_percent");
            let text = match one.value {
                Some(value) if hides => share(language, value),
                Some(value) => index(language, value),
                None => words.get("label.not_measured").to_owned(),
            };
            json!({
                "key": one.key,
                "name": words.get(&format!("capture.{}.name", one.key)),
                "meaning": words.get(&format!("capture.{}.meaning", one.key)),
                "value": one.value,
                "share": one.value.map(|v| if hides { v / 100.0 } else { v }.clamp(0.0, 1.0)),
                "text": text,
                "level": one.level.as_str(),
                "level_name": words.of("capture_level", one.level.as_str()),
            })
        })
        .collect()
}

/// A count, or the words for none.
pub(super) fn count(value: Option<u64>, language: Language) -> Value {
    let text =
        value.map_or_else(|| words(language).get("label.not_measured").to_owned(), |v| integer(language, v));
    json!({ "value": value, "text": text })
}

/// What was chosen when the analysis was made, and what it ran on.
pub(super) fn settings(metrics: &Metrics, language: Language) -> Vec<Value> {
    let words = words(language);
    let mut rows = Vec::new();
    let mut row = |name: &str, text: Option<String>, note: Option<&str>| {
        if let Some(text) = text {
            rows.push(json!({ "name": words.get(name), "text": text, "note": note }));
        }
    };
    let known = |group: &str, word: &Option<String>| {
        word.as_deref().and_then(|word| words.find(&format!("{group}.{word}")).map(str::to_owned))
    };
    let note = |group: &str, word: &Option<String>| {
        word.as_deref().and_then(|word| words.find(&format!("{group}_meaning.{word}")))
    };
    row("label.profile", known("profile", &metrics.profile), note("profile", &metrics.profile));
    row(
        "label.sensitivity",
        known("sensitivity", &metrics.sensitivity),
        note("sensitivity", &metrics.sensitivity),
    );
    let size = metrics.width.zip(metrics.height).map(|(width, height)| {
        words.fill(
            "label.pixels",
            &[("width", &integer(language, width.into())), ("height", &integer(language, height.into()))],
        )
    });
    row("label.picture_size", size, None);
    let judged = metrics.roi_percent.filter(|v| v.is_finite()).map(|v| percent(language, v, 1));
    row("figure.roi_percent.name", judged, words.find("figure.roi_percent.meaning"));
    let time = metrics
        .processing_time_ms
        .map(|ms| words.fill("label.milliseconds", &[("count", &integer(language, ms))]));
    row("label.processing_time", time, None);
    rows
}
