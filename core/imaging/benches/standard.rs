//! Milliseconds of the standard profile, decoding apart, on one thread.
//!
//! `cargo bench -p forgeos-imaging --bench standard -- [FILES]`: without files, drawn panels of 0.5, 2, 12 and 48
//! megapixels are measured. Wall time (fastest and median) and
//! processor time are printed; on a busy machine only the last means something.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use forgeos_imaging::{Picture, Sensitivity, standard};

/// Runs of each picture.
const RUNS: usize = 20;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!(
        "{:>24} {:>7} {:>9} {:>9} {:>8} {:>8}",
        "picture", "MP", "best ms", "median ms", "CPU ms", "MP/s"
    );
    for (w, h) in [(816, 612), (1632, 1224), (4032, 3024), (8064, 6048)] {
        measure("drawn panel", &drawn(w, h));
    }
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else {
            println!("cannot read {file}");
            continue;
        };
        let start = Instant::now();
        match image::load_from_memory(&bytes) {
            Ok(decoded) => {
                let rgb = decoded.to_rgb8();
                println!("{file}: decoded in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
                measure(&file, &Picture { width: rgb.width(), height: rgb.height(), rgb: rgb.into_raw() });
            }
            Err(error) => println!("cannot decode {file}: {error}"),
        }
    }
}

fn measure(name: &str, picture: &Picture) {
    let mut times = Vec::new();
    let mut stages: Vec<(&'static str, Vec<f64>)> = Vec::new();
    let used = cpu_ms();
    for _ in 0..RUNS {
        let start = Instant::now();
        black_box(standard::judge(black_box(picture), Sensitivity::Medium));
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (cpu_ms() - used) / RUNS as f64;
    for _ in 0..RUNS {
        let mut before = Instant::now();
        let mut place = 0;
        let _ = standard::judge_observed(picture, Sensitivity::Medium, &mut |stage| {
            let now = Instant::now();
            if stages.len() == place {
                stages.push((stage, Vec::new()));
            }
            stages[place].1.push((now - before).as_secs_f64() * 1e3);
            place += 1;
            before = now;
        });
    }
    let (best, median) = best_and_median(&mut times);
    let megapixels = picture.pixels() as f64 / 1e6;
    let name = name.rsplit('/').next().unwrap_or(name);
    println!(
        "{name:>24} {megapixels:>7.2} {best:>9.2} {median:>9.2} {cpu:>8.1} {:>8.0}",
        megapixels / best * 1e3
    );
    let list: Vec<String> =
        stages.iter_mut().map(|(stage, times)| format!("{stage} {:.2}", best_and_median(times).0)).collect();
    println!("{:>24} {}", "best of each stage:", list.join(", "));
}

/// Processor time of this process so far, where the system tells it in hundredths of a second; else 0.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|v| v.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn best_and_median(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

/// A grey panel with noise, uneven light, spots and a mirrored lamp.
fn drawn(width: u32, height: u32) -> Picture {
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    let mut state = 1u32;
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let noise = (state >> 24) as f32 / 255.0 * 12.0 - 6.0;
            let spot = (u * 9.0).fract().hypot((v * 7.0).fract()) < 0.12;
            let lamp = 300.0 * (-((v - 0.3 - 0.2 * u) * 30.0).powi(2)).exp();
            let value = 60.0 + 40.0 * u + noise + lamp - if spot { 35.0 } else { 0.0 };
            rgb.extend([value, value + 4.0, value + 14.0].map(|c| c.clamp(0.0, 255.0) as u8));
        }
    }
    Picture { width, height, rgb }
}
