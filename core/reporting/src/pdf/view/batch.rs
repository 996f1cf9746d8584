//! The statistics of several analyses as a template sees them: counts with their share and text, and points between 0
//! and 1 for the charts.

use crate::language::{date_short, index, integer, percent, share_covered, words};
use crate::model::{Language, Report};
use crate::statistics::{CQI_BINS, Spread, Statistics, Trend, TrendBy, TrendPoint, statistics};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};

pub(super) fn view(report: &Report) -> Value {
    let language = report.language;
    let words = words(language);
    let of = statistics(&report.analyses);
    let verdicts = [
        ("pass", of.verdicts.pass),
        ("watch", of.verdicts.watch),
        ("repair", of.verdicts.repair),
        ("uncertain", of.verdicts.uncertain),
    ];
    let severities = [
        ("low", of.severities.low),
        ("medium", of.severities.medium),
        ("high", of.severities.high),
        ("unknown", of.severities.unknown),
    ];
    let listed: u64 = of.defects_by_class.iter().map(|class| class.count).sum();
    json!({
        "subject": words.count("count.analyses", of.analyses),
        "sentence": sentence(&of, language),
        "figures": figures(&of, language),
        "verdicts": verdicts
            .iter()
            .map(|(key, count)| part(key, words.get(&format!("verdict.{key}.name")), *count, of.analyses, language))
            .collect::<Vec<_>>(),
        "severities": severities
            .iter()
            .map(|(key, count)| part(key, words.get(&format!("severity.{key}")), *count, of.analyses, language))
            .collect::<Vec<_>>(),
        "distribution": of
            .cqi_bins
            .iter()
            .enumerate()
            .map(|(bin, count)| {
                let label = index(language, bin as f64 / CQI_BINS as f64);
                json!({ "label": label, "count": count, "text": integer(language, *count) })
            })
            .collect::<Vec<_>>(),
        "classes": of
            .defects_by_class
            .iter()
            .filter(|class| class.count > 0)
            .map(|one| part(one.class, words.get(&format!("defect.{}.plural", one.class)), one.count, listed, language))
            .collect::<Vec<_>>(),
        "trend": trend(&of.trend, language),
        "worst": of.worst,
    })
}

fn part(key: &str, name: &str, count: u64, total: u64, language: Language) -> Value {
    let share = if total == 0 { 0.0 } else { count as f64 / total as f64 };
    json!({
        "key": key,
        "name": name,
        "count": count,
        "text": integer(language, count),
        "share": share,
        "share_text": percent(language, 100.0 * share, 0),
    })
}

fn sentence(of: &Statistics, language: Language) -> String {
    let words = words(language);
    let number = |count: u64| integer(language, count);
    if of.analyses == 0 {
        return words.get("label.no_analyses").to_owned();
    }
    if of.verdicts.pass == of.analyses {
        return words.get("verdict.combined.all_pass").to_owned();
    }
    let mut text = words.fill(
        "verdict.combined.sentence",
        &[
            ("repair", &number(of.verdicts.repair)),
            ("watch", &number(of.verdicts.watch)),
            ("pass", &number(of.verdicts.pass)),
            ("total", &number(of.analyses)),
        ],
    );
    if of.verdicts.uncertain > 0 {
        text.push(' ');
        text.push_str(&words.fill(
            "verdict.combined.uncertain",
            &[("uncertain", &number(of.verdicts.uncertain)), ("total", &number(of.analyses))],
        ));
    }
    text
}

/// The tiles above the charts.
fn figures(of: &Statistics, language: Language) -> Vec<Value> {
    let words = words(language);
    let tile = |name: String, value: Option<f64>, text: Option<String>| {
        json!({
            "name": name,
            "value": value,
            "text": text.unwrap_or_else(|| words.get("label.not_measured").to_owned()),
        })
    };
    let mean = |figure: &str, spread: Option<Spread>, text: &dyn Fn(f64) -> String| {
        let name = format!(
            "{}, {}",
            words.get(&format!("figure.{figure}.short")),
            words.get("label.mean").to_lowercase()
        );
        tile(name, spread.map(|s| s.mean), spread.map(|s| text(s.mean)))
    };
    vec![
        tile(
            words.get("label.pictures").to_owned(),
            Some(of.analyses as f64),
            Some(integer(language, of.analyses)),
        ),
        mean("cqi", of.cqi, &|v| index(language, v)),
        mean("coverage_percent", of.coverage_percent, &|v| share_covered(language, v)),
        tile(
            words.get("figure.defects_detected.name").to_owned(),
            Some(of.defects_detected as f64),
            Some(integer(language, of.defects_detected)),
        ),
    ]
}

/// Null where there are too few points for a line.
fn trend(trend: &Trend, language: Language) -> Value {
    let (Some(first), Some(last)) = (trend.points.first(), trend.points.last()) else { return Value::Null };
    if trend.points.len() < 3 {
        return Value::Null;
    }
    let words = words(language);
    let at = |point: &TrendPoint| match trend.by {
        TrendBy::Day => f64::from(point.first_day.to_epoch_days()),
        TrendBy::Order => point.first as f64,
    };
    let (from, to) = (at(first), at(last));
    let points: Vec<Value> = trend
        .points
        .iter()
        .map(|point| {
            let x = if to > from { (at(point) - from) / (to - from) } else { 0.5 };
            json!({ "x": x, "y": point.cqi.clamp(0.0, 1.0) })
        })
        .collect();
    let (title, labels) = match trend.by {
        TrendBy::Day => ("heading.trend", [day(language, first.first_day), day(language, last.last_day)]),
        TrendBy::Order => (
            "heading.trend_order",
            [first.first, last.last]
                .map(|place| format!("{} {}", words.get("axis.order"), integer(language, place as u64))),
        ),
    };
    json!({ "title": words.get(title), "points": points, "labels": labels })
}

fn day(language: Language, day: NaiveDate) -> String {
    date_short(language, DateTime::<Utc>::from_naive_utc_and_offset(day.and_time(NaiveTime::MIN), Utc))
}
