//! The account of a training: groups, leaks, shortcuts, refusals.
#![allow(clippy::unwrap_used)]

mod patches;

use forgeos_learning::groups::{GroupSource, Groups};
use forgeos_learning::{Options, Region, Sample, TrainError, Unwatched, describe_picture, train};
use patches::{Patch, SIDE, samples};

fn options() -> Options {
    Options { folds: 4, test_fraction: 0.25, ..Options::default() }
}

fn renamed(mut samples: Vec<Sample>, name: impl Fn(usize) -> String) -> Vec<Sample> {
    for (i, sample) in samples.iter_mut().enumerate() {
        sample.group = None;
        sample.name = name(i);
    }
    samples
}

#[test]
fn groups_are_read_from_names_then_times_then_numbers() {
    let uuid = |i: usize| format!("{i:08x}-52a1-4bcd-9e0f-aaaabbbbcccc.jpg");
    let prefixed = renamed(samples(12, 0), |i| format!("part{}_{}.jpg", (b'a' + (i / 4) as u8) as char, i));
    let groups = Groups::find(&prefixed);
    assert_eq!((groups.source, groups.count), (GroupSource::NamePrefixes, 6));
    assert_eq!(groups.of[..8], [0, 0, 0, 0, 1, 1, 1, 1]);

    let mut timed = renamed(samples(12, 0), uuid);
    timed.iter_mut().enumerate().for_each(|(i, s)| s.captured_at = Some((i / 4 * 3600 + i) as i64));
    let groups = Groups::find(&timed);
    assert_eq!((groups.source, groups.count), (GroupSource::CaptureTimes, 6));

    let numbered = renamed(samples(12, 0), |i| format!("exp_{}.jpg", i / 4 * 500 + i * 2));
    let groups = Groups::find(&numbered);
    assert_eq!((groups.source, groups.count), (GroupSource::NameNumbers, 6));

    let groups = Groups::find(&renamed(samples(12, 0), uuid));
    assert_eq!((groups.source, groups.count), (GroupSource::None, 24));
}

#[test]
fn names_that_are_labels_group_nothing() {
    let labelled =
        renamed(samples(12, 0), |i| format!("{}_{i}.jpg", if i % 2 == 1 { "defect" } else { "good" }));
    assert_eq!(Groups::find(&labelled).source, GroupSource::None);
}

#[test]
fn a_label_in_one_group_is_refused_by_name() {
    let mut alone = samples(12, 0);
    alone.iter_mut().filter(|s| s.label == "good").for_each(|s| s.group = Some("monday".to_owned()));
    let error = train(&alone, &options(), &Unwatched).unwrap_err();
    assert_eq!(error, TrainError::OneGroup { label: "good".to_owned() });
}

#[test]
fn options_out_of_range_are_refused() {
    for (folds, test_fraction) in [(1, 0.2), (21, 0.2), (5, 0.6), (5, -0.1), (5, f64::NAN)] {
        let wrong = Options { folds, test_fraction, ..Options::default() };
        assert!(matches!(train(&samples(10, 0), &wrong, &Unwatched), Err(TrainError::BadOption { .. })));
    }
}

/// Pictures whose label is their group's, which shows in the grain: known within a group, unknown of a new one.
fn leaking() -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(11);
    (0..48)
        .map(|i| {
            let group = i / 4;
            let mut own = fastrand::Rng::with_seed(group as u64 * 31 + 5);
            let (base, grain, stripe) = (own.u8(60..180), own.u8(2..60), own.usize(2..17));
            let rgb = (0..SIDE * SIDE)
                .flat_map(|p| {
                    let v =
                        base + random.u8(0..grain) + if (p % SIDE).is_multiple_of(stripe) { 15 } else { 0 };
                    [v, v, v]
                })
                .collect();
            let picture = forgeos_imaging::Picture::new(SIDE as u32, SIDE as u32, rgb).unwrap();
            Sample {
                description: describe_picture(&picture, &[]),
                label: if own.bool() ^ (group % 2 == 0) { "defect" } else { "good" }.to_owned(),
                group: Some(format!("run {group}")),
                name: format!("{i}.jpg"),
                captured_at: None,
            }
        })
        .collect()
}

#[test]
fn a_leak_between_groups_is_told_and_not_counted() {
    let trained = train(&leaking(), &options(), &Unwatched).unwrap();
    let checks = &trained.evaluation.checks;
    assert!(checks.random_folds_accuracy.unwrap() > 0.9, "{checks:?}");
    assert!(trained.evaluation.accuracy < 0.8, "{checks:?}");
    let warnings = &trained.evaluation.warnings;
    assert!(warnings.iter().any(|w| w.contains("resemble each other")), "{warnings:#?}");
    assert!(warnings.iter().any(|w| w.contains("single label")), "{warnings:#?}");
}

#[test]
fn a_label_that_is_the_lighting_is_told() {
    let mut lit = samples(16, 0);
    for (i, sample) in lit.iter_mut().enumerate() {
        let mut picture = Patch::new(i as u64, false).picture();
        if i % 2 == 1 {
            picture.rgb.iter_mut().for_each(|v| *v = v.saturating_add(80));
        }
        sample.description = describe_picture(&picture, &[]);
    }
    let trained = train(&lit, &options(), &Unwatched).unwrap();
    let warnings = &trained.evaluation.warnings;
    assert!(warnings.iter().any(|w| w.contains("brightness and colour alone")), "{warnings:#?}");
}

