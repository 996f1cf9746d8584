//! Figures of a set of judged pictures.

use serde::Serialize;

use super::intervals::{bootstrap, wilson};
use super::ranking::{area_under_curve, average_precision};
use crate::ensemble::most_probable;

/// Bins of the calibration error.
const BINS: usize = 10;

/// A picture, what it shows, and what a model that did not know it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub group: usize,
    pub class: usize,
    pub probabilities: Vec<f64>,
}

impl Judged {
    fn given(&self) -> usize {
        most_probable(&self.probabilities)
    }
}

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// 95 % intervals of the main figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// How they were made.
    pub method: &'static str,
    /// Of accuracy.
    pub accuracy: Option<Interval>,
    /// Of precision.
    pub precision: Option<Interval>,
    /// Of recall.
    pub recall: Option<Interval>,
    /// Of the F1 score.
    pub f1_score: Option<Interval>,
    /// Of the area under the receiver's curve.
    pub auc: Option<Interval>,
}

/// Figures of one label against all others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFigures {
    /// The word.
    pub label: String,
    /// Pictures that have it.
    pub support: u32,
    /// Of those given it, the share that have it; 0 when it was never given.
    pub precision: f64,
    /// Of those that have it, the share given it.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1_score: f64,
    /// Area under the receiver's curve.
    pub auc: Option<f64>,
    /// Area under the precision-recall curve, as average precision.
    pub average_precision: Option<f64>,
}

/// Figures of one test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Judged pictures.
    pub pictures: usize,
    /// Their groups.
    pub groups: usize,
    /// Share that was labelled right.
    pub accuracy: f64,
    /// Mean over the labels of the share labelled right.
    pub balanced_accuracy: f64,
    /// Accuracy of always giving the most frequent label of these pictures.
    pub baseline_accuracy: f64,
    /// As in [`super::Evaluation`].
    pub precision: f64,
    /// As in [`super::Evaluation`].
    pub recall: f64,
    /// As in [`super::Evaluation`].
    pub f1_score: f64,
    /// Area under the receiver's curve of the positive label, else the mean over the labels.
    pub auc: Option<f64>,
    /// Average precision of the positive label, else the mean over the labels.
    pub average_precision: Option<f64>,
    /// Mean squared distance of the probabilities from what was true (Brier 1950), summed over the labels and halved:
    /// 0 is perfect, 0.25 is a coin's word on two labels.
    pub brier_score: f64,
    /// Mean distance between the probability of the given label and the share that was right, over ten bins.
    pub calibration_error: f64,
    /// Rows are what pictures show, columns what they were given.
    pub confusion_matrix: Vec<Vec<u32>>,
    /// Every label.
    pub per_label: Vec<LabelFigures>,
    /// 95 % intervals.
    pub intervals: Intervals,
}

/// Precision, recall, F1.
type Triple = [f64; 3];

