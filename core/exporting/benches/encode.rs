//! How fast rows become files: `cargo bench -p forgeos-exporting -- [ROWS] [FOLDER]`. Rows are like those of `analyses` that
//! the worker writes. With a folder, the files are kept there for other readers to look at.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs::File, hint::black_box, io::Write, path::PathBuf, time::Instant};

use forgeos_exporting::{Audience, Cell, Compression, Dataset, Export, Format, Output, Selection};
use uuid::Uuid;

/// What is taken out at once.
const PART_BYTES: usize = 1 << 20;

struct Row {
    id: Uuid,
    created_micros: i64,
    filename: String,
    metrics: String,
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let rows: usize = args.next().and_then(|rows| rows.parse().ok()).unwrap_or(200_000);
    let folder = args.next().map(PathBuf::from);
    // A few thousand different rows, used again and again with other ids and times.
    let kinds: Vec<Row> = (0..4_096).map(row).collect();
    let all = Selection::new(Dataset::Analyses, Audience::User, None).unwrap();

    println!("{rows} rows, {} columns", all.columns(Format::Csv).len());
    println!("{:<12} {:>10} {:>12} {:>10} {:>10}", "file", "rows/s", "rows/CPU s", "MB/s out", "MB");
    let outputs = [
        (Format::Csv, Compression::None),
        (Format::Csv, Compression::Gzip),
        (Format::Csv, Compression::Zstd),
        (Format::Jsonl, Compression::None),
        (Format::Jsonl, Compression::Gzip),
        (Format::Jsonl, Compression::Zstd),
        (Format::Parquet, Compression::None),
        (Format::Xlsx, Compression::None),
    ];
    for (format, compression) in outputs {
        let output = Output { format, compression };
        let name = format.extension(compression);
        let mut file =
            folder.as_ref().map(|folder| File::create(folder.join(format!("analyses.{name}"))).unwrap());
        let mut written = 0_usize;
        let mut keep = |bytes: &[u8]| {
            written += bytes.len();
            if let Some(file) = &mut file {
                file.write_all(bytes).unwrap();
            }
            black_box(bytes);
        };
        let (start, used) = (Instant::now(), cpu_seconds());
        let mut export = Export::new(&all, &[output], chrono::DateTime::UNIX_EPOCH).unwrap();
        let mut part = Vec::new();
        for number in 0..rows {
            let kind = &kinds[number % kinds.len()];
            export.row(&cells(kind, number)).unwrap();
            if export.ready(0) >= PART_BYTES {
                export.take(0, &mut part);
                keep(&part);
            }
        }
        keep(&export.finish().unwrap().remove(0));
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = written as f64 / 1e6;
        let cpu = cpu_seconds() - used;
        println!(
            "{name:<12} {:>10.0} {:>12.0} {:>10.1} {megabytes:>10.1}",
            rows as f64 / seconds,
            rows as f64 / cpu,
            megabytes / seconds
        );
    }
}

/// Processor time of this process so far, where the system tells it in hundredths of a second; else 0.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|v| v.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn cells(row: &Row, number: usize) -> [Cell<'_>; 8] {
    [
        Cell::Uuid(Uuid::from_u128(row.id.as_u128() ^ number as u128)),
        Cell::Timestamp(row.created_micros + number as i64 * 1_234_567),
        Cell::Text(&row.filename),
        Cell::Text(&row.filename),
        Cell::Json(&row.metrics),
        Cell::Text("completed"),
        Cell::Uuid(Uuid::from_u128(number as u128 / 10_000)),
        Cell::Uuid(Uuid::from_u128(number as u128 / 1_000)),
    ]
}

fn row(seed: u64) -> Row {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    // xorshift64
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    let share = |value: u64| format!("{:.4}", value as f64 / 1e4);
    let id = Uuid::from_u128((u128::from(next(u64::MAX)) << 64) | u128::from(next(u64::MAX)));
    let severity = ["low", "medium", "high"][next(3) as usize];
    // As PostgreSQL prints `jsonb`: keys by length, then by bytes.
    let defects: Vec<String> = (0..next(4))
        .map(|_| {
            format!(
                r#"{{"x": {}, "y": {}, "class": "rust", "width": {}, "height": {}, "delta_e": {}.{}, "area_percent": 0.0{}}}"#,
                next(4000), next(3000), next(90), next(90), next(30), next(10), next(9999)
            )
        })
        .collect();
    let metrics = format!(
        r#"{{"cqi": {}, "cvi": {}, "width": 4000, "height": 3000, "capture": {{"sharpness": {}, "glare_percent": {}, "clipped_percent": {}, "lighting_evenness": {}}}, "defects": [{}], "profile": "standard", "severity": "{severity}", "confidence": {}, "roi_percent": {}, "sensitivity": "medium", "coverage_percent": {}, "defects_detected": {}, "processing_time_ms": {}, "edge_coverage_ratio": {}}}"#,
        share(next(10_000)),
        share(next(10_000)),
        share(next(10_000)),
        share(next(10_000)),
        share(next(10_000)),
        share(next(10_000)),
        defects.join(", "),
        share(next(10_000)),
        share(next(1_000_000)),
        share(next(1_000_000)),
        next(9),
        next(900),
        share(next(10_000)),
    );
    Row { id, created_micros: 1_767_434_400_000_000, filename: format!("{id}/panel-{seed}.jpg"), metrics }
}
