//! What is read from a file is never trusted.
#![allow(clippy::unwrap_used)]

mod patches;

use std::sync::LazyLock;

use forgeos_learning::{Model, ModelError, Options, Unwatched, train};
use patches::{Patch, samples};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let options = Options { folds: 2, test_fraction: 0.0, ..Options::default() };
    train(&samples(10, 0), &options, &Unwatched).unwrap().model.to_bytes()
});

/// The file with a checksum that fits what stands before it.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let content = bytes.len().saturating_sub(32);
    bytes.truncate(content);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

#[test]
fn a_file_is_small_and_reads_back_the_same() {
    let model = Model::from_bytes(&FILE).unwrap();
    assert!(FILE.len() < 200_000, "{} bytes", FILE.len());
    assert!(model.to_bytes() == *FILE);
    assert_eq!(model.labels(), ["good", "defect"]);
    assert_eq!(model.good_label(), Some("good"));
}

#[test]
fn other_files_other_versions_and_other_features_are_told_apart() {
    assert_eq!(Model::from_bytes(b"").unwrap_err(), ModelError::NotAModel);
    assert_eq!(Model::from_bytes(b"\x89PNG\r\n\x1a\n 0000").unwrap_err(), ModelError::NotAModel);
    let changed = |at: usize, to: u8| {
        let mut bytes = FILE.clone();
        bytes[at] = to;
        Model::from_bytes(&resealed(bytes)).unwrap_err()
    };
    assert!(matches!(changed(8, 77), ModelError::OtherFormat { found: 77, .. }));
    assert!(matches!(changed(10, 77), ModelError::OtherFeatures { found: 77, .. }));
    let too_large = vec![0; (64 << 20) + 1];
    assert!(matches!(Model::from_bytes(&too_large).unwrap_err(), ModelError::TooLarge { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_changed_byte_or_a_missing_end_is_damage(at in 12usize..100_000, change in 1u8.., cut in any::<bool>()) {
        let mut bytes = FILE.clone();
        let at = at % bytes.len();
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= change;
        }
        prop_assert!(Model::from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_forged_file_is_refused_or_judges_without_a_panic(
        changes in prop::collection::vec((16usize..200_000, any::<u8>()), 1..20),
        cut in prop::option::of(0usize..200_000),
    ) {
        let mut bytes = FILE.clone();
        for (at, to) in changes {
            let at = at % bytes.len();
            bytes[at] = to;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut % bytes.len());
        }
        if let Ok(model) = Model::from_bytes(&resealed(bytes)) {
            let judgement = model.judge(&Patch::new(5, true).description());
            prop_assert!((0.0..=1.0).contains(&judgement.probability), "{:?}", judgement);
        }
    }

    #[test]
    fn a_forged_header_is_refused(header in "\\PC{0,200}", length in any::<u32>()) {
        let mut bytes = FILE[..12].to_vec();
        let length = if length % 2 == 0 { header.len() as u32 } else { length };
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&[0; 32]);
        prop_assert!(Model::from_bytes(&resealed(bytes)).is_err());
    }
}

#[test]
fn counts_that_promise_more_than_the_file_holds_are_refused() {
    let header_length = u32::from_le_bytes([FILE[12], FILE[13], FILE[14], FILE[15]]) as usize;
    let header: serde_json::Value = serde_json::from_slice(&FILE[16..16 + header_length]).unwrap();
    for key in ["support", "trees", "nodes", "leaves", "values"] {
        for number in [0, 1_000_000_000_000_000_u64, u64::MAX] {
            let mut forged = header.clone();
            forged[key] = number.into();
            let forged = serde_json::to_vec(&forged).unwrap();
            let mut bytes = FILE[..12].to_vec();
            bytes.extend_from_slice(&(forged.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&forged);
            bytes.extend_from_slice(&FILE[16 + header_length..]);
            assert!(Model::from_bytes(&resealed(bytes)).is_err(), "{key} {number}");
        }
    }
}
