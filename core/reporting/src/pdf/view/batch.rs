//! The statistics of several analyses as a template sees them: counts with their share and text, and points between 0
//! and 1 for the charts.

use crate::language::{date_short, decimal, index, integer, percent, share_covered, words};
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
    let defects = Defects::of(report);
    json!({
        "subject": words.count("count.analyses", of.analyses),
        "left_out": (!report.left_out.is_empty()).then(|| words.count("count.left_out", report.left_out.len() as u64)),
        "sentence": sentence(&of, language),
        "figures": figures(&of, &defects, language),
        "verdicts": parts(&verdicts, |key| words.get(&format!("verdict.{key}.name")).to_owned(), language),
        "severities": parts(&severities, |key| words.get(&format!("severity.{key}")).to_owned(), language),
        "distribution": of
            .cqi_bins
            .iter()
            .enumerate()
            .map(|(bin, count)| {
                let label = decimal(language, bin as f64 / CQI_BINS as f64, 1);
                json!({ "label": label, "count": count, "text": integer(language, *count) })
            })
            .collect::<Vec<_>>(),
        "classes": defects.classes(&of, language),
        "classes_note": defects.note(language),
        "trend": trend(&of.trend, language),
        "worst": of.worst,
        "worst_total": { "value": of.analyses - of.verdicts.pass, "text": integer(language, of.analyses - of.verdicts.pass) },
        "profile_note": profile_note(report),
    })
}

/// What is known of the defects of all analyses: those counted, and those listed one by one.
struct Defects {
    /// None when no analysis has a count.
    counted: Option<u64>,
    /// None when no analysis has a list.
    listed: Option<u64>,
}

impl Defects {
    fn of(report: &Report) -> Self {
        let sum = |counts: &mut dyn Iterator<Item = u64>| counts.reduce(u64::saturating_add);
        let metrics = || report.analyses.iter().map(|analysis| &analysis.metrics);
        Self {
            counted: sum(&mut metrics().filter_map(|metrics| metrics.defects_detected)),
            listed: sum(&mut metrics().filter_map(|m| m.defects.as_ref().map(|list| list.len() as u64))),
        }
    }

    /// The listed defects by class; classes without a name of their own are one.
    fn classes(&self, of: &Statistics, language: Language) -> Vec<Value> {
        let counts: Vec<_> = of
            .defects_by_class
            .iter()
            .map(|class| (class.class, class.count))
            .chain([("other", of.defects_of_other_classes)])
            .filter(|(_, count)| *count > 0)
            .collect();
        parts(&counts, |class| words(language).get(&format!("defect.{class}.plural")).to_owned(), language)
    }

    /// What must be said beside the classes, or in their place when there are none.
    fn note(&self, language: Language) -> Option<String> {
        let words = words(language);
        match (self.listed.unwrap_or(0), self.counted) {
            (0, None) if self.listed.is_none() => Some(words.get("label.not_measured").to_owned()),
            (0, None | Some(0)) => Some(words.get("label.no_defects").to_owned()),
            (0, Some(_)) => Some(words.get("label.no_lists_of_defects").to_owned()),
            (listed, Some(counted)) if listed < counted => Some(words.fill(
                "label.of_listed_defects",
                &[("listed", &integer(language, listed)), ("total", &integer(language, counted))],
            )),
            _ => None,
        }
    }
}

/// Each count with its name and its share of all of them.
fn parts(counts: &[(&str, u64)], name: impl Fn(&str) -> String, language: Language) -> Vec<Value> {
    let numbers: Vec<u64> = counts.iter().map(|(_, count)| *count).collect();
    let total = numbers.iter().sum::<u64>().max(1);
    let texts = whole_percents(&numbers, language);
    counts
        .iter()
        .zip(texts)
        .map(|((key, count), share_text)| {
            json!({
                "key": key,
                "name": name(key),
                "count": count,
                "text": integer(language, *count),
                "share": *count as f64 / total as f64,
                "share_text": share_text,
            })
        })
        .collect()
}

