//! The bytes of a picture, as a stranger hands them in: header, limits, decoding, judging, drawing.
//!
//! Fuzzed by `src/bin/image.rs`, and run over a fixed set by `cargo test -p forgeos-imaging`.

use forgeos_imaging::{Limits, Options, Profile, Sensitivity, decode, inspect, judge, overlay};

/// Small, so that what is tried is the format and not the size.
const MAX_PIXELS: u64 = 250_000;
/// Judging takes twenty times as long as decoding.
const JUDGED_PIXELS: u64 = 20_000;

/// Panics when a promise does not hold.
pub(crate) fn image(bytes: &[u8]) {
    let limits = Limits { max_pixels: MAX_PIXELS, max_decoded_bytes: 4_000_000, ..Limits::default() };
    // What is asked of the limits is asked of the full ones, too.
    let _ = inspect(bytes, &Limits::default());
    let header = inspect(bytes, &limits);
    let picture = decode(bytes, &limits);
    match (header, picture) {
        (Err(error), Err(_)) | (Ok(_), Err(error)) => one_line(&error.to_string()),
        (Err(error), Ok(_)) => panic!("decoded, though its header is refused: {error}"),
        (Ok(header), Ok(picture)) => {
            assert_eq!((header.width, header.height), (picture.width, picture.height));
            let pixels = u64::from(picture.width) * u64::from(picture.height);
            if pixels > JUDGED_PIXELS {
                return;
            }
            for profile in [Profile::Standard, Profile::Reference] {
                let judgement = judge(&picture, Options { sensitivity: Sensitivity::High, profile });
                assert!((0.0..=100.0).contains(&judgement.cvi) && judgement.cqi.is_finite(), "{judgement:?}");
                if profile == Profile::Standard {
                    assert!(overlay::render(&picture, &judgement).starts_with(&[0xFF, 0xD8]));
                }
            }
        }
    }
}

/// What a user reads is one line, without the words of a program.
fn one_line(words: &str) {
    assert!(words.len() < 400 && !words.contains(char::is_control), "{words:?}");
    for word in ["Some(", "None", "Error {", "panicked", "unwrap", "Err("] {
        assert!(!words.contains(word), "{words:?}");
    }
}
