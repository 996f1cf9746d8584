//! Looks for what makes figures too good: leaks between pictures of a group, and shortcuts.

use super::Lesson;
use super::crossing::Crossing;
use crate::ensemble::most_probable;
use crate::evaluation::Checks;
use crate::evaluation::figures::{Judged, balanced_accuracy};
use crate::features::{TONE_VALUES, VALUES};
use crate::groups::GroupSource;
use crate::sample::{Options, Phase, Watch};

/// Runs the checks that there is time for.
pub(super) fn run(
    lesson: &Lesson<'_>,
    development: &[usize],
    options: &Options,
    crossing: &Crossing,
    watch: &dyn Watch,
    stop: &(dyn Fn() -> bool + Sync),
) -> Checks {
    let grouped = lesson.groups.source != GroupSource::None && lesson.groups.count < lesson.classes.len();
    let mut checks = Checks {
        group_folds_accuracy: Some(balanced(&crossing.judged(lesson), lesson)),
        ..Checks::default()
    };
    let steps = if grouped { 2 } else { 1 };
    watch.progress(Phase::Checking, 0, steps);
    if grouped && !stop() {
        let alone: Vec<usize> = (0..development.len()).collect();
        let random =
            Crossing::run_by(lesson, development, &alone, options, 0..VALUES, false, stop, &|_, _| {});
        if !stop() {
            checks.random_folds_accuracy = Some(balanced(&random.judged(lesson), lesson));
        }
        watch.progress(Phase::Checking, 1, steps);
    }
    if !stop() {
        let tone = Crossing::run(lesson, development, options, 0..TONE_VALUES, false, stop, &|_, _| {});
        if !stop() {
            checks.tone_only_accuracy = Some(balanced(&tone.judged(lesson), lesson));
        }
        watch.progress(Phase::Checking, steps, steps);
    }
    checks
}

fn balanced(judged: &[Judged], lesson: &Lesson<'_>) -> f64 {
    let mut confusion = vec![vec![0u32; lesson.labels.len()]; lesson.labels.len()];
    for one in judged {
        confusion[one.class][most_probable(&one.probabilities)] += 1;
    }
    balanced_accuracy(&confusion)
}
