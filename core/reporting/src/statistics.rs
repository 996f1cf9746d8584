//! Figures of many analyses together, as PDF and XLSX show them. Values that are missing or no finite number count
//! nowhere; nothing is weighted, nothing extrapolated.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use crate::{
    model::Analysis,
    rules::{Class, Verdict, verdict},
};

/// Bins of [`Statistics::cqi_bins`], each a tenth wide.
pub const CQI_BINS: usize = 10;
/// Most points of a trend: more are merged, as a chart cannot show them apart.
pub const MOST_TREND_POINTS: usize = 60;
/// Most entries of [`Statistics::worst`].
pub const MOST_WORST: usize = 10;

/// Figures of many analyses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// How many analyses.
    pub analyses: u64,
    /// How many of each verdict.
    pub verdicts: Verdicts,
    /// How many of each severity.
    pub severities: Severities,
    /// Coating quality index, 0 to 1.
    pub cqi: Option<Spread>,
    /// Coating visual index, 0 to 1.
    pub cvi: Option<Spread>,
    /// Coverage in percent.
    pub coverage_percent: Option<Spread>,
    /// Confidence, 0 to 1.
    pub confidence: Option<Spread>,
    /// Analyses by `cqi`: bin `i` holds `i/10 <= cqi < (i+1)/10`, the last one 1 too; what lies outside 0 to 1 is in the
    /// bin at that end.
    pub cqi_bins: [u64; CQI_BINS],
    /// Defects counted in all analyses.
    pub defects_detected: u64,
    /// Listed defects of the known classes, in a fixed order; may be fewer than were counted.
    pub defects_by_class: Vec<ClassCount>,
    /// Listed defects of any other class.
    pub defects_of_other_classes: u64,
    /// How `cqi` went.
    pub trend: Trend,
    /// Places in the list of analyses that need attention first: repair before watch before uncertain, then the lowest
    /// `cqi`.
    pub worst: Vec<usize>,
}

/// Number of analyses by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// See [`Verdict::Pass`].
    pub pass: u64,
    /// See [`Verdict::Watch`].
    pub watch: u64,
    /// See [`Verdict::Repair`].
    pub repair: u64,
    /// See [`Verdict::Uncertain`].
    pub uncertain: u64,
}

/// Number of analyses by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Severities {
    /// `low`.
    pub low: u64,
    /// `medium`.
    pub medium: u64,
    /// `high`.
    pub high: u64,
    /// Missing, or another word.
    pub unknown: u64,
}

/// How values are spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many values there are; at least one.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// The middle value; the mean of the two middle ones when their number is even.
    pub median: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// Defects of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// `rust`, `crack`, `blister`, `flake`, `streak` or `bead`.
    pub class: &'static str,
    /// Listed defects.
    pub count: u64,
    /// Analyses that have at least one.
    pub analyses: u64,
}

/// How `cqi` went over time, or from picture to picture when all were analysed on one day. Analyses without a date are in
/// the second only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// Whether the points are days (UTC) or places in the order of the report.
    pub by: TrendBy,
    /// In order; points without any `cqi` are absent.
    pub points: Vec<TrendPoint>,
}

/// What a point of a trend stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrendBy {
    /// Days.
    Day,
    /// Places in the order of the report.
    Order,
}

/// One point: a day or a picture, or several that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrendPoint {
    /// First day, where one is known.
    pub first_day: Option<NaiveDate>,
    /// Last day, the same one when nothing was merged.
    pub last_day: Option<NaiveDate>,
    /// First place in the order of the report, from 1.
    pub first: usize,
    /// Last place in the order of the report.
    pub last: usize,
    /// How many values it is the mean of.
    pub count: u64,
    /// Mean `cqi`.
    pub cqi: f64,
}

