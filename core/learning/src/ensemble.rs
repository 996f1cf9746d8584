//! Several learners side by side on the same pictures, and how their scores are put together.

use std::ops::Range;

use crate::evidence::{Evidence, Shown};
use crate::features::Description;
use crate::learners::calibration::logistic;
use crate::learners::emphasis;
use crate::learners::forest::Forest;
use crate::learners::kernel_machine::{KernelMachine, MOST_ROWS};
use crate::learners::scaling::Scaling;

/// The learners.
pub(crate) const MEMBERS: usize = 3;

/// How much each learner counts: the kernel machine, the forest, the tiles' evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recipe {
    /// A word for reports.
    pub name: &'static str,
    pub shares: [f32; MEMBERS],
}

/// What is tried, the default first. Another one is taken only where it is clearly better. The last one is for pictures
/// with marked boxes: without them the tiles' evidence adds nothing to the others, and takes most of the time.
pub(crate) const RECIPES: [Recipe; 4] = [
    Recipe { name: "kernel machine and forest", shares: [0.5, 0.5, 0.0] },
    Recipe { name: "kernel machine", shares: [1.0, 0.0, 0.0] },
    Recipe { name: "forest", shares: [0.0, 1.0, 0.0] },
    Recipe { name: "kernel machine, forest and tiles", shares: [0.25, 0.25, 0.5] },
];

/// What every learner says of one picture: a score for every class.
pub(crate) type MemberScores = [Vec<f32>; MEMBERS];

/// Learners that were trained on the same pictures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ensemble {
    pub scaling: Scaling,
    pub kernel_machine: KernelMachine,
    pub forest: Forest,
    pub evidence: Evidence,
}

/// How an ensemble is trained.
#[derive(Clone)]
pub(crate) struct Fitting<'a> {
    /// The words of the classes.
    pub labels: &'a [String],
    /// Which numbers of a picture are used.
    pub range: Range<usize>,
    pub trees: usize,
    pub seed: u64,
    /// Whether the tiles' evidence is learned, too; it takes the most time.
    pub tiles: bool,
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl Ensemble {
    /// Trains on pictures and their classes. When `stop` says yes the result is worth nothing.
    pub(crate) fn train(pictures: &[Shown<'_>], fitting: &Fitting<'_>) -> Self {
        let values: Vec<&[f32]> = pictures.iter().map(|(d, _)| &d.values[fitting.range.clone()]).collect();
        let classes: Vec<usize> = pictures.iter().map(|(_, class)| *class).collect();
        let class_count = fitting.labels.len();
        let scaling = Scaling::of(&values);
        let rows = scaling.scale(&values);
        let (few_rows, few_classes) = match thinned(&classes, class_count, fitting.seed) {
            Some(kept) => (rows.picked(&kept), kept.iter().map(|&i| classes[i]).collect()),
            None => (rows.clone(), classes.clone()),
        };
        let emphasis = emphasis::of(&few_rows, &few_classes, class_count);
        let kernel_machine =
            KernelMachine::train(&few_rows, &few_classes, class_count, emphasis, fitting.stop);
        let forest = Forest::train(&rows, &classes, class_count, fitting.trees, fitting.seed, fitting.stop);
        let shown = if fitting.tiles { pictures } else { &[] };
        let evidence = Evidence::train(shown, fitting.labels, fitting.stop);
        Self { scaling, kernel_machine, forest, evidence }
    }

    /// What every learner says of a picture; `range` as it was in training.
    pub(crate) fn scores(&self, description: &Description, range: Range<usize>) -> MemberScores {
        let mut row = Vec::with_capacity(range.len());
        self.scaling.scale_into(&description.values[range], &mut row);
        let mut tiles: Vec<f32> =
            self.evidence.scores(description).iter().map(|&v| logistic(f64::from(v)) as f32).collect();
        let total = tiles.iter().sum::<f32>().max(1e-6);
        tiles.iter_mut().for_each(|v| *v /= total);
        [self.kernel_machine.scores(&row), self.forest.scores(&row), tiles]
    }
}

impl Recipe {
    /// Whether the tiles' evidence counts.
    pub(crate) fn needs_tiles(&self) -> bool {
        self.shares[MEMBERS - 1] > 0.0
    }

    /// One score for every class.
    pub(crate) fn mixed(&self, scores: &MemberScores) -> Vec<f64> {
        mix(&self.shares, scores)
    }
}

/// The weighted mean of the members' scores.
pub(crate) fn mix(shares: &[f32; MEMBERS], scores: &MemberScores) -> Vec<f64> {
    let mut out = vec![0f64; scores[0].len()];
    for (share, scores) in shares.iter().zip(scores) {
        for (out, &score) in out.iter_mut().zip(scores) {
            *out += f64::from(share * score);
        }
    }
    out
}

/// Probabilities of the classes from mixed scores: one curve for two classes (of the second), else one a class.
pub(crate) fn calibrated(curves: &[crate::learners::calibration::Curve], scores: &[f64]) -> Vec<f64> {
    if let ([curve], [_, second]) = (curves, scores) {
        let p = curve.apply(*second);
        return vec![1.0 - p, p];
    }
    let mut out: Vec<f64> = curves.iter().zip(scores).map(|(c, &s)| c.apply(s)).collect();
    let total = out.iter().sum::<f64>().max(1e-9);
    out.iter_mut().for_each(|p| *p /= total);
    out
}

/// The class with the highest probability; the first of equals.
pub(crate) fn most_probable(probabilities: &[f64]) -> usize {
    let mut best = 0;
    for (class, &p) in probabilities.iter().enumerate() {
        if p > probabilities[best] {
            best = class;
        }
    }
    best
}

/// Indices of rows for a learner that cannot take them all; the same share of every class, but small classes whole.
fn thinned(classes: &[usize], class_count: usize, seed: u64) -> Option<Vec<usize>> {
    if classes.len() <= MOST_ROWS {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(seed ^ 0x7468_696e);
    let share = MOST_ROWS / class_count;
    let mut kept: Vec<usize> = (0..class_count)
        .flat_map(|class| {
            let mut own: Vec<usize> = (0..classes.len()).filter(|&i| classes[i] == class).collect();
            random.shuffle(&mut own);
            own.truncate(share);
            own
        })
        .collect();
    kept.sort_unstable();
    Some(kept)
}
