//! Megapixels a second on one thread: decoding, measuring the reference indices, both.
//!
//! `cargo bench -p forgeos-imaging --bench reference -- [FILE or FOLDER...]`
//!
//! Without arguments it draws pictures of 0.5, 2, 12 and 48 MP. When `import cv2` works with the interpreter named by
//! `PYTHON` (else `python3`), OpenCV does the same on the same files, one thread too, right after us.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use forgeos_imaging::{Limits, Picture, decode, reference};

const OPENCV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/make.py");
const SIZES: [(&str, u32, u32); 4] =
    [("0.5_mp", 816, 612), ("2_mp", 1632, 1224), ("12_mp", 4032, 3024), ("48_mp", 8064, 6048)];

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// So often we and OpenCV take turns, so that what else the machine does hits both.
const ROUNDS: usize = 3;

/// Milliseconds of one run: decoding, measuring, and OpenCV's measuring with a 16-bit instead of a 64-bit Laplacian,
/// which its users may choose.
type Run = [f64; 3];

/// The columns of several runs, each reduced to one number.
fn reduced(runs: &[Run], reduce: fn(Vec<f64>) -> f64) -> Run {
    [0, 1, 2].map(|column| reduce(runs.iter().map(|run| run[column]).collect()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What a run takes when nothing disturbs it.
fn best(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn main() -> Fallible<()> {
    let arguments: Vec<PathBuf> = std::env::args_os()
        .skip(1)
        .filter(|argument| !argument.to_string_lossy().starts_with("--"))
        .map(PathBuf::from)
        .collect();
    let mut files = Vec::new();
    for argument in &arguments {
        collect(argument, &mut files)?;
    }
    let drawn = if arguments.is_empty() { Some(DrawnFolder::new()?) } else { None };
    if let Some(folder) = &drawn {
        files.clone_from(&folder.files);
    }
    println!("MP/s on one thread; each figure is that of the median run / the best run");
    println!(
        "`x OpenCV`: how many times as fast end to end; in brackets against its cheaper 16-bit Laplacian"
    );
    println!(
        "{:<24}{:>7}{:>7}{:>11}{:>11}{:>11}   {:<26}OpenCV decode, measure (16 bits)",
        "file", "MP", "bit/px", "decode", "measure", "both", "x OpenCV"
    );
    for file in &files {
        report(file)?;
    }
    Ok(())
}

fn report(file: &Path) -> Fallible<()> {
    let bytes = std::fs::read(file)?;
    let picture = match decode(&bytes, &Limits::default()) {
        Ok(picture) => picture,
        Err(error) => {
            println!("{}: {error}", file.display());
            return Ok(());
        }
    };
    let pixels = picture.pixels() as f64;
    let runs = (40_000_000 / picture.pixels().max(1)).clamp(3, 15) as usize | 1;
    drop(picture);
    let (mut ours, mut opencv) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.extend(time_ours(&bytes, runs)?);
        opencv.extend(time_opencv(file, runs));
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let ours = [reduced(&ours, median), reduced(&ours, best)];
    let rate =
        |milliseconds: [f64; 2]| milliseconds.map(|time| format!("{:.0}", pixels / 1000.0 / time)).join("/");
    print!(
        "{name:<24}{:>7.2}{:>7.2}{:>11}{:>11}{:>11}   ",
        pixels / 1e6,
        8.0 * bytes.len() as f64 / pixels,
        rate(ours.map(|[decode, ..]| decode)),
        rate(ours.map(|[_, measure, _]| measure)),
        rate(ours.map(|[decode, measure, _]| decode + measure)),
    );
    if opencv.is_empty() {
        println!("no OpenCV");
        return Ok(());
    }
    let opencv = [reduced(&opencv, median), reduced(&opencv, best)];
    let times = |laplacian: usize| {
        let ratio =
            |index: usize| (opencv[index][0] + opencv[index][laplacian]) / (ours[index][0] + ours[index][1]);
        format!("{:.2}/{:.2}", ratio(0), ratio(1))
    };
    println!(
        "{:<26}{}, {} ({})",
        format!("{} ({})", times(1), times(2)),
        rate(opencv.map(|run| run[0])),
        rate(opencv.map(|run| run[1])),
        rate(opencv.map(|run| run[2])),
    );
    Ok(())
}

fn time_ours(bytes: &[u8], runs: usize) -> Fallible<Vec<Run>> {
    let milliseconds = |start: Instant| 1000.0 * start.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        let picture = decode(bytes, &Limits::default())?;
        let decoding = milliseconds(start);
        let start = Instant::now();
        black_box(reference::measure(&picture));
        let measuring = milliseconds(start);
        times.push([decoding, measuring, measuring]);
    }
    Ok(times)
}

/// Nothing when there is no OpenCV.
fn time_opencv(file: &Path, runs: usize) -> Vec<Run> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let Ok(output) = Command::new(python).arg(OPENCV).arg("time").arg(runs.to_string()).arg(file).output()
    else {
        return Vec::new();
    };
    let run_of = |line: &str| {
        let mut numbers = line.split_whitespace().map_while(|word| word.parse().ok());
        Some([numbers.next()?, numbers.next()?, numbers.next()?])
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(run_of).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<_> =
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| collect(entry, files))
}

/// Drawn pictures in a folder of their own, removed at the end.
struct DrawnFolder {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl DrawnFolder {
    fn new() -> Fallible<Self> {
        let folder = std::env::temp_dir().join(format!("reference-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut drawn = Self { folder, files: Vec::new() };
        for (name, width, height) in SIZES {
            let file = drawn.folder.join(format!("{name}.jpg"));
            let picture = panel(width, height);
            let mut bytes = Vec::new();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85).encode(
                &picture.rgb,
                width,
                height,
                image::ExtendedColorType::Rgb8,
            )?;
            std::fs::write(&file, bytes)?;
            drawn.files.push(file);
        }
        Ok(drawn)
    }
}

impl Drop for DrawnFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A lit, slightly grained panel with round spots and scratches, as detailed as a photograph of that size.
fn panel(width: u32, height: u32) -> Picture {
    let mut dice = 0x2545_F491_u32;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        dice >> 8
    };
    let (columns, rows) = (width as usize, height as usize);
    let spots: Vec<_> = (0..60)
        .map(|_| {
            let radius = 2 + (roll() % (width / 60)) as i64;
            (
                i64::from(roll() % width),
                i64::from(roll() % height),
                radius,
                [roll() as u8, roll() as u8, roll() as u8],
            )
        })
        .collect();
    // Grain of two pixels, as a sensor's interpolation leaves it.
    let grain: Vec<u8> =
        (0..(columns / 2 + 1) * (rows / 2 + 1)).map(|_| ((roll() % 7 + roll() % 7) / 2) as u8).collect();
    let mut rgb = vec![0; 3 * columns * rows];
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = (index % columns, index / columns);
        let light = 60 * x / columns + 30 * y / rows + usize::from(grain[y / 2 * (columns / 2 + 1) + x / 2]);
        *pixel = [40, 60, 95].map(|base| (base + light) as u8);
    }
    for (cx, cy, radius, colour) in spots {
        for y in (cy - radius).max(0)..(cy + radius).min(i64::from(height)) {
            for x in (cx - radius).max(0)..(cx + radius).min(i64::from(width)) {
                if (x - cx).pow(2) + (y - cy).pow(2) < radius.pow(2) {
                    pixels[y as usize * columns + x as usize] = colour;
                }
            }
        }
    }
    Picture { width, height, rgb }
}
