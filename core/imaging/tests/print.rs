//! Pictures for reports: their size, what is left out of them, and that they are the same every time.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use forgeos_imaging::{Limits, Picture, decode, inspect, print};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files").join(name)).unwrap()
}

fn png(width: u32, height: u32, pixels: &[u8], kind: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(pixels, width, height, kind).unwrap();
    bytes
}

fn ramp(width: u32, height: u32) -> Vec<u8> {
    let value = |x: u32, y: u32| [x * 255 / width, y * 255 / height, 128].map(|v| v as u8);
    let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| value(x, y))).collect();
    png(width, height, &pixels, ExtendedColorType::Rgb8)
}

fn fit(bytes: &[u8], long_side: u32) -> print::PrintPicture {
    print::fit(bytes, &Limits::default(), long_side).unwrap()
}

fn shown(fitted: &print::PrintPicture) -> Picture {
    let picture = decode(&fitted.jpeg, &Limits::default()).unwrap();
    assert_eq!((picture.width, picture.height), (fitted.width, fitted.height));
    picture
}

#[test]
fn the_long_side_is_met_and_the_shape_kept() {
    let bytes = ramp(900, 600);
    for (wanted, size) in [(600, (600, 400)), (450, (450, 300)), (899, (899, 599)), (1, (1, 1))] {
        let fitted = fit(&bytes, wanted);
        assert_eq!((fitted.width, fitted.height), size, "wanted {wanted}");
        shown(&fitted);
    }
}

#[test]
fn beyond_two_and_a_half_times_the_size_the_long_side_is_not_below_three_quarters() {
    for (width, height) in [(901, 600), (600, 901), (1201, 20)] {
        let fitted = fit(&ramp(width, height), 300);
        let long = fitted.width.max(fitted.height);
        assert!((225..=300).contains(&long), "{width}x{height} became {}x{}", fitted.width, fitted.height);
        let (was, is) =
            (f64::from(width) / f64::from(height), f64::from(fitted.width) / f64::from(fitted.height));
        assert!((is / was - 1.0).abs() < 0.1, "{width}x{height} became {}x{}", fitted.width, fitted.height);
    }
}

#[test]
fn a_small_picture_is_never_enlarged() {
    let fitted = fit(&ramp(60, 40), 1600);
    assert_eq!((fitted.width, fitted.height), (60, 40));
}

#[test]
fn a_smaller_picture_has_the_same_colours_in_the_same_places() {
    let fitted = fit(&ramp(900, 600), 300);
    let picture = shown(&fitted);
    for (x, y) in [(10, 10), (150, 100), (290, 190)] {
        let at = 3 * (y * picture.width + x) as usize;
        let wanted = [x as f64 / 300.0 * 255.0, f64::from(y) / 200.0 * 255.0, 128.0];
        for (found, wanted) in picture.rgb[at..at + 3].iter().zip(wanted) {
            assert!((f64::from(*found) - wanted).abs() < 6.0, "{:?} at {x},{y}", &picture.rgb[at..at + 3]);
        }
    }
}

#[test]
fn every_orientation_is_printed_upright() {
    let upright = decode(&file("orientation_1.jpg"), &Limits::default()).unwrap();
    for orientation in 1..=8 {
        let bytes = file(&format!("orientation_{orientation}.jpg"));
        let fitted = fit(&bytes, 4000);
        let header = inspect(&bytes, &Limits::default()).unwrap();
        assert_eq!((fitted.width, fitted.height), (header.width, header.height), "orientation {orientation}");
        let wanted = decode(&bytes, &Limits::default()).unwrap();
        let far =
            shown(&fitted).rgb.iter().zip(&wanted.rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
                / wanted.rgb.len() as u64;
        assert!(far <= 4, "orientation {orientation}: {far} levels off");
        assert_eq!(fitted.lightness.iter().sum::<u32>(), upright.width * upright.height);
    }
}

#[test]
fn nothing_of_the_camera_passes() {
    // An APP1 segment as a phone writes it, and a comment; then what stands behind the end of the picture.
    let secret = b"Exif\0\0II*\0GPS 59.9139N 10.7522E serial 4711";
    let plain = file("orientation_1.jpg");
    let mut bytes = plain[..2].to_vec();
    for marker in [0xE1, 0xFE] {
        bytes.extend([0xFF, marker]);
        bytes.extend(u16::try_from(secret.len() + 2).unwrap().to_be_bytes());
        bytes.extend(secret);
    }
    bytes.extend(&plain[2..]);
    bytes.extend(secret);
    for long_side in [4000, 20] {
        let jpeg = fit(&bytes, long_side).jpeg;
        for word in [&b"Exif"[..], b"GPS", b"4711"] {
            assert!(!jpeg.windows(word.len()).any(|part| part == word), "{}", String::from_utf8_lossy(word));
        }
    }
}

#[test]
fn a_grey_picture_becomes_a_grey_file() {
    let pixels: Vec<u8> = (0..120 * 80u32).map(|i| (i % 120 * 2) as u8).collect();
    let grey = fit(&png(120, 80, &pixels, ExtendedColorType::L8), 100);
    // Components in the frame header.
    let frame = grey.jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    assert_eq!(grey.jpeg[frame + 9], 1);
    assert!(shown(&grey).rgb.as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b));
}