impl Figures {
    /// Takes the figures; `positive` is the class that precision and recall speak of.
    pub(crate) fn of(judged: &[Judged], labels: &[String], positive: Option<usize>, seed: u64) -> Self {
        let all: Vec<&Judged> = judged.iter().collect();
        let confusion = confusion(&all, labels.len());
        let per_label: Vec<LabelFigures> = (0..labels.len())
            .map(|class| {
                let [precision, recall, f1_score] = triple_of(&confusion, class);
                let scored = scored(&all, class);
                LabelFigures {
                    label: labels[class].clone(),
                    support: confusion[class].iter().sum(),
                    precision,
                    recall,
                    f1_score,
                    auc: area_under_curve(&scored),
                    average_precision: average_precision(&scored),
                }
            })
            .collect();
        let [precision, recall, f1_score] = triple(&confusion, positive);
        let right = (0..labels.len()).map(|c| confusion[c][c] as usize).sum::<usize>();
        let count = judged.len();
        let wilson = wilson(right, count);
        let drawn = bootstrap(judged, seed, |drawn| Some(accuracy_of(drawn)));
        let wider = |drawn: Option<Interval>| match drawn {
            Some(d) => Interval { low: d.low.min(wilson.low), high: d.high.max(wilson.high) },
            None => wilson,
        };
        let of_triple = |which: usize| {
            bootstrap(judged, seed, |drawn| {
                Some(triple(&self::confusion(drawn, labels.len()), positive)[which])
            })
        };
        let auc =
            |drawn: &[&Judged]| mean_over(labels.len(), positive, |c| area_under_curve(&scored(drawn, c)));
        let mut groups: Vec<usize> = judged.iter().map(|j| j.group).collect();
        groups.sort_unstable();
        groups.dedup();
        Self {
            pictures: count,
            groups: groups.len(),
            accuracy: share(right, count),
            balanced_accuracy: balanced_accuracy(&confusion),
            baseline_accuracy: share(
                confusion.iter().map(|row| row.iter().sum::<u32>() as usize).max().unwrap_or(0),
                count,
            ),
            precision,
            recall,
            f1_score,
            auc: auc(&all),
            average_precision: mean_over(labels.len(), positive, |c| per_label[c].average_precision),
            brier_score: brier(judged),
            calibration_error: calibration_error(judged),
            intervals: Intervals {
                method: "95 %, bootstrap by groups (1000 draws); accuracy joined with Wilson's",
                accuracy: Some(wider(drawn)),
                precision: of_triple(0),
                recall: of_triple(1),
                f1_score: of_triple(2),
                auc: bootstrap(judged, seed, auc),
            },
            confusion_matrix: confusion,
            per_label,
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn accuracy_of(judged: &[&Judged]) -> f64 {
    share(judged.iter().filter(|j| j.given() == j.class).count(), judged.len())
}

fn scored(judged: &[&Judged], class: usize) -> Vec<(f64, bool)> {
    judged.iter().map(|j| (j.probabilities[class], j.class == class)).collect()
}

fn confusion(judged: &[&Judged], classes: usize) -> Vec<Vec<u32>> {
    let mut matrix = vec![vec![0; classes]; classes];
    for one in judged {
        matrix[one.class][one.given()] += 1;
    }
    matrix
}

/// The mean over the labels of the share labelled right; labels without pictures do not count.
pub(crate) fn balanced_accuracy(confusion: &[Vec<u32>]) -> f64 {
    let shares: Vec<f64> = confusion
        .iter()
        .enumerate()
        .filter(|(_, row)| row.iter().any(|&n| n > 0))
        .map(|(class, row)| f64::from(row[class]) / f64::from(row.iter().sum::<u32>()))
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

fn triple_of(confusion: &[Vec<u32>], class: usize) -> Triple {
    let hits = f64::from(confusion[class][class]);
    let given: f64 = confusion.iter().map(|row| f64::from(row[class])).sum();
    let have: f64 = confusion[class].iter().map(|&n| f64::from(n)).sum();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    [ratio(hits, given), ratio(hits, have), ratio(2.0 * hits, given + have)]
}

fn triple(confusion: &[Vec<u32>], positive: Option<usize>) -> Triple {
    match positive {
        Some(class) => triple_of(confusion, class),
        None => std::array::from_fn(|i| {
            (0..confusion.len()).map(|c| triple_of(confusion, c)[i]).sum::<f64>()
                / confusion.len().max(1) as f64
        }),
    }
}

/// A figure of the positive label, or its mean over the labels that have one.
fn mean_over(classes: usize, positive: Option<usize>, of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    match positive {
        Some(class) => of(class),
        None => {
            let found: Vec<f64> = (0..classes).filter_map(of).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
        }
    }
}

fn brier(judged: &[Judged]) -> f64 {
    let distance = |one: &Judged| {
        let squares = one.probabilities.iter().enumerate().map(|(class, p)| {
            let truth = f64::from(u8::from(class == one.class));
            (p - truth) * (p - truth)
        });
        squares.sum::<f64>() / 2.0
    };
    judged.iter().map(distance).sum::<f64>() / judged.len().max(1) as f64
}

fn calibration_error(judged: &[Judged]) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for one in judged {
        let given = one.given();
        let p = one.probabilities[given];
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(given == one.class));
        bin.2 += 1.0;
    }
    bins.iter().map(|(p, right, _)| (p - right).abs()).sum::<f64>() / judged.len().max(1) as f64
}
