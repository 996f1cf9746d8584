//! The rules that come along, each at its threshold and just below it; and what a broken file of rules is told.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use forgeos_reporting::{
    model::{Capture, Defect, Language, Metrics},
    rules::{Rules, RulesError},
};

fn sound() -> Metrics {
    Metrics {
        cvi: Some(0.95),
        cqi: Some(0.95),
        coverage_percent: Some(100.0),
        edge_coverage_ratio: Some(1.0),
        defects_detected: Some(0),
        severity: Some("low".into()),
        confidence: Some(0.9),
        profile: Some("standard".into()),
        width: Some(1000),
        height: Some(500),
        roi_percent: Some(80.0),
        defects: Some(Vec::new()),
        capture: Some(Capture {
            glare_percent: Some(0.0),
            clipped_percent: Some(0.0),
            sharpness: Some(1.0),
            lighting_evenness: Some(1.0),
        }),
        ..Metrics::default()
    }
}

fn with_defect(class: &str, area_percent: f64, width: u32) -> Metrics {
    let defect = Defect { class: class.into(), x: 0, y: 0, width, height: 5, area_percent, delta_e: 12.0 };
    Metrics {
        coverage_percent: Some(100.0 - area_percent),
        defects_detected: Some(1),
        defects: Some(vec![defect]),
        ..sound()
    }
}

fn area(class: &'static str) -> impl Fn(f64) -> Metrics {
    move |area| with_defect(class, area, 10)
}

fn capture(set: impl Fn(&mut Capture, f64)) -> impl Fn(f64) -> Metrics {
    move |value| {
        let mut metrics = sound();
        set(metrics.capture.as_mut().unwrap(), value);
        metrics
    }
}

fn figure(set: impl Fn(&mut Metrics, f64)) -> impl Fn(f64) -> Metrics {
    move |value| {
        let mut metrics = sound();
        set(&mut metrics, value);
        metrics
    }
}

fn ids(metrics: &Metrics) -> Vec<String> {
    Rules::builtin().recommend(metrics, Language::En).into_iter().map(|r| r.id).collect()
}

#[test]
fn every_rule_speaks_beyond_its_threshold_and_is_silent_before_it() {
    let mut seen = BTreeSet::new();
    let mut holds = |id: &'static str, make: &dyn Fn(f64) -> Metrics, fires: &[f64], silent: &[f64]| {
        seen.insert(id.to_owned());
        for value in fires {
            let ids = ids(&make(*value));
            assert!(ids.iter().any(|found| found == id), "`{id}` is silent at {value}: {ids:?}");
        }
        for value in silent {
            let ids = ids(&make(*value));
            assert!(ids.iter().all(|found| found != id), "`{id}` speaks at {value}: {ids:?}");
        }
    };
    holds("retake", &figure(|m, v| m.confidence = Some(v)), &[0.0, 0.499], &[0.5, f64::NAN]);
    holds("avoid-glare", &capture(|c, v| c.glare_percent = Some(v)), &[10.1], &[10.0]);
    holds("avoid-blur", &capture(|c, v| c.sharpness = Some(v)), &[0.29], &[0.3]);
    holds("correct-exposure", &capture(|c, v| c.clipped_percent = Some(v)), &[10.1], &[10.0]);
    holds("even-light", &capture(|c, v| c.lighting_evenness = Some(v)), &[0.39], &[0.4]);
    holds("fill-the-frame", &figure(|m, v| m.roi_percent = Some(v)), &[24.9], &[25.0]);
    holds("rust-repair", &area("rust"), &[3.01, 60.0], &[3.0, 0.0]);
    holds("rust-touch-up", &area("rust"), &[0.101, 3.0], &[0.1, 3.01]);
    holds("rust-watch", &area("rust"), &[0.001, 0.1], &[0.0, 0.101]);
    holds("prepare-whole-surface", &area("rust"), &[3.01], &[3.0]);
    holds("prepare-spots", &area("rust"), &[0.101, 3.0], &[0.1, 3.01]);
    holds("flaking-repair", &area("flake"), &[3.01], &[3.0]);
    holds("flaking-touch-up", &area("flake"), &[0.301, 3.0], &[0.3, 3.01]);
    holds("measure-adhesion", &area("flake"), &[0.301, 3.01], &[0.3]);
    let one_of = |class: &'static str| {
        move |count: f64| if count >= 1.0 { with_defect(class, 0.01, 10) } else { sound() }
    };
    holds("assess-blistering", &one_of("blister"), &[1.0], &[0.0]);
    let crack = |length: f64| with_defect("crack", 0.01, length as u32);
    holds("assess-long-cracks", &crack, &[101.0], &[100.0]);
    holds("assess-cracks", &crack, &[5.0, 100.0], &[101.0]);
    let uncovered = figure(|m, v| m.coverage_percent = Some(100.0 - v));
    holds("uncovered-complete", &uncovered, &[5.01], &[5.0]);
    holds("uncovered-check", &uncovered, &[0.51, 5.0], &[0.5, 5.01]);
    holds("measure-thickness", &uncovered, &[0.51, 5.01], &[0.5]);
    holds("edges", &figure(|m, v| m.edge_coverage_ratio = Some(v)), &[0.949], &[0.95]);
    holds("streaks", &one_of("streak"), &[1.0], &[0.0]);
    holds("beads", &one_of("bead"), &[1.0], &[0.0]);
    let severity = figure(|m, v| m.severity = Some(["low", "medium", "high"][v as usize].to_owned()));
    holds("agree-on-maintenance", &severity, &[2.0], &[0.0, 1.0]);
    assert_eq!(seen.len(), Rules::builtin().len(), "a rule that came along has no case here");
}