#[test]
fn what_is_transparent_is_white_paper() {
    let clear = |pixel: [u8; 4]| {
        let bytes = png(16, 16, &pixel.repeat(256), ExtendedColorType::Rgba8);
        (fit(&bytes, 16), decode(&bytes, &Limits::default()).unwrap())
    };
    let (fitted, judged) = clear([10, 20, 30, 0]);
    assert!(shown(&fitted).rgb.iter().all(|&v| v >= 254));
    assert_eq!(fitted.lightness[63], 256, "the lightness is that of what is printed");
    assert_eq!(judged.rgb[..3], [10, 20, 30], "a judgement sees the colour as stored");
    let (half, _) = clear([55, 55, 55, 128]);
    assert!(shown(&half).rgb.iter().all(|&v| v.abs_diff(155) <= 1), "{:?}", &shown(&half).rgb[..3]);
    // The same for grey with alpha and for 16 bits a sample.
    let grey = fit(&png(8, 8, &[9, 0].repeat(64), ExtendedColorType::La8), 8);
    assert!(shown(&grey).rgb.iter().all(|&v| v >= 254));
    let deep = fit(&png(8, 8, &[9, 9, 9, 9, 9, 9, 0, 0].repeat(64), ExtendedColorType::Rgba16), 8);
    assert!(shown(&deep).rgb.iter().all(|&v| v >= 254));
}

#[test]
fn transparent_webp_is_white_too() {
    let bytes = file("lossless_alpha.webp");
    let fitted = fit(&bytes, 4000);
    let stored = decode(&bytes, &Limits::default()).unwrap();
    let sum = |picture: &Picture| picture.rgb.iter().map(|&v| u64::from(v)).sum::<u64>();
    assert!(sum(&shown(&fitted)) > sum(&stored) + stored.pixels(), "transparent parts became no lighter");
}

#[test]
fn lightness_counts_every_pixel_from_black_to_white() {
    let mut pixels = [0u8; 30].to_vec();
    pixels.extend([255; 60]);
    pixels.extend([128; 10]);
    let counts = fit(&png(10, 10, &pixels, ExtendedColorType::L8), 5).lightness;
    assert_eq!((counts.len(), counts[0], counts[32], counts[63]), (64, 30, 10, 60));
    // Of a large picture every second row.
    let counts = fit(&png(2000, 1200, &vec![255; 2_400_000], ExtendedColorType::L8), 500).lightness;
    assert_eq!(counts[63], 1_200_000);
}

#[test]
fn the_same_bytes_give_the_same_file() {
    for name in ["orientation_6.jpg", "lossless_alpha.webp"] {
        assert_eq!(fit(&file(name), 50), fit(&file(name), 50), "{name}");
    }
}

#[test]
fn what_cannot_be_decoded_is_an_error() {
    let whole = file("orientation_1.jpg");
    assert!(print::fit(&whole[..whole.len() / 2], &Limits::default(), 100).is_err());
    assert!(print::fit(&whole, &Limits { max_pixels: 10, ..Limits::default() }, 100).is_err());
}

#[test]
fn a_part_is_cut_off_before_the_picture_is_made_small() {
    let bytes = ramp(900, 600);
    let whole = shown(&fit(&bytes, 900));
    let part = |part| print::fit_part(&bytes, &Limits::default(), 900, Some(part)).unwrap();
    let cut = part((300, 200));
    assert_eq!((cut.width, cut.height), (300, 200));
    let cut = shown(&cut);
    for (x, y) in [(0_usize, 0_usize), (150, 100), (290, 190)] {
        let (a, b) = (&whole.rgb[3 * (900 * y + x)..][..3], &cut.rgb[3 * (300 * y + x)..][..3]);
        assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) < 12), "{a:?} {b:?} at {x}, {y}");
    }
    let small = print::fit_part(&bytes, &Limits::default(), 150, Some((300, 200))).unwrap();
    assert_eq!((small.width, small.height), (150, 100));
    assert_eq!(part((5_000, 5_000)), fit(&bytes, 900));
    assert_eq!((part((0, 0)).width, part((0, 0)).height), (1, 1));
}
