//! Milliseconds to bring a photograph to print size, on one thread.
//!
//! `cargo bench -p forgeos-imaging --bench print -- [FILES]`: without files, drawn photographs of 2, 12 and 48
//! megapixels as JPEG of quality 90. Decoding is the largest part and is given beside it.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use forgeos_imaging::{Limits, decode, print};
use jpeg_encoder::{ColorType, Encoder};

/// Runs of each picture.
const RUNS: usize = 10;

fn main() {
    println!(
        "{:>24} {:>5} {:>9} {:>11} {:>11} {:>9}",
        "picture", "side", "file kB", "decode ms", "print ms", "print kB"
    );
    for (width, height) in [(1632, 1224), (4032, 3024), (8064, 6048)] {
        measure("drawn photograph", &drawn(width, height));
    }
    for file in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        match std::fs::read(&file) {
            Ok(bytes) => measure(file.rsplit('/').next().unwrap_or(&file), &bytes),
            Err(error) => println!("cannot read {file}: {error}"),
        }
    }
}

fn measure(name: &str, bytes: &[u8]) {
    let limits = Limits::default();
    let decoding = best_ms(|| decode(black_box(bytes), &limits).is_ok());
    for side in [800, 1600] {
        let Ok(fitted) = print::fit(bytes, &limits, side) else {
            println!("cannot decode {name}");
            return;
        };
        let whole = best_ms(|| print::fit(black_box(bytes), &limits, side).is_ok());
        println!(
            "{name:>24} {side:>5} {:>9} {decoding:>11.1} {whole:>11.1} {:>9}",
            bytes.len() / 1000,
            fitted.jpeg.len() / 1000
        );
    }
}

fn best_ms(mut run: impl FnMut() -> bool) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    best
}

/// A panel with uneven light, spots and the grain of a sensor.
fn drawn(width: u16, height: u16) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    let mut state = 1u32;
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (u, v) = (f32::from(x) / f32::from(width), f32::from(y) / f32::from(height));
            let noise = (state >> 24) as f32 / 255.0 * 12.0 - 6.0;
            let spot = (u * 9.0).fract().hypot((v * 7.0).fract()) < 0.12;
            let value = 60.0 + 40.0 * u + noise - if spot { 35.0 } else { 0.0 };
            rgb.extend([value, value + 4.0, value + 14.0].map(|c| c.clamp(0.0, 255.0) as u8));
        }
    }
    let mut bytes = Vec::new();
    let encoded = Encoder::new(&mut bytes, 90).encode(&rgb, width, height, ColorType::Rgb);
    if let Err(error) = encoded {
        println!("cannot draw: {error}");
    }
    bytes
}
