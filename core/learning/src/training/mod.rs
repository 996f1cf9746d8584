//! From labelled pictures to a model, with an account of how good it is.
//!
//! A part of the pictures is kept apart first, by whole groups. On the rest, models are trained and tried in a
//! cross-validation by groups; the scores of pictures that were not trained on choose how the learners are put together
//! and how scores become probabilities. The result is tried once on what was kept apart. The model that is handed out
//! is trained on all pictures in the way so chosen.
//!
//! The same samples, options and program give the same bytes, whatever the number of threads: it runs on the rayon pool
//! of its caller, and every random choice has a seed. It reads no file and knows no clock but its time limit.

mod checks;
mod crossing;
mod refusal;
mod selection;
mod warnings;

use std::time::Instant;

pub use refusal::{FEWEST_PER_LABEL, MOST_SAMPLES, TrainError};
pub(crate) use refusal::{MOST_LABEL_BYTES, MOST_LABELS};

use crate::ensemble::{Ensemble, Fitting};
use crate::evaluation::figures::{Figures, Judged};
use crate::evaluation::{Checks, Evaluation, Split};
use crate::evidence::Shown;
use crate::features::VALUES;
use crate::folds;
use crate::groups::Groups;
use crate::learners::forest::TREES;
use crate::model::Model;
use crate::plots::{self, Plot};
use crate::sample::{Options, Phase, Sample, Watch};
use crossing::{Crossing, Trial};
use selection::Choice;

/// A model and what is known of it.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// How good it is.
    pub evaluation: Evaluation,
    /// Drawings for a report.
    pub plots: Vec<Plot>,
}

/// The pictures of a training with everything that is known of them.
struct Lesson<'a> {
    pictures: Vec<Shown<'a>>,
    classes: Vec<usize>,
    labels: Vec<String>,
    good: Option<usize>,
    groups: Groups,
}

impl Lesson<'_> {
    /// The class that precision and recall speak of.
    fn positive(&self) -> Option<usize> {
        (self.labels.len() == 2 && self.good == Some(0)).then_some(1)
    }
}

/// Words for a picture without anything wrong, in the languages of the product and some neighbours.
const GOOD_WORDS: [&str; 20] = [
    "good",
    "ok",
    "okay",
    "pass",
    "passed",
    "clean",
    "normal",
    "fine",
    "intact",
    "accept",
    "accepted",
    "no_defect",
    "no defect",
    "defect-free",
    "free",
    "bra",
    "god",
    "godkjent",
    "feilfri",
    "gut",
];

/// Trains and evaluates.
///
/// # Errors
/// A [`TrainError`]: what the pictures lack, what is wrong with the options, or that training was stopped.
pub fn train(samples: &[Sample], options: &Options, watch: &dyn Watch) -> Result<Trained, TrainError> {
    refusal::check(samples, options)?;
    let begun = Instant::now();
    let late = || options.time_limit.is_some_and(|limit| begun.elapsed() >= limit);
    let stop = || watch.should_stop() || late();
    let ended = || if watch.should_stop() { TrainError::Stopped } else { TrainError::TimeLimit };
    let lesson = lesson_of(samples);
    refusal::check_groups(&lesson)?;

    // Boxes make the tiles' evidence worth its time in a test; the model that is handed out always has it, to show places.
    let marked = samples.iter().any(|sample| !sample.description.regions.is_empty());
    let kept_apart = keep_apart(&lesson, options);
    let (development, held_out): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|&i| !kept_apart[i]);
    let trial = Trial {
        pictures: &development,
        groups: development.iter().map(|&i| lesson.groups.of[i]).collect(),
        range: 0..VALUES,
        tiles: marked,
    };
    let crossing = Crossing::run(&lesson, &trial, options, &stop, &|done, total| {
        watch.progress(Phase::Evaluating, done, total);
    });
    if stop() {
        return Err(ended());
    }
    let choice = crossing.choice(&lesson, None);
    let fitting = Fitting {
        labels: &lesson.labels,
        range: 0..VALUES,
        trees: TREES,
        seed: options.seed,
        tiles: true,
        stop: &stop,
    };
    watch.progress(Phase::Training, 0, 2);
    let hold_out: Option<Vec<Judged>> = (!held_out.is_empty()).then(|| {
        let known: Vec<Shown<'_>> = development.iter().map(|&i| lesson.pictures[i]).collect();
        let tiles = choice.recipe.needs_tiles();
        let ensemble = Ensemble::train(&known, &Fitting { tiles, ..fitting.clone() });
        let judge = |&i: &usize| Judged {
            group: lesson.groups.of[i],
            class: lesson.classes[i],
            probabilities: choice.probabilities(&ensemble.scores(lesson.pictures[i].0, 0..VALUES)),
        };
        held_out.iter().map(judge).collect()
    });
    watch.progress(Phase::Training, 1, 2);
    let ensemble = Ensemble::train(&lesson.pictures, &fitting);
    if stop() {
        return Err(ended());
    }
    watch.progress(Phase::Training, 2, 2);
    let checks = checks::run(&lesson, &trial, options, &crossing, watch, &stop);
    if watch.should_stop() {
        return Err(TrainError::Stopped);
    }
    let judged = crossing.judged(&lesson);
    let evaluation =
        evaluation_of(&lesson, options, &crossing, &choice, &judged, hold_out.as_deref(), checks);
    let plots = plots::draw(&judged, &lesson.labels, lesson.positive());
    let usual_distance = usual_distance(&ensemble, &lesson);
    let model = Model {
        labels: lesson.labels,
        good: lesson.good,
        ensemble,
        shares: choice.recipe.shares,
        curves: choice.curves,
        usual_distance,
    };
    Ok(Trained { model, evaluation, plots })
}

