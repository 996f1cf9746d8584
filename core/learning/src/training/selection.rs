//! Which learners count how much, and how scores become probabilities: chosen on pictures that were not trained on.

use std::collections::{BTreeMap, BTreeSet};

use crate::ensemble::{MemberScores, RECIPES, Recipe, calibrated};
use crate::learners::calibration::Curve;

/// What the learners say of a picture that they did not know.
#[derive(Debug, Clone)]
pub(super) struct Scored {
    pub group: usize,
    pub class: usize,
    pub fold: usize,
    pub scores: MemberScores,
}

/// A choice, and what it was made of.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub recipe: Recipe,
    pub curves: Vec<Curve>,
}

impl Choice {
    /// The first recipe, unless another one's loss is lower by more than the standard error of the difference, taken
    /// over groups: differences smaller than that are luck, and luck does not repeat.
    /// `tiles` says whether the tiles' evidence was learned.
    pub(super) fn make<'a>(
        scored: impl Iterator<Item = &'a Scored>,
        class_count: usize,
        tiles: bool,
    ) -> Self {
        let scored: Vec<&Scored> = scored.collect();
        let tried: Vec<(Self, BTreeMap<usize, f64>)> = RECIPES
            .iter()
            .filter(|recipe| tiles || !recipe.needs_tiles())
            .map(|recipe| {
                let choice = Self { recipe: *recipe, curves: fit_curves(&scored, recipe, class_count) };
                let losses = choice.losses(&scored, class_count);
                (choice, losses)
            })
            .collect();
        let mut best = 0;
        for other in 1..tried.len() {
            if is_clearly_better(&tried[other].1, &tried[0].1)
                && tried[other].1.values().sum::<f64>() < tried[best].1.values().sum::<f64>()
            {
                best = other;
            }
        }
        tried.into_iter().nth(best).map_or(
            Self {
                recipe: RECIPES[0],
                curves: vec![Curve::PLAIN; if class_count == 2 { 1 } else { class_count }],
            },
            |(choice, _)| choice,
        )
    }

    /// Probabilities of the classes.
    pub(super) fn probabilities(&self, scores: &MemberScores) -> Vec<f64> {
        calibrated(&self.curves, &self.recipe.mixed(scores))
    }

    /// Logarithmic loss of every group, every class counting the same.
    fn losses(&self, scored: &[&Scored], class_count: usize) -> BTreeMap<usize, f64> {
        let mut counts = vec![0f64; class_count];
        scored.iter().for_each(|s| counts[s.class] += 1.0);
        let mut losses = BTreeMap::new();
        for one in scored {
            let p = self.probabilities(&one.scores)[one.class].max(1e-6);
            *losses.entry(one.group).or_default() += -p.ln() / counts[one.class];
        }
        losses
    }
}

fn is_clearly_better(losses: &BTreeMap<usize, f64>, than: &BTreeMap<usize, f64>) -> bool {
    let differences: Vec<f64> = losses.iter().map(|(group, loss)| loss - than[group]).collect();
    let count = differences.len() as f64;
    let sum: f64 = differences.iter().sum();
    let mean = sum / count.max(1.0);
    let variance = differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (count - 1.0).max(1.0);
    sum < -(variance * count).sqrt()
}

fn fit_curves(scored: &[&Scored], recipe: &Recipe, class_count: usize) -> Vec<Curve> {
    let mixed: Vec<Vec<f64>> = scored.iter().map(|s| recipe.mixed(&s.scores)).collect();
    // Pictures of a group are right or wrong together: neither each nor only one of them counts.
    let groups: BTreeSet<usize> = scored.iter().map(|s| s.group).collect();
    let trust = (groups.len().max(1) as f64 / scored.len().max(1) as f64).sqrt();
    let classes: Vec<usize> = if class_count == 2 { vec![1] } else { (0..class_count).collect() };
    let fit = |class: usize| {
        let points: Vec<(f64, bool)> =
            mixed.iter().zip(scored).map(|(m, s)| (m[class], s.class == class)).collect();
        Curve::fit(&points, trust)
    };
    classes.into_iter().map(fit).collect()
}
