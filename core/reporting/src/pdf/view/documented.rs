//! What templates see is what `docs/report-templates.md` lists, key by key.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Extent, House, view};
use crate::model::Picture;
use crate::pdf::text::Settable;
use crate::pdf::{Setter, SetterOptions, trial};

const DOCS: &str = include_str!("../../../../../docs/report-templates.md");

/// The keys of a thing with the keys of what lies in them.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// Of a table of the page: the keys of its first column, and every word in code in their rows.
fn documented(section: &str) -> Keys {
    let text = DOCS.split_once(section).unwrap().1;
    let text = text.split_once("\n## ").map_or(text, |(here, _)| here);
    let text = text.split_once("\n### ").map_or(text, |(here, _)| here);
    let code =
        |text: &str| -> BTreeSet<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let first = row.split('|').nth(1).unwrap();
        code(first).into_iter().map(move |key| (key, code(row))).collect::<Vec<_>>()
    })
    .collect()
}

/// The keys of an object, and of the objects in its values or lists.
fn collect(value: &Value, into: &mut Keys) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let inner = into.entry(key.clone()).or_default();
        let first = value.as_array().map_or(Some(value), |list| list.first());
        inner.extend(first.and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.clone()));
    }
}

fn compared(section: &str, seen: &Keys) {
    let documented = documented(section);
    let names = |keys: &Keys| keys.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&documented), names(seen), "{section}");
    for (key, inner) in seen {
        let missing: Vec<_> = inner.difference(&documented[key]).collect();
        // Words and their keys stand in files of their own; analyses and statistics have tables of their own.
        let elsewhere = ["words", "analyses", "batch"].contains(&key.as_str());
        assert!(missing.is_empty() || elsewhere, "{section}, `{key}`: {missing:?} are not documented");
    }
}

#[test]
fn every_key_that_templates_see_is_documented_and_no_other() {
    let setter = Setter::new(SetterOptions::default()).unwrap();
    let house = House { settable: Settable::new(&setter.fonts), rules: &setter.rules, logo: true };
    let (mut report_keys, mut analysis_keys, mut batch_keys) = (Keys::new(), Keys::new(), Keys::new());
    for mut report in trial::reports() {
        let picture = Picture { bytes: [0].into(), extension: "jpg", url: None };
        report.analyses[0].photograph = Some(picture.clone());
        report.analyses[0].overlay = Some(picture);
        report.analyses[0].overlay_needs_key = true;
        for day in 0..3 {
            let mut another = report.analyses[0].clone();
            another.created_at = another.created_at.map(|at| at + chrono::Duration::days(day));
            report.analyses.push(another);
        }
        report.combined = true;
        let pages = vec![1; report.analyses.len()];
        for extent in [Extent::Whole, Extent::Frame { pages: &pages }] {
            let seen = view(&report, &house, &extent);
            collect(&seen, &mut report_keys);
            collect(&seen["analyses"][0], &mut analysis_keys);
            collect(&seen["batch"], &mut batch_keys);
        }
    }
    compared("## What a template sees", &report_keys);
    compared("### An analysis", &analysis_keys);
    compared("### The statistics", &batch_keys);
}
