//! Looks for what makes figures too good: leaks between pictures of a group, and shortcuts.

use super::Lesson;
use super::crossing::{Crossing, Trial};
use crate::evaluation::Checks;
use crate::evaluation::figures::{Judged, balanced_accuracy_of};
use crate::features::TONE_VALUES;
use crate::groups::GroupSource;
use crate::sample::{Options, Phase, Watch};

/// Runs the checks that there is time for.
pub(super) fn run(
    lesson: &Lesson<'_>,
    trial: &Trial<'_>,
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
        // Every picture a group of its own.
        let alone = Trial {
            groups: (0..trial.pictures.len()).collect(),
            range: trial.range.clone(),
            tiles: false,
            ..*trial
        };
        let random = Crossing::run(lesson, &alone, options, stop, &|_, _| {});
        if !stop() {
            checks.random_folds_accuracy = Some(balanced(&random.judged(lesson), lesson));
        }
        watch.progress(Phase::Checking, 1, steps);
    }
    if !stop() {
        let tone = Trial { groups: trial.groups.clone(), range: 0..TONE_VALUES, tiles: false, ..*trial };
        let tone = Crossing::run(lesson, &tone, options, stop, &|_, _| {});
        if !stop() {
            checks.tone_only_accuracy = Some(balanced(&tone.judged(lesson), lesson));
        }
        watch.progress(Phase::Checking, steps, steps);
    }
    checks
}

fn balanced(judged: &[Judged], lesson: &Lesson<'_>) -> f64 {
    balanced_accuracy_of(judged, lesson.labels.len())
}
