//! Cross-validation: every picture is scored by learners that saw no picture of its group.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Lesson;
use super::selection::{Choice, Scored};
use crate::ensemble::{Ensemble, Fitting};
use crate::evaluation::figures::Judged;
use crate::evidence::Shown;
use crate::folds;
use crate::learners::forest::TREES;
use crate::sample::Options;

/// Up to this many pictures parts are trained side by side; beyond, one after the other, because each needs memory.
const SIDE_BY_SIDE: usize = 1500;

/// Scores of pictures by learners that did not know them.
pub(super) struct Crossing {
    /// In the order of the pictures that were asked for.
    pub scored: Vec<Scored>,
    pub folds: usize,
    /// Whether the tiles' evidence was learned, too.
    pub tiles: bool,
}

/// What is crossed.
pub(super) struct Trial<'a> {
    /// Which pictures.
    pub pictures: &'a [usize],
    /// The group of each of them.
    pub groups: Vec<usize>,
    /// Which numbers of a picture are used.
    pub range: Range<usize>,
    /// Whether the tiles' evidence is learned, too.
    pub tiles: bool,
}

impl Crossing {
    /// Trains and scores part by part, with whole groups. After `stop` said yes the result is worth nothing.
    pub(super) fn run(
        lesson: &Lesson<'_>,
        trial: &Trial<'_>,
        options: &Options,
        stop: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Self {
        let Trial { pictures, groups, range, tiles } = trial;
        let classes: Vec<usize> = pictures.iter().map(|&i| lesson.classes[i]).collect();
        let class_count = lesson.labels.len();
        let folds = folds::possible(&classes, class_count, groups, options.folds).max(2);
        let fold_of = folds::assign(&classes, class_count, groups, folds, options.seed);
        let done = AtomicUsize::new(0);
        progress(0, folds);
        let score_part = |fold: usize| -> Vec<(usize, Scored)> {
            if stop() {
                return Vec::new();
            }
            let (unknown, known): (Vec<usize>, Vec<usize>) =
                (0..pictures.len()).partition(|&at| fold_of[at] == fold);
            let known: Vec<Shown<'_>> = known.into_iter().map(|at| lesson.pictures[pictures[at]]).collect();
            let fitting = Fitting {
                labels: &lesson.labels,
                range: range.clone(),
                trees: TREES,
                seed: options.seed.wrapping_add(fold as u64 + 1),
                tiles: *tiles,
                stop,
            };
            let ensemble = Ensemble::train(&known, &fitting);
            let scored = unknown.into_par_iter().map(|at| {
                let scores = ensemble.scores(lesson.pictures[pictures[at]].0, range.clone());
                (at, Scored { group: groups[at], class: classes[at], fold, scores })
            });
            let scored = scored.collect();
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, folds);
            scored
        };
        let mut scored: Vec<(usize, Scored)> = if pictures.len() <= SIDE_BY_SIDE {
            (0..folds).into_par_iter().flat_map_iter(score_part).collect()
        } else {
            (0..folds).flat_map(score_part).collect()
        };
        scored.sort_by_key(|(at, _)| *at);
        Self { scored: scored.into_iter().map(|(_, scored)| scored).collect(), folds, tiles: *tiles }
    }

    /// The choice that all scores make, or all but those of one part.
    pub(super) fn choice(&self, lesson: &Lesson<'_>, without: Option<usize>) -> Choice {
        let scored = self.scored.iter().filter(|s| Some(s.fold) != without);
        Choice::make(scored, lesson.labels.len(), self.tiles)
    }

    /// What the whole procedure says of every picture: choice and curves come from the other parts only.
    pub(super) fn judged(&self, lesson: &Lesson<'_>) -> Vec<Judged> {
        let choices: Vec<Choice> = (0..self.folds).map(|fold| self.choice(lesson, Some(fold))).collect();
        let judge = |s: &Scored| Judged {
            group: s.group,
            class: s.class,
            probabilities: choices[s.fold].probabilities(&s.scores),
        };
        self.scored.iter().map(judge).collect()
    }
}
