//! What a training promises, tried on drawn patches.

mod patches;

use forgeos_learning::{Model, Options, TrainError, Unwatched, Watch, train};
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
        fn progress(&self, _: forgeos_learning::Phase, _: usize, _: usize) {}
        fn should_stop(&self) -> bool {
            true
        }
    }
    assert_eq!(train(&samples(10, 0), &options(), &Impatient).unwrap_err(), TrainError::Stopped);
}
