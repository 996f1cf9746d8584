//! What is the same for every report of a language: method, glossary, standards; and what was left out of this one.

use crate::language::{glossary, method, standards, words};
use crate::model::{Report, Template};
use crate::pdf::text::Settable;
use serde_json::{Value, json};

/// Method, limits, glossary and standards, for the template that shows them.
pub(super) fn view(report: &Report) -> Value {
    if report.template != Template::Detailed {
        return Value::Null;
    }
    let words = words(report.language);
    let limits: Vec<&str> =
        words.entries().filter(|(key, _)| key.starts_with("limit.")).map(|(_, text)| text).collect();
    json!({
        "method": method(report.language),
        "limits": limits,
        "glossary": glossary(report.language),
        "standards": standards(report.language),
    })
}

/// The analyses that are not in the report, and why.
pub(super) fn left_out(report: &Report, settable: &Settable<'_>) -> Value {
    let words = words(report.language);
    report
        .left_out
        .iter()
        .map(|one| {
            let reason = words.find(&one.reason_key()).unwrap_or_else(|| words.get("left_out.unknown"));
            json!({ "id": settable.text(&one.analysis_id), "reason": reason })
        })
        .collect()
}
