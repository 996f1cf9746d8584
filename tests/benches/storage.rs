//! What the way into a store costs: objects put and read back, beside a plain copy of the same bytes.
//!
//! `cargo bench -p forgeos-tests --bench storage` prints megabytes a second for each kind of store, medians of five
//! rounds. A put is what jobs do: the checksum taken, the object written whole, and the store asked what it has; large
//! objects go in parts. The S3 server is the tests' own, in this process and in memory: its line says what the protocol
//! costs here (signatures, HTTP, checksums on both sides), not what a store is able to do. moto's, a process of its own in
//! Python, stands beside it where `.ci/moto` has installed it: there the server is what takes the time.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use bytes::Bytes;
use forgeos_core::storage::{Bucket, Key, Storage, StorageSettings};
use forgeos_tests::{Moto, S3};

const ROUNDS: usize = 5;
/// A visualization, a large photograph, an export.
const SIZES: [(usize, usize); 3] = [(200_000, 200), (5_000_000, 20), (100_000_000, 1)];

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let local = Storage::open(&StorageSettings::default(), folder.path(), None).unwrap();
    let (server, project) = (S3::start(), S3::supabase());
    let s3 = Storage::open(&server.storage_settings("s3://"), folder.path(), None).unwrap();
    let supabase = Storage::open(&project.storage_settings("supabase"), folder.path(), None).unwrap();
    let moto = Moto::program().map(|_| Moto::start());
    let others = moto
        .as_ref()
        .map(|moto| Storage::open(&moto.storage_settings("s3://"), folder.path(), None).unwrap());
    println!("{:<28} {:>10} {:>12} {:>12}", "store", "object", "put MB/s", "get MB/s");
    for (size, count) in SIZES {
        let bytes: Vec<u8> =
            (0..u32::try_from(size).unwrap()).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let megabytes = (size * count) as f64 / 1e6;
        let show = |store: &str, seconds: (f64, f64)| {
            let object = format!("{:.1} MB", size as f64 / 1e6);
            println!(
                "{store:<28} {object:>10} {:>12.0} {:>12.0}",
                megabytes / seconds.0,
                megabytes / seconds.1
            );
        };
        show("plain copy (fs::write, read)", copied(folder.path(), &bytes, count));
        let stores = [("local folder", &local), ("S3", &s3), ("Supabase's S3", &supabase)];
        for (name, storage) in
            stores.into_iter().chain(others.as_ref().map(|moto| ("S3 of others (moto)", moto)))
        {
            show(name, stored(storage, Bytes::from(bytes.clone()), count).await);
        }
    }
}

/// Seconds for writing and for reading all of them, medians.
async fn stored(storage: &Storage, bytes: Bytes, count: usize) -> (f64, f64) {
    let (mut puts, mut gets) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let keys: Vec<Key> =
            (0..count).map(|n| Key::parse(format!("service/{round}/{n}")).unwrap()).collect();
        let began = Instant::now();
        for key in &keys {
            let mut upload = storage.upload(Bucket::Outputs, key, "image/jpeg").await.unwrap();
            upload.write(&bytes).await.unwrap();
            upload.finish().await.unwrap();
        }
        puts.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        for key in &keys {
            let read = storage.get_limited(Bucket::Outputs, key, u64::MAX).await.unwrap();
            assert_eq!(read.len(), bytes.len());
        }
        gets.push(began.elapsed().as_secs_f64());
        for key in &keys {
            storage.delete(Bucket::Outputs, key).await.unwrap();
        }
    }
    (median(puts), median(gets))
}

fn copied(folder: &std::path::Path, bytes: &[u8], count: usize) -> (f64, f64) {
    let (mut puts, mut gets) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let paths: Vec<_> = (0..count).map(|n| folder.join(format!("copy-{n}"))).collect();
        let began = Instant::now();
        for path in &paths {
            std::fs::write(path, bytes).unwrap();
        }
        puts.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        for path in &paths {
            assert_eq!(std::fs::read(path).unwrap().len(), bytes.len());
        }
        gets.push(began.elapsed().as_secs_f64());
        for path in &paths {
            std::fs::remove_file(path).unwrap();
        }
    }
    (median(puts), median(gets))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