#[test]
fn a_sound_coating_and_an_empty_row_need_nothing() {
    assert_eq!(ids(&sound()), Vec::<String>::new());
    assert_eq!(ids(&Metrics::default()), Vec::<String>::new());
}

#[test]
fn a_weak_photograph_asks_for_another_one_and_for_nothing_else_on_the_coating() {
    let mut metrics = Metrics { severity: Some("high".into()), ..with_defect("rust", 20.0, 10) };
    metrics.confidence = Some(0.2);
    metrics.capture.as_mut().unwrap().glare_percent = Some(30.0);
    assert_eq!(ids(&metrics), ["retake", "avoid-glare"]);
}

#[test]
fn a_heavy_case_gets_six_the_urgent_first_and_none_twice() {
    let mut metrics = Metrics { severity: Some("high".into()), ..sound() };
    let classes = ["rust", "flake", "blister", "crack", "streak", "bead"];
    metrics.defects = Some(classes.iter().flat_map(|c| with_defect(c, 5.0, 300).defects.unwrap()).collect());
    metrics.defects_detected = Some(6);
    metrics.coverage_percent = Some(50.0);
    let all = Rules::builtin().recommend(&metrics, Language::No);
    assert_eq!(all.len(), 6);
    assert!(all.windows(2).all(|two| two[0].priority <= two[1].priority), "{all:?}");
    assert_eq!(all.iter().map(|r| &r.text).collect::<BTreeSet<_>>().len(), 6);
}

#[test]
fn figures_and_sources_are_in_the_language_of_the_report() {
    let first = |language| Rules::builtin().recommend(&with_defect("rust", 12.25, 10), language).remove(0);
    let (english, norwegian) = (first(Language::En), first(Language::No));
    assert!(english.text.contains("12.2%") && norwegian.text.contains("12,2\u{a0}%"), "{norwegian:?}");
    let source = norwegian.source.unwrap();
    assert_eq!((source.standard.as_str(), source.clause.as_deref()), ("ASTM D610", Some("Tabell 1")));
    assert!(source.threshold.unwrap().contains("rustgrad 4"));
    let practice = Rules::builtin().recommend(&with_defect("bead", 0.01, 4), Language::En).remove(0);
    assert_eq!(practice.source, None);
}

