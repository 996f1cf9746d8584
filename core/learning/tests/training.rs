//! What a training promises, tried on drawn patches.
#![allow(clippy::unwrap_used)]

mod patches;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use forgeos_learning::{Model, Options, Phase, TrainError, Unwatched, Watch, train};
use patches::{Patch, samples};

fn options() -> Options {
    Options { folds: 4, test_fraction: 0.25, ..Options::default() }
}

#[test]
fn a_model_learns_scratches_and_says_so_of_unseen_patches() {
    let trained = train(&samples(16, 0), &options(), &Unwatched).unwrap();
    let evaluation = &trained.evaluation;
    assert!(evaluation.accuracy > 0.9, "{evaluation:#?}");
    assert_eq!(evaluation.labels, ["good", "defect"]);
    assert_eq!(evaluation.positive_label.as_deref(), Some("defect"));
    let restored = Model::from_bytes(&trained.model.to_bytes()).unwrap();
    assert!(restored == trained.model);
    let mut right = 0;
    for number in 0..20 {
        let patch = Patch::new(number + 1000, number % 2 == 1);
        let judgement = restored.judge(&patch.description());
        right += u32::from(judgement.label == patch.label());
        assert_eq!(judgement.region.is_some(), judgement.label == "defect");
    }
    assert!(right >= 18, "{right} of 20");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_one_thread_and_on_three() {
    let samples = samples(12, 0);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let trained = pool.install(|| train(&samples, &options(), &Unwatched)).unwrap();
        (trained.model.to_bytes(), trained.plots, serde_json::to_string(&trained.evaluation).unwrap())
    };
    let one = with(1);
    assert!(one == with(3));
    let other = train(&samples, &Options { seed: 1, ..options() }, &Unwatched).unwrap();
    assert!(one.0 != other.model.to_bytes());
}

#[test]
fn a_label_with_nine_images_is_refused_with_the_numbers() {
    let mut few = samples(10, 0);
    let spare = few.iter().position(|s| s.label == "defect").unwrap();
    few.remove(spare);
    let error = train(&few, &options(), &Unwatched).unwrap_err();
    assert_eq!(error.to_string(), "a class needs at least 10 images: `defect` has 9, `good` has 10");
}

#[test]
fn a_watch_that_says_stop_ends_the_training() {
    struct Impatient;
    impl Watch for Impatient {
        fn progress(&self, _: Phase, _: usize, _: usize) {}
        fn should_stop(&self) -> bool {
            true
        }
    }
    assert_eq!(train(&samples(10, 0), &options(), &Impatient).unwrap_err(), TrainError::Stopped);
}

#[test]
fn a_stop_in_the_middle_ends_the_training_too() {
    struct StopsAt(Phase, AtomicBool);
    impl Watch for StopsAt {
        fn progress(&self, phase: Phase, _: usize, _: usize) {
            self.1.fetch_or(phase == self.0, Ordering::Relaxed);
        }
        fn should_stop(&self) -> bool {
            self.1.load(Ordering::Relaxed)
        }
    }
    let samples = samples(12, 0);
    for phase in [Phase::Evaluating, Phase::Training, Phase::Checking] {
        let watch = StopsAt(phase, AtomicBool::new(false));
        assert_eq!(train(&samples, &options(), &watch).unwrap_err(), TrainError::Stopped, "{phase:?}");
    }
}

#[test]
fn every_phase_is_told_from_its_beginning_to_its_end() {
    #[derive(Default)]
    struct Listens(Mutex<Vec<(Phase, usize, usize)>>);
    impl Watch for Listens {
        fn progress(&self, phase: Phase, done: usize, total: usize) {
            self.0.lock().unwrap().push((phase, done, total));
        }
        fn should_stop(&self) -> bool {
            false
        }
    }
    let watch = Listens::default();
    train(&samples(12, 0), &options(), &watch).unwrap();
    let told = watch.0.into_inner().unwrap();
    for phase in [Phase::Evaluating, Phase::Training, Phase::Checking] {
        let of: Vec<_> = told.iter().filter(|t| t.0 == phase).collect();
        assert_eq!(of.first().map(|t| t.1), Some(0), "{phase:?}");
        assert!(of.iter().any(|t| t.1 == t.2), "{phase:?}: {of:?}");
    }
}

#[test]
fn a_time_limit_is_an_error_before_the_model_is_there_and_never_changes_it() {
    let samples = samples(12, 0);
    let none = Options { time_limit: Some(Duration::ZERO), ..options() };
    assert_eq!(train(&samples, &none, &Unwatched).unwrap_err(), TrainError::TimeLimit);
    let enough = Options { time_limit: Some(Duration::from_secs(3600)), ..options() };
    let trained = train(&samples, &enough, &Unwatched).unwrap();
    assert!(trained.model == train(&samples, &options(), &Unwatched).unwrap().model);
}

#[test]
fn plots_are_whole_and_hold_names_as_text() {
    let mut named = samples(12, 0);
    named.iter_mut().filter(|s| s.label == "defect").for_each(|s| s.label = "<b> & \"\u{1}".to_owned());
    let plots = train(&named, &options(), &Unwatched).unwrap().plots;
    let names: Vec<&str> = plots.iter().map(|plot| plot.name).collect();
    assert_eq!(names, ["roc_curve", "precision_recall_curve", "reliability"]);
    for plot in plots {
        let text = String::from_utf8(plot.bytes).unwrap();
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert!(text.contains("&lt;b&gt; &amp; &quot;") && !text.contains('\u{1}'), "{}", plot.name);
    }
}
