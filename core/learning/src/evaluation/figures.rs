//! Figures of a set of judged pictures.

use serde::Serialize;

use super::intervals::{bootstrap, wilson};
use super::ranking::{Ranking, average_precision};
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

impl Interval {
    /// The smallest interval that holds both.
    fn joined(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
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

/// Drawing from fewer groups than this, with replacement, shows next to nothing of how groups differ.
const FEWEST_DRAWN: usize = 5;

/// Precision, recall, F1.
type Triple = [f64; 3];

impl Figures {
    /// Takes the figures; `positive` is the class that precision and recall speak of.
    pub(crate) fn of(judged: &[Judged], labels: &[String], positive: Option<usize>, seed: u64) -> Self {
        let weights = vec![1.0; judged.len()];
        let confusion = confusion(judged, &weights, labels.len());
        let rankings: Vec<Ranking> =
            (0..labels.len()).map(|class| Ranking::of(&scored(judged, class))).collect();
        let per_label: Vec<LabelFigures> = (0..labels.len())
            .map(|class| {
                let [precision, recall, f1_score] = triple_of(&confusion, class);
                LabelFigures {
                    label: labels[class].clone(),
                    support: confusion[class].iter().sum::<f64>() as u32,
                    precision,
                    recall,
                    f1_score,
                    auc: rankings[class].area(&weights),
                    average_precision: average_precision(&scored(judged, class)),
                }
            })
            .collect();
        let auc = |weights: &[f64]| mean_over(labels.len(), positive, |class| rankings[class].area(weights));
        let [accuracy, precision_interval, recall_interval, f1_interval, auc_interval] =
            bootstrap(judged, seed, |weights| {
                let confusion = self::confusion(judged, weights, labels.len());
                let [precision, recall, f1_score] = triple(&confusion, positive).map(Some);
                [Some(accuracy_of(&confusion)), precision, recall, f1_score, auc(weights)]
            });
        let count = judged.len();
        let right = (0..labels.len()).map(|class| confusion[class][class]).sum::<f64>() as usize;
        let [precision, recall, f1_score] = triple(&confusion, positive);
        let most_frequent = per_label.iter().map(|label| label.support).max().unwrap_or(0);
        let mut groups: Vec<usize> = judged.iter().map(|j| j.group).collect();
        groups.sort_unstable();
        groups.dedup();
        // Shares of pictures have Wilson's interval as well; the rest has none where groups are too few to draw from.
        let drawn = |interval: Option<Interval>| interval.filter(|_| groups.len() >= FEWEST_DRAWN);
        let share = |interval: Option<Interval>, hits: f64, of: f64| {
            let wilson = wilson(hits as usize, of as usize);
            Some(drawn(interval).map_or(wilson, |drawn| drawn.joined(wilson)))
        };
        let (precision_interval, recall_interval) = match positive {
            Some(class) => {
                let hits = confusion[class][class];
                let given: f64 = confusion.iter().map(|row| row[class]).sum();
                let have: f64 = confusion[class].iter().sum();
                (share(precision_interval, hits, given), share(recall_interval, hits, have))
            }
            None => (drawn(precision_interval), drawn(recall_interval)),
        };
        Self {
            pictures: count,
            groups: groups.len(),
            accuracy: accuracy_of(&confusion),
            balanced_accuracy: balanced_accuracy(&confusion),
            baseline_accuracy: f64::from(most_frequent) / count.max(1) as f64,
            precision,
            recall,
            f1_score,
            auc: auc(&weights),
            average_precision: mean_over(labels.len(), positive, |class| per_label[class].average_precision),
            brier_score: brier(judged),
            calibration_error: calibration_error(judged),
            intervals: Intervals {
                method: "95 %, bootstrap by groups (1000 draws); shares of pictures joined with Wilson's",
                accuracy: share(accuracy, right as f64, count as f64),
                precision: precision_interval,
                recall: recall_interval,
                f1_score: drawn(f1_interval),
                auc: drawn(auc_interval),
            },
            confusion_matrix: confusion.iter().map(|row| row.iter().map(|&n| n as u32).collect()).collect(),
            per_label,
        }
    }
}

/// Rows are what pictures show, columns what they were given; pictures count as often as they were drawn.
type Confusion = Vec<Vec<f64>>;

fn accuracy_of(confusion: &Confusion) -> f64 {
    let right: f64 = confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
    right / confusion.iter().flatten().sum::<f64>().max(1.0)
}

fn scored(judged: &[Judged], class: usize) -> Vec<(f64, bool)> {
    judged.iter().map(|j| (j.probabilities[class], j.class == class)).collect()
}

fn confusion(judged: &[Judged], weights: &[f64], classes: usize) -> Confusion {
    let mut matrix = vec![vec![0.0; classes]; classes];
    for (one, weight) in judged.iter().zip(weights) {
        matrix[one.class][one.given()] += weight;
    }
    matrix
}

/// The mean over the labels of the share labelled right; labels without pictures do not count.
fn balanced_accuracy(confusion: &Confusion) -> f64 {
    let shares: Vec<f64> = confusion
        .iter()
        .enumerate()
        .map(|(class, row)| (row[class], row.iter().sum::<f64>()))
        .filter(|(_, all)| *all > 0.0)
        .map(|(right, all)| right / all)
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// As [`Figures::balanced_accuracy`], without the other figures.
pub(crate) fn balanced_accuracy_of(judged: &[Judged], classes: usize) -> f64 {
    balanced_accuracy(&confusion(judged, &vec![1.0; judged.len()], classes))
}

fn triple_of(confusion: &Confusion, class: usize) -> Triple {
    let hits = confusion[class][class];
    let given: f64 = confusion.iter().map(|row| row[class]).sum();
    let have: f64 = confusion[class].iter().sum();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    [ratio(hits, given), ratio(hits, have), ratio(2.0 * hits, given + have)]
}

fn triple(confusion: &Confusion, positive: Option<usize>) -> Triple {
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
