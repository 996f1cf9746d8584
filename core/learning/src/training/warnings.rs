//! What a reader must know before believing the figures.

use super::Lesson;
use crate::evaluation::figures::Figures;
use crate::evaluation::{Checks, Split};
use crate::groups::GroupSource;
use crate::sample::Options;

/// Random parts that do better than parts by group by more than this are a leak.
const LEAK: f64 = 0.05;
/// Fewer groups than this say little about the next one.
const FEW_GROUPS: usize = 10;
/// Fewer groups than this kept apart are no test of their own.
const FEW_HELD_OUT: usize = 3;
/// Fewer pictures of a label than this leave wide intervals.
const FEW_IMAGES: u32 = 30;
/// Labels of groups are known from the group in this share of the pictures, or more: the group tells the label.
const TELLING: f64 = 0.9;

/// Sentences, the gravest first.
pub(super) fn of(
    lesson: &Lesson<'_>,
    options: &Options,
    split: &Split,
    figures: &Figures,
    checks: &Checks,
) -> Vec<String> {
    let mut found = Vec::new();
    let percent = |share: f64| (share * 100.0).round();
    if figures.balanced_accuracy - 1.0 / (lesson.labels.len() as f64) < 0.05 {
        found.push("the model does hardly better than guessing; it should not be used".to_owned());
    }
    if let (Some(random), Some(grouped)) = (checks.random_folds_accuracy, checks.group_folds_accuracy)
        && random - grouped > LEAK
    {
        found.push(format!(
            "images of one group resemble each other: a test that mixes groups would show {} % instead of {} %; expect the lower figure on new groups",
            percent(random),
            percent(grouped)
        ));
    }
    if let (Some(tone), Some(grouped)) = (checks.tone_only_accuracy, checks.group_folds_accuracy)
        && tone >= grouped - 0.01
        && tone > 1.0 / lesson.labels.len() as f64 + 0.1
    {
        found.push(format!(
            "brightness and colour alone reach {} %, as much as everything together: the model may have learned the lighting or the day instead of the defect",
            percent(tone)
        ));
    }
    match lesson.groups.source {
        GroupSource::None => found.push(
            "no groups are known: if several images show the same part, the figures are too good; name the groups".to_owned(),
        ),
        GroupSource::Given => {}
        GroupSource::NamePrefixes | GroupSource::NameNumbers | GroupSource::CaptureTimes => {
            let from = match lesson.groups.source {
                GroupSource::CaptureTimes => "the times at which they were taken",
                _ => "the names of the files",
            };
            found.push(format!("which images belong together was guessed from {from}: if that is wrong, the figures are too good; name the groups to be sure"));
        }
    }
    if lesson.groups.source != GroupSource::None && split.groups < FEW_GROUPS {
        found.push(format!("there are only {} groups; a new one may differ from all of them", split.groups));
    }
    if (1..FEW_HELD_OUT).contains(&split.held_out_groups) {
        let groups = if split.held_out_groups == 1 { "group was" } else { "groups were" };
        found.push(format!(
            "only {} {groups} kept apart: the figures of the hold-out say little",
            split.held_out_groups
        ));
    }
    if lesson.groups.source == GroupSource::Given && telling_share(lesson) >= TELLING {
        found.push("nearly every group has a single label: what marks a group and what marks a label cannot be told apart".to_owned());
    }
    let small: Vec<String> = lesson
        .labels
        .iter()
        .enumerate()
        .map(|(class, label)| (label, lesson.classes.iter().filter(|&&c| c == class).count() as u32))
        .filter(|(_, count)| *count < FEW_IMAGES)
        .map(|(label, count)| format!("`{label}` has {count}"))
        .collect();
    if !small.is_empty() {
        found.push(format!("few images, so the figures are uncertain: {}", small.join(", ")));
    }
    if split.folds < options.folds {
        found.push(format!(
            "the cross-validation has {} parts instead of {}, because a label has no more groups",
            split.folds, options.folds
        ));
    }
    if options.test_fraction > 0.0 && split.held_out_pictures == 0 {
        found.push("nothing was kept apart: there are too few groups of a label".to_owned());
    }
    if checks.tone_only_accuracy.is_none() {
        found.push("the time limit left no time to look for leaks and shortcuts".to_owned());
    }
    found
}

/// The share of pictures whose label is the most frequent one of their group, among groups of several pictures.
fn telling_share(lesson: &Lesson<'_>) -> f64 {
    let mut counts = vec![vec![0u32; lesson.labels.len()]; lesson.groups.count];
    for (&group, &class) in lesson.groups.of.iter().zip(&lesson.classes) {
        counts[group][class] += 1;
    }
    let several = counts.iter().filter(|c| c.iter().sum::<u32>() > 1);
    let (most, all) = several.fold((0, 0), |(most, all), c| {
        (most + c.iter().max().copied().unwrap_or(0), all + c.iter().sum::<u32>())
    });
    if all == 0 { 0.0 } else { f64::from(most) / f64::from(all) }
}