#[test]
fn what_was_kept_apart_shares_no_group_with_the_rest() {
    let trained = train(&samples(20, 0), &options(), &Unwatched).unwrap();
    let (split, evaluation) = (&trained.evaluation.split, &trained.evaluation);
    let hold_out = evaluation.hold_out.as_ref().unwrap();
    assert_eq!(split.held_out_pictures, hold_out.pictures);
    assert_eq!(split.pictures + split.held_out_pictures, 40);
    assert_eq!(evaluation.cross_validation.groups + hold_out.groups, split.groups);
    assert_eq!(evaluation.confusion_matrix.iter().flatten().sum::<u32>() as usize, split.pictures);
    let accuracy = evaluation.intervals.accuracy.unwrap();
    assert!(accuracy.low <= evaluation.accuracy && evaluation.accuracy <= accuracy.high);
    assert!(accuracy.low < 1.0, "no set of this size proves a model perfect");
}

#[test]
fn three_labels_are_told_apart() {
    let mut three = samples(12, 0);
    for i in 0..12 {
        let mut picture = Patch::new(500 + i, false).picture();
        for (p, v) in picture.rgb.iter_mut().enumerate() {
            *v = if p / 3 % 12 < 6 { v.saturating_sub(20) } else { *v };
        }
        three.push(Sample {
            description: describe_picture(&picture, &[]),
            label: "striped".to_owned(),
            group: Some(format!("part {}", i / 2)),
            name: format!("s{i}.jpg"),
            captured_at: None,
        });
    }
    let trained = train(&three, &options(), &Unwatched).unwrap();
    let evaluation = &trained.evaluation;
    assert_eq!(evaluation.labels, ["good", "defect", "striped"]);
    assert_eq!(evaluation.positive_label, None);
    assert_eq!(evaluation.confusion_matrix.len(), 3);
    assert!(evaluation.accuracy > 0.85, "{:?}", evaluation.confusion_matrix);
    let judgement = trained.model.judge(&three[30].description);
    assert_eq!(judgement.label, "striped");
    assert!((judgement.probabilities.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn marked_boxes_lead_the_judgement_to_the_place() {
    let marked: Vec<Sample> = samples(16, 0)
        .into_iter()
        .enumerate()
        .map(|(i, sample)| Sample { description: Patch::new(i as u64, i % 2 == 1).marked(), ..sample })
        .collect();
    let trained = train(&marked, &options(), &Unwatched).unwrap();
    let hits = (0..20).filter(|&number| {
        let patch = Patch::new(2000 + number, true);
        let region = trained.model.judge(&patch.description()).region;
        region.is_some_and(|r| {
            let (x, y) = (patch.at.0 as u32, patch.at.1 as u32);
            r.x < x + 31 && x < r.x + r.width && r.y < y + 10 && y < r.y + r.height
        })
    });
    let hits = hits.count();
    assert!(hits >= 17, "{hits} of 20");
}

#[test]
fn an_unheard_of_picture_is_new_and_a_usual_one_is_not() {
    let trained = train(&samples(20, 0), &options(), &Unwatched).unwrap();
    let usual = trained.model.judge(&Patch::new(900, false).description());
    assert!(usual.novelty < 0.5, "{usual:?}");
    let rgb =
        (0..SIDE * SIDE).flat_map(|p| if p / 7 % 2 == 0 { [250, 10, 10] } else { [10, 10, 250] }).collect();
    let picture = forgeos_imaging::Picture::new(SIDE as u32, SIDE as u32, rgb).unwrap();
    let strange = trained.model.judge(&describe_picture(&picture, &[]));
    assert!(strange.novelty > 0.99, "{strange:?}");
}

#[test]
fn boxes_beside_the_picture_or_without_numbers_are_passed_over() {
    let picture = Patch::new(1, true).picture();
    let region =
        |x: f64, y: f64, width: f64, height: f64| Region { x, y, width, height, label: "defect".to_owned() };
    let wrong = [
        region(500.0, 0.0, 10.0, 10.0),
        region(f64::NAN, 0.0, 10.0, 10.0),
        region(0.0, 0.0, f64::NAN, 10.0),
        region(0.0, 0.0, -5.0, 10.0),
        region(-50.0, 0.0, 50.0, 10.0),
    ];
    assert!(describe_picture(&picture, &wrong) == describe_picture(&picture, &[]));
    let whole = [region(f64::NEG_INFINITY, -1e300, f64::INFINITY, 1e308)];
    let _ = describe_picture(&picture, &whole);
    assert!(describe_picture(&picture, &[region(-1e9, -1e9, 2e9, 2e9)]) != describe_picture(&picture, &[]));
}

#[test]
fn pictures_of_any_shape_are_described() {
    for (width, height) in [(1, 1), (1, 900), (900, 1), (2, 2), (3, 3), (17, 5), (2000, 9)] {
        let rgb = (0..width * height * 3).map(|i| (i * 37 % 251) as u8).collect();
        let picture = forgeos_imaging::Picture::new(width, height, rgb).unwrap();
        let description = describe_picture(&picture, &[]);
        assert!(description.values().iter().all(|v| v.is_finite()), "{width}x{height}");
    }
}
