//! The demo's pictures are what their truth says they are.

use std::sync::LazyLock;

use forgeos_samples::{Sample, demo_set, variant};

/// Drawn once for all tests of this file.
static SET: LazyLock<Vec<Sample>> = LazyLock::new(demo_set);

#[test]
fn every_picture_but_the_damaged_one_can_be_read_and_has_a_truth() {
    let samples = &*SET;
    assert!(samples.len() >= 8);
    for sample in samples {
        let read = image::load_from_memory(&sample.bytes);
        let decoded = read.as_ref().map(|picture| (picture.width(), picture.height())).ok();
        if sample.name == "damaged_file" {
            assert_eq!((sample.defects, sample.affected_percent), (None, None));
            continue;
        }
        let (width, height) = decoded.expect(sample.name);
        assert!(width.min(height) >= 1200, "{} is {width}x{height}", sample.name);
        let (defects, affected) =
            (sample.defects.expect(sample.name), sample.affected_percent.expect(sample.name));
        assert_eq!(defects == 0, affected == 0.0, "{}: {defects} defects on {affected} %", sample.name);
        assert!(affected < 30.0);
    }
}

#[test]
fn names_are_unique_and_extensions_match_the_content() {
    let samples = &*SET;
    for (index, sample) in samples.iter().enumerate() {
        assert!(samples[..index].iter().all(|other| other.name != sample.name), "{} twice", sample.name);
        let format = image::guess_format(&sample.bytes).expect(sample.name);
        assert!(format.extensions_str().contains(&sample.extension), "{}", sample.name);
    }
    for format in ["jpg", "png", "webp"] {
        assert!(samples.iter().any(|sample| sample.extension == format), "no {format}");
    }
}

#[test]
fn the_damaged_file_has_a_whole_header_and_no_end() {
    let samples = &*SET;
    let damaged = samples.iter().find(|sample| sample.name == "damaged_file").expect("it is in the set");
    assert!(damaged.bytes.starts_with(&[0xff, 0xd8]));
    assert!(!damaged.bytes.ends_with(&[0xff, 0xd9]));
}

#[test]
fn the_same_call_draws_the_same_bytes() {
    for (first, second) in SET.iter().zip(demo_set()) {
        assert_eq!(first.bytes, second.bytes, "{}", first.name);
    }
}

#[test]
fn variants_differ_by_their_seed_only() {
    assert_eq!(variant(7).bytes, variant(7).bytes);
    assert_ne!(variant(7).bytes, variant(8).bytes);
    let with_defects = (0..20).filter(|&seed| variant(seed).defects != Some(0)).count();
    assert!((5..20).contains(&with_defects), "{with_defects} of 20 have defects");
}
