//! Files that are cut off, broken, huge or of another kind are told apart from good ones, quickly and without panic.
#![allow(clippy::unwrap_used)]

#[path = "golden/drawings.rs"]
#[allow(dead_code)]
mod drawings;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use drawings::Dice;
use forgeos_imaging::{DecodeError, Limits, decode, inspect};

fn files() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn file(name: &str) -> Vec<u8> {
    files().into_iter().find(|(found, _)| found == name).unwrap().1
}

fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn a_file_cut_off_anywhere_is_never_half_a_picture() {
    for (name, bytes) in files() {
        let whole = decode(&bytes, &Limits::default()).unwrap();
        for length in (0..bytes.len()).step_by(7).chain(bytes.len().saturating_sub(20)..bytes.len()) {
            match decode(&bytes[..length], &Limits::default()) {
                // PNG and WebP may close with bytes that hold no pixels.
                Ok(picture) => assert!(picture == whole && !name.ends_with(".jpg"), "{name} cut at {length}"),
                Err(DecodeError::Damaged { .. }) => {}
                Err(error) => assert!(length < 12, "{name} cut at {length}: {error}"),
            }
        }
    }
}

#[test]
fn mutated_files_never_panic() {
    // A panic inside a third party's decoder is caught by `decode`; what this finds is one of our own, a hang,
    // or an allocation beyond the limits.
    let limits = Limits { max_pixels: 1_000_000, max_decoded_bytes: 16_000_000, ..Limits::default() };
    let mut dice = Dice::new(11);
    for (_, bytes) in files() {
        for _ in 0..60 {
            let mut mutated = bytes.clone();
            for _ in 0..=dice.below(6) {
                // Headers are the more fragile half.
                let end = if dice.below(2) == 0 { mutated.len() } else { mutated.len().min(400) };
                let place = dice.below(end as u32) as usize;
                match dice.below(4) {
                    0 => mutated[place] = dice.roll() as u8,
                    1 => mutated[place] ^= 1 << dice.below(8),
                    2 => mutated[place] = [0, 0xFF, 0x7F, 0x80][dice.below(4) as usize],
                    _ => mutated.truncate(place.max(1)),
                }
            }
            let header = inspect(&mutated, &limits);
            if let Ok(picture) = decode(&mutated, &limits) {
                let header = header.expect("what decodes has a header");
                assert_eq!((header.width, header.height), (picture.width, picture.height));
                assert_eq!(picture.rgb.len() as u64, 3 * picture.pixels());
            }
        }
    }
}

#[test]
fn a_picture_bomb_is_refused_by_its_header_at_once() {
    let bomb = png_header(30_000, 30_000);
    let start = Instant::now();
    for _ in 0..1000 {
        let error = decode(&bomb, &Limits::default()).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooLarge { value: 900_000_000, limit: 200_000_000, .. }),
            "{error}"
        );
    }
    // A single pixel pass over it would take longer than all thousand refusals.
    assert!(start.elapsed() < Duration::from_millis(500), "took {:?}", start.elapsed());
}

#[test]
fn a_picture_of_the_largest_size_that_can_be_written_is_refused_like_any_other() {
    for (depth, colour) in [(8, 2), (16, 6)] {
        let mut bomb = png_header(u32::MAX, u32::MAX);
        (bomb[24], bomb[25]) = (depth, colour);
        let error = decode(&bomb, &Limits::default()).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { unit: "pixels", .. }), "{error}");
    }
}

#[test]
fn limits_on_bytes_pixels_and_memory_are_told_apart() {
    let bytes = file("rgb.png");
    let refusal = |limits: Limits| match inspect(&bytes, &limits) {
        Err(DecodeError::TooLarge { what, unit, .. }) => (what, unit),
        other => panic!("{other:?}"),
    };
    let limits = Limits::default();
    assert_eq!(refusal(Limits { max_bytes: 100, ..limits }), ("size of the file", "bytes"));
    assert_eq!(refusal(Limits { max_pixels: 100, ..limits }), ("size of the picture", "pixels"));
    assert_eq!(
        refusal(Limits { max_decoded_bytes: 100, ..limits }),
        ("memory to decode the picture", "bytes")
    );
}

#[test]
fn progressive_and_turned_jpegs_need_more_memory() {
    let passes = |name: &str, bytes_per_pixel: u64| {
        let bytes = file(name);
        let header = inspect(&bytes, &Limits::default()).unwrap();
        let pixels = u64::from(header.width) * u64::from(header.height);
        inspect(&bytes, &Limits { max_decoded_bytes: pixels * bytes_per_pixel, ..Limits::default() }).is_ok()
    };
    assert!(passes("baseline_420.jpg", 3));
    assert!(!passes("progressive.jpg", 5) && passes("progressive.jpg", 6));
    assert!(!passes("orientation_6.jpg", 5) && passes("orientation_6.jpg", 6));
}

#[test]
fn a_header_without_pixels_is_damaged() {
    let error = inspect(&png_header(0, 10), &Limits::default()).unwrap_err();
    assert!(matches!(error, DecodeError::Damaged { .. }), "{error}");
}

#[test]
fn other_formats_are_named() {
    for (bytes, name) in [
        (&b""[..], "an empty file"),
        (b"GIF89a", "a GIF picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "an AVIF picture"),
        (b"II*\0\x08\0\0\0", "a TIFF or camera raw picture"),
        (b"BM\x36\0\0\0", "a BMP picture"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<?xml version=\"1.0\"?><svg xmlns=\"\"/>", "an SVG drawing"),
        (b"<!doctype html><html>", "a web page"),
    ] {
        let error = inspect(bytes, &Limits::default()).unwrap_err();
        assert!(
            matches!(error, DecodeError::UnsupportedFormat { found: Some(found) } if found == name),
            "{error}"
        );
        assert_eq!(
            error.to_string(),
            format!("this is {name}; only JPEG, PNG and WebP pictures can be read")
        );
    }
    let error = inspect(b"what is this", &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "only JPEG, PNG and WebP pictures can be read");
}

#[test]
fn kinds_of_jpeg_that_are_not_read_are_named() {
    let mut bytes = file("baseline_420.jpg");
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bytes[frame + 1] = 0xC9;
    let error = inspect(&bytes, &Limits::default()).unwrap_err();
    assert!(error.to_string().starts_with("this is a JPEG with arithmetic coding"), "{error}");
}

#[test]
fn bytes_behind_the_end_and_between_segments_do_no_harm() {
    for name in ["baseline_420.jpg", "progressive.jpg"] {
        let bytes = file(name);
        let whole = decode(&bytes, &Limits::default()).unwrap();
        let mut trailing = bytes.clone();
        trailing.extend(b"maker data \xFF\xD8\xFF\xE1 and the like");
        assert_eq!(decode(&trailing, &Limits::default()).unwrap(), whole, "{name}");
        let mut stray = bytes.clone();
        let table = bytes.windows(2).position(|pair| pair == [0xFF, 0xDB]).unwrap();
        stray.splice(table..table, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(decode(&stray, &Limits::default()).unwrap(), whole, "{name}");
    }
}
