//! Writes the demo's pictures into a folder: `cargo run -p forgeos-samples --example write -- FOLDER`.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "samples".into()));
    std::fs::create_dir_all(&folder)?;
    let start = Instant::now();
    let samples = forgeos_samples::demo_set();
    println!("drawn in {} ms", start.elapsed().as_millis());
    for sample in &samples {
        std::fs::write(folder.join(sample.file_name()), &sample.bytes)?;
        println!(
            "{:24} {:>8} bytes  {:>4} defects  {:>8} % affected",
            sample.file_name(),
            sample.bytes.len(),
            sample.defects.map_or("-".into(), |d| d.to_string()),
            sample.affected_percent.map_or("-".into(), |p| format!("{p:.3}")),
        );
    }
    let start = Instant::now();
    for seed in 0..20 {
        let _ = std::hint::black_box(forgeos_samples::variant(seed));
    }
    println!("a variant takes {:.1} ms", start.elapsed().as_secs_f64() * 50.0);
    Ok(())
}
