//! What is the same for every report of a language: method, glossary, standards; and what was left out of this one.

use std::collections::BTreeSet;

use super::analysis::file_name;
use crate::language::{NOT_MEASURED, Term, glossary, method, standards, words};
use crate::model::{Report, Template};
use crate::pdf::text::Settable;
use crate::rules::{Rules, grades};
use serde_json::{Value, json};

/// Method, limits, glossary and the standards that are referred to, for the template that shows them.
pub(super) fn view(report: &Report, rules: &Rules) -> Value {
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
        "standards": standards_of(report, rules),
    })
}

/// The standards by which something in the report is rated or recommended.
fn standards_of(report: &Report, rules: &Rules) -> Vec<Term> {
    // The severity's limits are from this one: the method says so.
    let mut used = BTreeSet::from(["ASTM D610".to_owned()]);
    for analysis in &report.analyses {
        let rated = grades(&analysis.metrics, report.language).into_iter().filter_map(|grade| grade.standard);
        used.extend(rated.map(str::to_owned));
        if report.include_recommendations {
            let sources = rules.recommend(&analysis.metrics, report.language).into_iter();
            for source in sources.filter_map(|one| one.source) {
                used.extend(source.standard.split(", ").map(str::to_owned));
            }
        }
    }
    let series = "ISO 4628-";
    if used.iter().any(|number| number.starts_with(series)) {
        used.insert(format!("{series}1"));
    }
    // A rule may name a standard without its parts.
    let is_used =
        |number: &str| used.iter().any(|one| number == one || number.starts_with(&format!("{one}-")));
    standards(report.language).into_iter().filter(|term| term.name.split(", ").any(is_used)).collect()
}

/// The analyses that are not in the report, and why.
pub(super) fn left_out(report: &Report, settable: &Settable<'_>) -> Value {
    let words = words(report.language);
    report
        .left_out
        .iter()
        .map(|one| {
            let reason = words.find(&one.reason_key()).unwrap_or_else(|| words.get("left_out.unknown"));
            let name = one
                .filename
                .as_deref()
                .map_or_else(|| NOT_MEASURED.to_owned(), |name| settable.text(file_name(name)));
            json!({ "id": settable.text(&one.analysis_id), "name": name, "reason": reason })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::trial;

    #[test]
    fn only_standards_that_the_report_refers_to_are_explained() {
        let names = |report: &Report| -> Vec<String> {
            standards_of(report, &Rules::builtin()).into_iter().map(|term| term.name).collect()
        };
        // Rust on 1 % of the area, coverage of 90 %.
        for mut report in trial::reports() {
            assert_eq!(names(&report), ["ASTM D610", "ISO 2808", "ISO 8501-2"]);
            report.include_recommendations = false;
            assert_eq!(names(&report), ["ASTM D610"]);
            for analysis in &mut report.analyses {
                for defect in analysis.metrics.defects.iter_mut().flatten() {
                    defect.class = "crack".to_owned();
                }
            }
            assert_eq!(names(&report), ["ASTM D610", "ISO 4628-1", "ISO 4628-4"]);
        }
    }
}
