//! How well and how fast models learn, on folders of labelled pictures.
//!
//! `cargo bench -p forgeos-learning --bench learning -- FOLDER… [--python PYTHON] [--seeds N] [--masks] [--drawn]`: every
//! folder holds `labels.csv` with the columns `file`, `label` and `group`, or folders that do. Five parts by group, the
//! label of a picture is the more probable one; each part is judged by a model trained on the other four, with no hand
//! on any setting. With a Python that has scikit-learn, its support vector machine and its extra trees run on the same
//! numbers and the same parts. `--masks` gives boxes round the marked defects to the training; `--drawn` tells how long
//! training takes on drawn patches of growing number.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "learning/data.rs"]
mod data;
#[path = "../tests/patches/mod.rs"]
mod patches;
#[path = "learning/peer.rs"]
mod peer;
#[path = "learning/trial.rs"]
mod trial;

use std::path::PathBuf;

fn main() {
    let mut folders = Vec::new();
    let mut python = None;
    let mut seeds = 3;
    let mut with_masks = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--python" => python = arguments.next(),
            "--seeds" => seeds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(seeds),
            "--masks" => with_masks = true,
            "--drawn" => trial::drawn(),
            "--bench" => {}
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let sets: Vec<PathBuf> = folders.iter().flat_map(|folder| data::sets(folder)).collect();
    if sets.is_empty() {
        return;
    }
    println!(
        "{:>16} {:>24} {:>9} {:>7} {:>7} {:>8} {:>9}",
        "set", "model", "accuracy", "F1", "AUC", "Brier", "train s"
    );
    for set in sets {
        let name = set.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let pictures = data::read(&set, with_masks);
        let parts: Vec<Vec<usize>> = (0..seeds).map(|seed| data::parts(&pictures, seed)).collect();
        let rounds: Vec<trial::Round> =
            parts.iter().enumerate().map(|(seed, parts)| trial::run(&pictures, parts, seed as u64)).collect();
        trial::print(&name, "forgeos-learning", &rounds);
        if let Some(python) = &python {
            for (model, rounds) in peer::run(python, &pictures, &parts) {
                trial::print(&name, &model, &rounds);
            }
        }
        println!(
            "{name:>16} {} pictures, {:.1} ms to describe one beyond decoding ({:.1} with it), {:.2} ms to judge one, model {:.2} MB, peak memory {} MB",
            pictures.len(),
            data::mean(&pictures, |p| p.describe_ms),
            data::mean(&pictures, |p| p.describe_ms + p.decode_ms),
            rounds.iter().map(|r| r.judge_ms).sum::<f64>() / rounds.len() as f64,
            rounds.iter().map(|r| r.model_bytes).max().unwrap_or(0) as f64 / 1e6,
            trial::peak_memory_mb()
        );
    }
}