#[test]
fn no_text_keeps_a_placeholder_or_loses_one_in_the_other_language() {
    let braces = |text: &str| {
        text.split('{')
            .skip(1)
            .filter_map(|p| p.split_once('}'))
            .map(|p| p.0.to_owned())
            .collect::<BTreeSet<_>>()
    };
    let file: toml::Table = toml::from_str(include_str!("../assets/rules/recommendations.toml")).unwrap();
    for rule in file["rule"].as_array().unwrap() {
        let text = |language: &str| braces(rule["text"][language].as_str().unwrap());
        assert_eq!(text("en"), text("no"), "{}", rule["id"]);
    }
}

const GOOD: &str = r#"[[rule]]
id = "mine"
priority = "soon"
when.confidence = { under = 0.5 }
text = { en = "Look at {confidence}.", no = "Se på {confidence}." }
source = "practice"
"#;

#[test]
fn an_operator_may_bring_rules_of_his_own_or_none() {
    assert_eq!(Rules::from_toml(GOOD).unwrap().len(), 1);
    assert!(Rules::from_toml("").unwrap().is_empty());
}

#[test]
fn a_broken_rule_is_named_with_its_field_and_what_is_allowed() {
    for (from, to, expected) in [
        ("\"mine\"", "\"\"", "rule `number 1 in the file`, field `id`: must not be empty"),
        ("id = \"mine\"\n", "", "rule `number 1 in the file`, field `rule`: missing field `id`"),
        (
            "\"soon\"",
            "\"now\"",
            "field `priority`: unknown variant `now`, expected one of `urgent`, `soon`, `advice`",
        ),
        ("priority", "priorty", "rule `mine`, field `priorty`: unknown field"),
        (
            "confidence = {",
            "certainty = {",
            "field `when.certainty`: there is no such figure; allowed are `severity`",
        ),
        (
            "under = 0.5",
            "below = 0.5",
            "field `when.confidence.below`: unknown field `below`, expected one of `over`",
        ),
        ("under = 0.5", "under = \"a\"", "field `when.confidence.under`: invalid type: string \"a\""),
        ("under = 0.5", "", "field `when.confidence`: takes one or two of `over`"),
        ("under = 0.5", "under = nan", "field `when.confidence`: takes one or two of `over`"),
        ("under = 0.5", "under = 0.5, over = 0.5", "field `when.confidence`: no number lies within"),
        ("under = 0.5", "is = [\"low\"]", "field `when.confidence`: takes one or two of"),
        (
            "confidence = { under = 0.5 }",
            "severity = { is = [\"severe\"] }",
            "field `when.severity`: takes `is` with words of low, medium, high",
        ),
        ("when.confidence = { under = 0.5 }", "when = {}", "field `when`: must hold at least one condition"),
        ("at {confidence}", "at {trust}", "field `text.en`: there is no figure `trust`; allowed are `cqi`"),
        (", no = \"Se på {confidence}.\"", "", "field `text`: missing field `no`"),
        ("\"practice\"", "\"ISO 4628\"", "field `source`: `ISO 4628` is neither `practice` nor a table"),
        (
            "\"practice\"",
            "{ clause = { en = \"5\", no = \"5\" } }",
            "field `source`: missing field `standard`",
        ),
        (
            "\"practice\"",
            "{ standard = \"x\", clause = \"5\" }",
            "field `source.clause`: invalid type: string \"5\", expected a text in `en` and one in `no`",
        ),
        (
            "{ under = 0.5 }",
            "0.5",
            "field `when.confidence`: invalid type: floating point `0.5`, expected a table with `over`",
        ),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        let error = Rules::from_toml(&text).expect_err(to);
        assert!(matches!(error, RulesError::Rule { .. }), "{to}: {error:?}");
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
    let twice = Rules::from_toml(&format!("{GOOD}{GOOD}")).unwrap_err().to_string();
    assert!(twice.contains("rule `mine`, field `id`: is the id of an earlier rule too"), "{twice}");
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let error = Rules::from_toml("[[rule]]\nid = ").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().contains("cannot be read") && cause.contains("line 2"), "{error}: {cause}");
}
