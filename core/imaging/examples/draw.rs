//! Judges pictures and draws what was found: `cargo run -p forgeos-imaging --example draw -- OUT PICTURE...`
//! writes `OUT/NAME.jpg` for every picture.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use forgeos_imaging::{Limits, Options, decode, judge, overlay};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("use: draw OUT PICTURE...")?;
    std::fs::create_dir_all(&out)?;
    for path in arguments {
        if let Err(error) = draw(&path, &out) {
            println!("{}: {error}", path.display());
        }
    }
    Ok(())
}

fn draw(path: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let picture = decode(&std::fs::read(path)?, &Limits::default())?;
    let start = Instant::now();
    let judgement = judge(&picture, Options::default());
    let judged = start.elapsed();
    let start = Instant::now();
    let drawn = overlay::render(&picture, &judgement);
    println!(
        "{}: judged in {} ms, drawn in {} ms; {} defects, coverage {:.2} %, severity {:?}, confidence {:.2}",
        path.display(),
        judged.as_millis(),
        start.elapsed().as_millis(),
        judgement.defects_detected,
        judgement.coverage_percent,
        judgement.severity,
        judgement.confidence,
    );
    let name = Path::new(path.file_stem().unwrap_or_default()).with_extension("jpg");
    std::fs::write(out.join(name), drawn)?;
    Ok(())
}