/// Figures of these analyses.
#[must_use]
pub fn statistics(analyses: &[Analysis]) -> Statistics {
    let mut verdicts = Verdicts::default();
    let mut severities = Severities::default();
    for analysis in analyses {
        *match verdict(&analysis.metrics) {
            Verdict::Pass => &mut verdicts.pass,
            Verdict::Watch => &mut verdicts.watch,
            Verdict::Repair => &mut verdicts.repair,
            Verdict::Uncertain => &mut verdicts.uncertain,
        } += 1;
        *match analysis.metrics.severity.as_deref() {
            Some("low") => &mut severities.low,
            Some("medium") => &mut severities.medium,
            Some("high") => &mut severities.high,
            _ => &mut severities.unknown,
        } += 1;
    }
    let mut cqi_bins = [0; CQI_BINS];
    for cqi in analyses.iter().filter_map(cqi) {
        cqi_bins[((cqi * CQI_BINS as f64).max(0.0) as usize).min(CQI_BINS - 1)] += 1;
    }
    Statistics {
        analyses: analyses.len() as u64,
        verdicts,
        severities,
        cqi: spread(analyses, |a| a.metrics.cqi),
        cvi: spread(analyses, |a| a.metrics.cvi),
        coverage_percent: spread(analyses, |a| a.metrics.coverage_percent),
        confidence: spread(analyses, |a| a.metrics.confidence),
        cqi_bins,
        defects_detected: analyses
            .iter()
            .filter_map(|a| a.metrics.defects_detected)
            .fold(0, u64::saturating_add),
        defects_of_other_classes: analyses
            .iter()
            .flat_map(|a| a.metrics.defects.as_deref().unwrap_or_default())
            .filter(|defect| Class::ALL.into_iter().all(|class| class.as_str() != defect.class))
            .count() as u64,
        defects_by_class: Class::ALL.into_iter().map(|class| count_class(analyses, class)).collect(),
        trend: trend(analyses),
        worst: worst(analyses),
    }
}

fn cqi(analysis: &Analysis) -> Option<f64> {
    analysis.metrics.cqi.filter(|value| value.is_finite())
}

fn spread(analyses: &[Analysis], value: impl Fn(&Analysis) -> Option<f64>) -> Option<Spread> {
    let mut values: Vec<f64> = analyses.iter().filter_map(value).filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let (&lowest, &highest) = (values.first()?, values.last()?);
    let count = values.len();
    // Halved and divided before they are added, so that huge values stay finite.
    let median = values[(count - 1) / 2] / 2.0 + values[count / 2] / 2.0;
    let mean = values.iter().map(|value| value / count as f64).sum::<f64>().clamp(lowest, highest);
    Some(Spread { count: count as u64, mean, median, lowest, highest })
}

fn count_class(analyses: &[Analysis], class: Class) -> ClassCount {
    let counts = analyses
        .iter()
        .map(|a| class.among(a.metrics.defects.as_deref().unwrap_or_default()).count() as u64)
        .filter(|count| *count > 0);
    let (count, analyses) = counts.fold((0, 0), |(sum, with), count| (sum + count, with + 1));
    ClassCount { class: class.as_str(), count, analyses }
}

fn trend(analyses: &[Analysis]) -> Trend {
    let mut days: BTreeMap<NaiveDate, TrendPoint> = BTreeMap::new();
    let mut order = Vec::new();
    for (place, analysis) in analyses.iter().enumerate() {
        let Some(cqi) = cqi(analysis) else { continue };
        let (day, place) = (analysis.created_at.map(|at| at.date_naive()), place + 1);
        let point = TrendPoint { first_day: day, last_day: day, first: place, last: place, count: 1, cqi };
        if let Some(day) = day {
            days.entry(day).and_modify(|known| *known = merge(known, &point)).or_insert(point);
        }
        order.push(point);
    }
    let (by, points) =
        if days.len() > 1 { (TrendBy::Day, days.into_values().collect()) } else { (TrendBy::Order, order) };
    let merged = points.len().div_ceil(MOST_TREND_POINTS).max(1);
    let points = points
        .chunks(merged)
        .filter_map(|chunk| chunk.iter().copied().reduce(|a, b| merge(&a, &b)))
        .collect();
    Trend { by, points }
}

fn merge(a: &TrendPoint, b: &TrendPoint) -> TrendPoint {
    let count = a.count + b.count;
    let weight = |point: &TrendPoint| point.count as f64 / count as f64;
    TrendPoint {
        first_day: a.first_day.into_iter().chain(b.first_day).min(),
        last_day: a.last_day.into_iter().chain(b.last_day).max(),
        first: a.first.min(b.first),
        last: a.last.max(b.last),
        count,
        cqi: a.cqi * weight(a) + b.cqi * weight(b),
    }
}

fn worst(analyses: &[Analysis]) -> Vec<usize> {
    let mut list: Vec<_> = analyses
        .iter()
        .enumerate()
        .filter_map(|(place, analysis)| {
            let rank = match verdict(&analysis.metrics) {
                Verdict::Repair => 0,
                Verdict::Watch => 1,
                Verdict::Uncertain => 2,
                Verdict::Pass => return None,
            };
            Some((rank, cqi(analysis).unwrap_or(f64::INFINITY), place))
        })
        .collect();
    list.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    list.into_iter().take(MOST_WORST).map(|(_, _, place)| place).collect()
}
