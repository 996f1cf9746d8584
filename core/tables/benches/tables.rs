//! Seconds and peak memory of one table of 12 typed columns, as XLSX and as CSV, and beside them what a user would
//! write in Python.
//!
//! `cargo bench -p forgeos-tables -- [ROWS] [PYTHON]`
//!
//! 100,000 rows when nothing is said. With an interpreter that has `openpyxl` and `xlsxwriter` (both are optional),
//! `xlsx_peers.py` writes the same cells right after us. Every writer runs in a process of its own, so that its peak of
//! memory is its own; files go below the folder for temporary files and are removed.
#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    process::Command,
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};
use forgeos_tables::{
    Cell, Column, Kind, csv,
    xlsx::{Properties, SheetWriter},
};

type Fallible<T> = Result<T, Box<dyn Error>>;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/xlsx_peers.py");

const COLUMNS: [(&str, Kind); 12] = [
    ("id", Kind::Id),
    ("created_at", Kind::Time),
    ("filename", Kind::LongText),
    ("cvi", Kind::Float),
    ("cqi", Kind::Float),
    ("coverage_percent", Kind::Float),
    ("defects_detected", Kind::Integer),
    ("severity", Kind::Text),
    ("processing_time_ms", Kind::Integer),
    ("verified", Kind::Boolean),
    ("width", Kind::Integer),
    ("note", Kind::Text),
];

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", format, rows, file] => write(format, rows.parse()?, Path::new(file)),
        [] => compare("100000", None),
        [rows] => compare(rows, None),
        [rows, python, ..] => compare(rows, Some(python)),
    }
}

fn compare(rows: &str, python: Option<&str>) -> Fallible<()> {
    let file = std::env::temp_dir().join(format!("forgeos-tables-{}", std::process::id()));
    let ourselves = std::env::current_exe()?;
    println!("{rows} rows of {} columns", COLUMNS.len());
    for format in ["xlsx", "csv"] {
        run(Command::new(&ourselves).args(["write", format, rows]).arg(&file))?;
    }
    if let Some(python) = python {
        for peer in ["openpyxl", "xlsxwriter"] {
            run(Command::new(python).args([PEERS, peer, rows]).arg(&file))?;
        }
    }
    std::fs::remove_file(file)?;
    Ok(())
}

fn run(command: &mut Command) -> Fallible<()> {
    if !command.status()?.success() {
        println!("  failed: {command:?}");
    }
    Ok(())
}

fn write(format: &str, rows: i64, path: &Path) -> Fallible<()> {
    let begin = Instant::now();
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let mut file = File::create(path)?;
    if format == "xlsx" {
        let columns = COLUMNS.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
        let mut writer = SheetWriter::new(file, Properties::new("Data", start), columns)?;
        each_row(rows, start, |cells| Ok(writer.row(cells)?))?;
        writer.finish()?.0.flush()?;
    } else {
        let mut out = Vec::new();
        csv::header(&mut out, COLUMNS.iter().map(|(name, _)| *name));
        each_row(rows, start, |cells| {
            csv::row(&mut out, cells.iter().copied());
            if out.len() > 1 << 16 {
                file.write_all(&out)?;
                out.clear();
            }
            Ok(())
        })?;
        BufWriter::new(file).write_all(&out)?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let megabytes = std::fs::metadata(path)?.len() as f64 / 1e6;
    println!(
        "  {:<34} {seconds:>7.2} s  {:>9.0} rows/s  {megabytes:>6.1} MB  peak {:>4} MB",
        format!("forgeos-tables {format}"),
        rows as f64 / seconds,
        peak_megabytes()
    );
    Ok(())
}

/// The same cells that `xlsx_peers.py` makes.
fn each_row(
    rows: i64,
    start: DateTime<Utc>,
    mut row: impl FnMut(&[Cell<'_>]) -> Fallible<()>,
) -> Fallible<()> {
    let mut id = String::new();
    let mut filename = String::new();
    for number in 0..rows {
        use std::fmt::Write as _;
        id.clear();
        write!(id, "018f0000-0000-7000-8000-{number:012x}")?;
        filename.clear();
        write!(filename, "018f0000-0000-7000-8000-00000000beef/panel {number} æøå.jpg")?;
        let share = (number * 7_919 % 10_007) as f64 / 10_007.0;
        row(&[
            Cell::Text(&id),
            Cell::Time(start + TimeDelta::milliseconds(number * 1_234)),
            Cell::Text(&filename),
            Cell::Float(share),
            Cell::Float(1.0 - share),
            Cell::Float(80.0 + 20.0 * share),
            Cell::Integer(number % 23),
            Cell::Text(["low", "medium", "high"][(number % 3) as usize]),
            Cell::Integer(number * 31 % 2_000),
            Cell::Boolean(number % 2 == 0),
            Cell::Integer(4_032),
            if number % 4 == 0 { Cell::Text("=looked at & found \"good\"") } else { Cell::Empty },
        ])?;
    }
    Ok(())
}

/// `VmHWM` of this process; 0 where there is no such thing.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or_default()
        / 1_000
}
