//! What an export costs: a million analyses with metrics, by the real program through the queue, a fresh process for
//! each line, so that its peak memory is its own.
//!
//! `cargo bench -p forgeos-tests --bench export` prints, for each format alone and for all at once, rows and megabytes
//! a second and the peak of the resident memory; beside `psql \copy` of the same rows in the same order, which is what
//! the database can send, in the same round. With `PYTHON=…` (an interpreter with pandas, pyarrow and psycopg) also
//! what a user would write instead. Medians of the rounds; of the memory the largest.
//!
//! The first argument is the number of rows (default 1000000, some five minutes with `PYTHON`), the second the rounds
//! (1): `cargo bench -p forgeos-tests --bench export -- 200000 3`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use forgeos_tests::{
    TestWorld,
    server::{Durability, Server},
};
use serde_json::json;

/// What a line of the table measures: formats and how they are packed.
const LINES: &[(&[&str], &str)] = &[
    (&["csv"], "none"),
    (&["jsonl"], "none"),
    (&["csv"], "gzip"),
    (&["csv"], "zstd"),
    (&["xlsx"], "none"),
    (&["parquet"], "none"),
    (&["csv", "jsonl", "xlsx", "parquet"], "none"),
];
/// The same rows in the same order.
const QUERY: &str = "select * from public.analyses order by created_at, id";
const PEERS: &str = include_str!("export_peers.py");

#[derive(Debug, Clone, Copy)]
struct Figure {
    seconds: f64,
    bytes: f64,
    peak_mb: f64,
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    // Cargo adds `--bench`.
    let mut numbers = std::env::args().filter_map(|arg| arg.parse().ok());
    let rows = numbers.next().unwrap_or(1_000_000);
    let rounds = numbers.next().unwrap_or(1);
    let server: &'static Server = Box::leak(Box::new(Server::start(Durability::Durable).unwrap()));
    let world = TestWorld::on_server(server).await;
    fill(&world, rows).await;
    println!(
        "{rows} rows, {} of table",
        world.sql("select pg_size_pretty(pg_table_size('analyses'))").await.value()
    );

    let python = std::env::var("PYTHON").ok();
    let mut lines: Vec<(String, Vec<Figure>)> = Vec::new();
    let mut add = |place: usize, name: &str, figure: Figure| {
        if lines.len() == place {
            lines.push((name.to_owned(), Vec::new()));
        }
        lines[place].1.push(figure);
    };
    for _ in 0..rounds {
        let mut place = 0..;
        for (name, options) in [("psql \\copy, csv", "csv"), ("psql \\copy, binary", "binary")] {
            add(place.next().unwrap(), name, copy(&world, options));
        }
        for (formats, compression) in LINES {
            let packed = if *compression == "none" { String::new() } else { format!(", {compression}") };
            let name = format!("{}{packed}", formats.join(" + "));
            add(place.next().unwrap(), &name, export(&world, formats, compression).await);
        }
        if let Some(python) = &python {
            for format in ["csv", "jsonl", "parquet"] {
                add(place.next().unwrap(), &format!("pandas, {format}"), pandas(&world, python, format));
            }
        }
    }
    println!("{:<30} {:>9} {:>8} {:>8} {:>9}", "", "rows/s", "MB/s", "MB", "peak MB");
    for (name, mut figures) in lines {
        figures.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let Figure { seconds, bytes, .. } = figures[figures.len() / 2];
        let peak_mb = figures.iter().fold(f64::NAN, |peak, figure| peak.max(figure.peak_mb));
        let megabytes = bytes / 1e6;
        println!(
            "{name:<30} {:>9.0} {:>8.1} {megabytes:>8.1} {peak_mb:>9.1}",
            rows as f64 / seconds,
            megabytes / seconds
        );
    }
}

/// Analyses as the worker writes them.
async fn fill(world: &TestWorld, rows: usize) {
    world
        .sql(format!(
            "insert into analyses (created_at, filename, output_filename, metrics, status, user_id)
             select timestamptz '2025-01-01' + n * interval '10 seconds', 'plant/panel ' || n || '.jpg',
               gen_random_uuid() || '/' || n || '.jpg',
               jsonb_build_object('cvi', round((random() * 100)::numeric, 2),
                 'cqi', round((random() * 100)::numeric, 2),
                 'coverage_percent', round((random() * 100)::numeric, 3),
                 'edge_coverage_ratio', round(random()::numeric, 4), 'defects_detected', n % 40,
                 'severity', (array['None', 'Low', 'Medium', 'High'])[n % 4 + 1],
                 'confidence', round(random()::numeric, 3), 'processing_time_ms', n % 900, 'profile', 'standard',
                 'width', 4000, 'height', 3000, 'roi_percent', round((random() * 100)::numeric, 2)),
               'completed', gen_random_uuid()
             from generate_series(1, {rows}) n"
        ))
        .await;
    world.sql("vacuum (analyze) analyses").await;
    world.sql("checkpoint").await;
}

/// What `psql` takes to read the rows and throw them away.
fn copy(world: &TestWorld, format: &str) -> Figure {
    let began = Instant::now();
    let mut psql = Command::new("psql")
        .args([&world.url(), "-qAtc", &format!("\\copy ({QUERY}) to stdout (format {format})")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = std::io::copy(&mut psql.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    assert!(psql.wait().unwrap().success());
    Figure { seconds: began.elapsed().as_secs_f64(), bytes: bytes as f64, peak_mb: f64::NAN }
}

/// A job from its start to its completion by the database's clock, and the peak of its process.
async fn export(world: &TestWorld, formats: &[&str], compression: &str) -> Figure {
    let worker = world.program().args(&["run"]).spawn();
    let params = json!({"dataset": "analyses", "formats": formats, "compression": compression});
    let id = world.enqueue("data_export", &params).await;
    world.wait_within(600, &format!("select completed_at is not null from jobs where id = '{id}'")).await;
    let job = world.job(id).await;
    assert_eq!(job.status(), "completed", "{job:?}");
    let took = job.completed_at.unwrap() - job.started_at.unwrap();
    let files = job.result("files").as_array().unwrap();
    let bytes = files.iter().map(|file| file["size_bytes"].as_f64().unwrap()).sum();
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.pid())).unwrap_or_default();
    let peak_kb = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
    let peak_mb = peak_kb.and_then(|kb| kb.trim().parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0);
    // The next line finds the disk as this one did.
    std::fs::remove_dir_all(world.storage_folder().join("exports")).unwrap();
    Figure { seconds: took.as_seconds_f64(), bytes, peak_mb }
}

/// What a user would write instead.
fn pandas(world: &TestWorld, python: &str, format: &str) -> Figure {
    let target = world.folder().join(format!("pandas.{format}"));
    let output = Command::new(python)
        .args(["-c", PEERS, &world.url(), QUERY, format])
        .arg(&target)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().map(|word| word.parse::<f64>().unwrap());
    let (seconds, peak_mb) = (words.next().unwrap(), words.next().unwrap());
    Figure { seconds, bytes: std::fs::metadata(target).unwrap().len() as f64, peak_mb }
}