/// How many analyses are of the profile `reference`, since their figures are others.
fn profile_note(report: &Report) -> Option<String> {
    let language = report.language;
    let count =
        report.analyses.iter().filter(|analysis| super::figures::is_reference(&analysis.metrics)).count();
    let number = |count: usize| integer(language, count as u64);
    (count > 0).then(|| {
        words(language).fill(
            "label.of_reference_profile",
            &[("count", &number(count)), ("total", &number(report.analyses.len()))],
        )
    })
}

/// The share of each count in percent without decimals, rounded so that all of them add up to 100: what is left over
/// after rounding down goes to the largest remainders. What is there is never 0, and what is not all never 100.
fn whole_percents(counts: &[u64], language: Language) -> Vec<String> {
    let total = u128::from(counts.iter().sum::<u64>().max(1));
    let hundredfold = |count: u64| u128::from(count) * 100;
    let mut whole: Vec<u128> = counts.iter().map(|count| hundredfold(*count) / total).collect();
    let mut places: Vec<usize> = (0..counts.len()).collect();
    // Among equal ones to the largest count, where it is seen least.
    places.sort_by_key(|place| std::cmp::Reverse((hundredfold(counts[*place]) % total, counts[*place])));
    let left_over = counts.iter().map(|count| hundredfold(*count) % total).sum::<u128>() / total;
    for place in places.into_iter().take(left_over as usize) {
        whole[place] += 1;
    }
    let text = |percents: u128| percent(language, percents as f64, 0);
    counts
        .iter()
        .zip(whole)
        .map(|(count, whole)| match whole {
            0 if *count > 0 => format!("<\u{a0}{}", text(1)),
            100 if u128::from(*count) < total => format!(">\u{a0}{}", text(99)),
            whole => text(whole),
        })
        .collect()
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
    let parts: Vec<String> = [
        ("verdict.combined.repair", of.verdicts.repair),
        ("verdict.combined.watch", of.verdicts.watch),
        ("verdict.combined.pass", of.verdicts.pass),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(key, count)| words.fill(key, &[("count", &number(count))]))
    .collect();
    let total = number(of.analyses);
    let mut sentences = Vec::new();
    if !parts.is_empty() {
        let parts = parts.join(", ");
        sentences.push(words.fill("verdict.combined.sentence", &[("parts", &parts), ("total", &total)]));
    }
    if of.verdicts.uncertain > 0 {
        sentences.push(words.fill(
            "verdict.combined.uncertain",
            &[("uncertain", &number(of.verdicts.uncertain)), ("total", &total)],
        ));
    }
    sentences.join(" ")
}

/// The tiles above the charts.
fn figures(of: &Statistics, defects: &Defects, language: Language) -> Vec<Value> {
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
            defects.counted.map(|count| count as f64),
            defects.counted.map(|count| integer(language, count)),
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
        TrendBy::Day => point.first_day.map_or(0.0, |day| f64::from(day.to_epoch_days())),
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
        TrendBy::Day => (
            "heading.trend",
            [first.first_day, last.last_day].map(|at| at.map_or_else(String::new, |at| day(language, at))),
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_a_hundred() {
        for (counts, texts) in [
            (&[2, 3, 3][..], &["25%", "38%", "37%"][..]),
            (&[1, 1, 1], &["34%", "33%", "33%"]),
            (&[1, 1, 1, 5], &["13%", "12%", "12%", "63%"]),
            (&[8, 0, 0], &["100%", "0%", "0%"]),
            (&[1, 299], &["<\u{a0}1%", ">\u{a0}99%"]),
            (&[1, 1, 298], &["<\u{a0}1%", "<\u{a0}1%", ">\u{a0}99%"]),
            (&[0, 0], &["0%", "0%"]),
            (&[], &[]),
        ] {
            assert_eq!(whole_percents(counts, Language::En), texts, "{counts:?}");
        }
    }
}