fn lesson_of(samples: &[Sample]) -> Lesson<'_> {
    let mut labels: Vec<String> = samples.iter().map(|s| s.label.clone()).collect();
    labels.sort();
    labels.dedup();
    let is_good = |label: &String| GOOD_WORDS.contains(&label.to_lowercase().as_str());
    let mut good = None;
    if labels.iter().filter(|l| is_good(l)).count() == 1 {
        // What is good comes first, so that of two labels the second is what is looked for.
        labels.sort_by_key(|label| !is_good(label));
        good = Some(0);
    }
    let class = |s: &Sample| labels.iter().position(|l| *l == s.label).unwrap_or(0);
    let classes: Vec<usize> = samples.iter().map(class).collect();
    let pictures = samples.iter().zip(&classes).map(|(s, &class)| (&s.description, class)).collect();
    Lesson { pictures, classes, good, groups: Groups::find(samples), labels }
}

/// Which pictures are kept apart: one of as many parts as the fraction asks for, when that leaves enough of every label.
fn keep_apart(lesson: &Lesson<'_>, options: &Options) -> Vec<bool> {
    let nothing = vec![false; lesson.classes.len()];
    if options.test_fraction <= 0.0 {
        return nothing;
    }
    let parts = (1.0 / options.test_fraction).round().max(2.0) as usize;
    let class_count = lesson.labels.len();
    let part_of =
        folds::assign(&lesson.classes, class_count, &lesson.groups.of, parts, options.seed ^ 0x7465_7374);
    let enough = |part: usize| {
        let side = |inside: bool| -> (Vec<usize>, Vec<usize>) {
            let kept = (0..part_of.len()).filter(|&i| (part_of[i] == part) == inside);
            kept.map(|i| (lesson.classes[i], lesson.groups.of[i])).unzip()
        };
        let (inside, outside) = (side(true), side(false));
        (0..class_count).all(|class| {
            folds::groups_of(&inside.0, &inside.1, class) >= 1
                && folds::groups_of(&outside.0, &outside.1, class) >= 2
        })
    };
    match (0..parts).find(|&part| enough(part)) {
        Some(part) => part_of.iter().map(|&p| p == part).collect(),
        None => nothing,
    }
}

fn usual_distance(ensemble: &Ensemble, lesson: &Lesson<'_>) -> [f32; 2] {
    let mut distances: Vec<f32> =
        lesson.pictures.iter().map(|(d, _)| ensemble.scaling.distance(&d.values)).collect();
    distances.sort_by(f32::total_cmp);
    let at = |share: f32| distances[((distances.len() - 1) as f32 * share).round() as usize];
    [at(0.5), at(0.99)]
}

fn evaluation_of(
    lesson: &Lesson<'_>,
    options: &Options,
    crossing: &Crossing,
    choice: &Choice,
    judged: &[Judged],
    held_out: Option<&[Judged]>,
    checks: Checks,
) -> Evaluation {
    let labels = &lesson.labels;
    let figures = |judged: &[Judged]| Figures::of(judged, labels, lesson.positive(), options.seed);
    let crossed = figures(judged);
    let hold_out = held_out.map(figures);
    let support: Vec<u32> = crossed.per_label.iter().map(|label| label.support).collect();
    let split = Split {
        groups_from: lesson.groups.source,
        groups: lesson.groups.count,
        folds: crossing.folds,
        pictures: judged.len(),
        held_out_pictures: held_out.map_or(0, <[Judged]>::len),
        held_out_groups: hold_out.as_ref().map_or(0, |f| f.groups),
        seed: options.seed,
    };
    let warnings = warnings::of(lesson, options, &split, &crossed, &checks);
    Evaluation {
        accuracy: crossed.accuracy,
        precision: crossed.precision,
        recall: crossed.recall,
        f1_score: crossed.f1_score,
        confusion_matrix: crossed.confusion_matrix.clone(),
        positive_label: lesson.positive().map(|class| labels[class].clone()),
        labels: labels.clone(),
        support,
        baseline_accuracy: crossed.baseline_accuracy,
        intervals: crossed.intervals.clone(),
        cross_validation: crossed,
        hold_out,
        split,
        learners: choice.recipe.name.to_owned(),
        checks,
        warnings,
    }
}
