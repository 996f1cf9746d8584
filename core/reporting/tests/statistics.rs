//! Figures of many analyses: what counts, what does not, what is merged.

#![allow(clippy::unwrap_used)]

use forgeos_reporting::{
    model::{Analysis, Defect, Metrics},
    statistics::{MOST_TREND_POINTS, MOST_WORST, TrendBy, statistics},
};

fn analysis(day: &str, metrics: Metrics) -> Analysis {
    Analysis {
        id: "a".into(),
        job_id: None,
        created_at: format!("{day}T23:30:00Z").parse().ok(),
        filename: None,
        metrics,
        photograph: None,
        overlay: None,
        overlay_needs_key: false,
        lightness: None,
    }
}

fn with_cqi(cqi: f64, severity: &str) -> Metrics {
    Metrics { cqi: Some(cqi), severity: Some(severity.into()), ..Metrics::default() }
}

#[test]
fn nothing_gives_nothing() {
    let none = statistics(&[]);
    assert_eq!((none.analyses, none.cqi, none.defects_detected), (0, None, 0));
    assert!(none.trend.points.is_empty() && none.worst.is_empty());
}

#[test]
fn what_is_no_number_counts_nowhere() {
    let all: Vec<_> = [0.2, f64::NAN, f64::INFINITY, 0.4, 1.0]
        .map(|cqi| analysis("2026-11-20", with_cqi(cqi, "low")))
        .into_iter()
        .chain([analysis("2026-11-20", Metrics::default())])
        .collect();
    let seen = statistics(&all);
    let cqi = seen.cqi.unwrap();
    assert_eq!((cqi.count, cqi.median, cqi.lowest, cqi.highest), (3, 0.4, 0.2, 1.0));
    assert!((cqi.mean - 1.6 / 3.0).abs() < 1e-12);
    assert_eq!(seen.cqi_bins, [0, 0, 1, 0, 1, 0, 0, 0, 0, 1]);
    assert_eq!((seen.severities.low, seen.severities.unknown), (5, 1));
    assert_eq!((seen.verdicts.pass, seen.verdicts.uncertain), (5, 1));
    assert!(!serde_json::to_string(&seen).unwrap().contains("NaN"));
}

#[test]
fn an_even_number_of_values_has_its_median_between_and_huge_ones_stay_finite() {
    let of = |values: &[f64]| {
        let all: Vec<_> =
            values.iter().map(|value| analysis("2026-11-20", with_cqi(*value, "low"))).collect();
        statistics(&all).cqi.unwrap()
    };
    assert_eq!(of(&[0.5, 0.25]).median, 0.375);
    let huge = of(&[f64::MAX, f64::MAX]);
    assert!(huge.mean.is_finite() && huge.median.is_finite());
}

#[test]
fn one_day_is_shown_in_picture_order_and_several_by_day() {
    let day = |day, cqi| analysis(day, with_cqi(cqi, "low"));
    let one = statistics(&[day("2026-11-20", 0.5), day("2026-11-20", 0.7)]).trend;
    assert_eq!((one.by, one.points.len()), (TrendBy::Order, 2));
    let two = statistics(&[day("2026-11-21", 0.5), day("2026-11-20", 0.4), day("2026-11-21", 0.9)]).trend;
    assert_eq!((two.by, two.points.len()), (TrendBy::Day, 2));
    assert_eq!((two.points[0].cqi, two.points[0].first), (0.4, 2));
    assert!((two.points[1].cqi - 0.7).abs() < 1e-12 && two.points[1].count == 2);
}

#[test]
fn a_long_trend_is_merged_and_loses_no_value() {
    let all: Vec<_> = (0..1000).map(|_| analysis("2026-11-20", with_cqi(0.5, "low"))).collect();
    let points = statistics(&all).trend.points;
    assert!(points.len() <= MOST_TREND_POINTS);
    assert_eq!(points.iter().map(|point| point.count).sum::<u64>(), 1000);
    assert_eq!((points[0].first, points.last().unwrap().last), (1, 1000));
    assert!(points.iter().all(|point| (point.cqi - 0.5).abs() < 1e-12));
}

#[test]
fn repair_comes_before_watch_and_low_before_high_quality() {
    let day = |cqi, severity| analysis("2026-11-20", with_cqi(cqi, severity));
    let some =
        [day(0.1, "medium"), day(0.1, "low"), day(0.9, "high"), day(0.3, "high"), day(f64::NAN, "high")];
    assert_eq!(statistics(&some).worst, [3, 2, 4, 0]);
    let many: Vec<_> = (0..100).map(|_| day(0.2, "high")).collect();
    assert_eq!(statistics(&many).worst, (0..MOST_WORST).collect::<Vec<_>>());
}

#[test]
fn defects_are_counted_by_class_and_by_analysis() {
    let defect = |class: &str| Defect {
        class: class.into(),
        x: 0,
        y: 0,
        width: 1,
        height: 1,
        area_percent: 0.1,
        delta_e: 9.0,
    };
    let metrics = |classes: &[&str], all| Metrics {
        defects: Some(classes.iter().map(|class| defect(class)).collect()),
        defects_detected: Some(all),
        ..Metrics::default()
    };
    let seen = statistics(&[
        analysis("2026-11-20", metrics(&["rust", "rust", "bead", "mould"], 400)),
        analysis("2026-11-20", metrics(&["rust"], u64::MAX)),
    ]);
    let of = |class| {
        seen.defects_by_class.iter().find(|c| c.class == class).map(|c| (c.count, c.analyses)).unwrap()
    };
    assert_eq!((of("rust"), of("bead"), of("crack")), ((3, 2), (1, 1), (0, 0)));
    assert_eq!(seen.defects_detected, u64::MAX);
}

#[test]
fn analyses_without_a_date_are_in_no_trend_of_days() {
    let mut all: Vec<_> =
        ["2026-11-20", "2026-11-21", "2026-11-22"].map(|day| analysis(day, with_cqi(0.5, "low"))).into();
    all[1].created_at = None;
    let trend = statistics(&all).trend;
    assert_eq!((trend.by, trend.points.len()), (TrendBy::Day, 2));
    all.iter_mut().for_each(|analysis| analysis.created_at = None);
    let trend = statistics(&all).trend;
    assert_eq!((trend.by, trend.points.len()), (TrendBy::Order, 3));
}
