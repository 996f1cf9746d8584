//! Files of every kind decode to what OpenCV makes of them: size, turn, and pixels or, where a lossy decoder may
//! round, indices.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use forgeos_imaging::{Format, Limits, Picture, decode, inspect, reference};
use serde_json::Value;

/// How far an index may be off where the decoders may round differently.
const LOSSY_TOLERANCE: f64 = 0.005;
/// How far the mean of a channel may be off there, in grey levels.
const LOSSY_MEAN_TOLERANCE: f64 = 0.5;
/// The same for inks, which OpenCV turns into light by a coarser formula.
const INK_MEAN_TOLERANCE: f64 = 1.5;

fn golden_files() -> Vec<(String, Vec<u8>, Value)> {
    let golden: Value = serde_json::from_str(include_str!("golden/reference.json")).unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files");
    let files = golden["files"].as_object().unwrap();
    files
        .iter()
        .map(|(name, figures)| (name.clone(), std::fs::read(folder.join(name)).unwrap(), figures.clone()))
        .collect()
}

fn fingerprint(picture: &Picture) -> String {
    let hash = picture.rgb.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{hash:016x}")
}

fn mean_rgb(picture: &Picture) -> [f64; 3] {
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    [0, 1, 2].map(|channel| {
        pixels.iter().map(|pixel| f64::from(pixel[channel])).sum::<f64>() / picture.pixels() as f64
    })
}

#[test]
fn header_and_picture_agree_on_size_and_kind() {
    for (name, bytes, figures) in golden_files() {
        let header = inspect(&bytes, &Limits::default()).unwrap();
        let picture = decode(&bytes, &Limits::default()).unwrap();
        let kind = match name.rsplit_once('.').unwrap().1 {
            "jpg" => Format::Jpeg,
            "png" => Format::Png,
            _ => Format::WebP,
        };
        assert_eq!(header.format, kind, "{name}");
        assert_eq!((header.width, header.height), (picture.width, picture.height), "{name}");
        assert_eq!(
            (figures["width"].as_u64(), figures["height"].as_u64()),
            (Some(u64::from(header.width)), Some(u64::from(header.height))),
            "{name}"
        );
    }
}

#[test]
fn lossless_files_give_the_very_pixels_of_opencv() {
    let mut seen = 0;
    for (name, bytes, figures) in golden_files() {
        if name.ends_with(".png")
            || ["lossless.webp", "lossless_alpha.webp", "turned.webp", "animated.webp"]
                .contains(&name.as_str())
        {
            let picture = decode(&bytes, &Limits::default()).unwrap();
            assert_eq!(figures["fingerprint"], fingerprint(&picture), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 14, "only {seen} lossless files");
}

#[test]
fn lossy_files_give_the_indices_of_opencv() {
    for (name, bytes, figures) in golden_files() {
        let picture = decode(&bytes, &Limits::default()).unwrap();
        let tolerance = if name == "cmyk.jpg" { INK_MEAN_TOLERANCE } else { LOSSY_MEAN_TOLERANCE };
        for (channel, mean) in mean_rgb(&picture).into_iter().enumerate() {
            let wanted = figures["mean_rgb"][channel].as_f64().unwrap();
            assert!(
                (mean - wanted).abs() <= tolerance,
                "{name}: channel {channel} has mean {mean}, OpenCV {wanted}"
            );
        }
        let found = reference::measure(&picture);
        for (figure, value) in [("cvi", found.cvi), ("cqi", found.cqi)] {
            let wanted = figures[figure].as_f64().unwrap();
            assert!(
                (value - wanted).abs() <= LOSSY_TOLERANCE,
                "{name}: {figure} is {value}, OpenCV has {wanted}"
            );
        }
    }
}

/// Where `(x, y)` of a stored picture of `(width, height)` is shown.
type Place = fn(usize, usize, usize, usize) -> (usize, usize);

#[test]
fn all_orientations_show_the_same_picture() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files");
    let stored = |orientation: usize| {
        decode(
            &std::fs::read(folder.join(format!("orientation_{orientation}.jpg"))).unwrap(),
            &Limits::default(),
        )
        .unwrap()
    };
    let upright = stored(1);
    let (width, height) = (upright.width as usize, upright.height as usize);
    let (pixels, _) = upright.rgb.as_chunks::<3>();
    // The table of the EXIF standard.
    let places: [Place; 8] = [
        |x, y, _, _| (x, y),
        |x, y, w, _| (w - 1 - x, y),
        |x, y, w, h| (w - 1 - x, h - 1 - y),
        |x, y, _, h| (x, h - 1 - y),
        |x, y, _, _| (y, x),
        |x, y, _, h| (h - 1 - y, x),
        |x, y, w, h| (h - 1 - y, w - 1 - x),
        |x, y, w, _| (y, w - 1 - x),
    ];
    for (index, place) in places.into_iter().enumerate() {
        let shown = stored(index + 1);
        let swapped = index >= 4;
        assert_eq!(
            (shown.width as usize, shown.height as usize),
            if swapped { (height, width) } else { (width, height) }
        );
        let (shown_pixels, _) = shown.rgb.as_chunks::<3>();
        for y in 0..height {
            for x in 0..width {
                let (sx, sy) = place(x, y, width, height);
                assert_eq!(
                    shown_pixels[sy * shown.width as usize + sx],
                    pixels[y * width + x],
                    "orientation {}",
                    index + 1
                );
            }
        }
    }
}
