//! One cross-validation of the whole procedure, from outside.

use std::time::Instant;

use forgeos_learning::{Options, Sample, Unwatched, train};

use crate::data::Pictured;

/// The figures of one seed.
#[derive(Default)]
pub(crate) struct Round {
    pub accuracy: f64,
    pub f1: f64,
    pub auc: f64,
    pub brier: f64,
    /// Of one training, processor time.
    pub train_s: f64,
    pub judge_ms: f64,
    pub model_bytes: usize,
}

/// Trains on four parts and judges the fifth, five times.
pub(crate) fn run(pictures: &[Pictured], parts: &[usize], seed: u64) -> Round {
    let mut probabilities = vec![0.0; pictures.len()];
    let mut round = Round::default();
    let mut judging = 0.0;
    for part in 0..5 {
        let known: Vec<Sample> = (0..pictures.len())
            .filter(|&i| parts[i] != part)
            .map(|i| Sample {
                description: pictures[i].description.clone(),
                label: pictures[i].label.clone(),
                group: Some(pictures[i].group.clone()),
                name: pictures[i].name.clone(),
                captured_at: None,
            })
            .collect();
        let cpu = cpu_s();
        let options = Options { seed, test_fraction: 0.0, ..Options::default() };
        let trained = train(&known, &options, &Unwatched).unwrap();
        round.train_s += (cpu_s() - cpu) / 5.0;
        round.model_bytes = round.model_bytes.max(trained.model.to_bytes().len());
        let begun = Instant::now();
        for i in (0..pictures.len()).filter(|&i| parts[i] == part) {
            let judgement = trained.model.judge(&pictures[i].description);
            probabilities[i] =
                judgement.probabilities.iter().find(|(label, _)| label == "defect").map_or(0.0, |(_, p)| *p);
        }
        judging += begun.elapsed().as_secs_f64();
    }
    round.judge_ms = judging * 1e3 / pictures.len() as f64;
    figures(pictures, &probabilities, &mut round);
    round
}

/// Accuracy, F1, area under the curve and Brier score of the probability of a defect.
pub(crate) fn figures(pictures: &[Pictured], probabilities: &[f64], round: &mut Round) {
    let judged: Vec<(f64, bool)> =
        probabilities.iter().zip(pictures).map(|(&p, picture)| (p, picture.label == "defect")).collect();
    let count = |wanted: &dyn Fn(&(f64, bool)) -> bool| judged.iter().filter(|j| wanted(j)).count() as f64;
    let right = count(&|j| (j.0 >= 0.5) == j.1);
    round.accuracy = right / judged.len() as f64;
    round.f1 = 2.0 * count(&|j| j.0 >= 0.5 && j.1) / (count(&|j| j.0 >= 0.5) + count(&|j| j.1));
    let pairs =
        judged.iter().filter(|j| j.1).flat_map(|a| judged.iter().filter(|j| !j.1).map(move |b| (a.0, b.0)));
    let (mut won, mut all) = (0.0, 0.0);
    for (a, b) in pairs {
        won += if a > b {
            1.0
        } else if a == b {
            0.5
        } else {
            0.0
        };
        all += 1.0;
    }
    round.auc = won / all;
    round.brier = judged.iter().map(|(p, hit)| (p - f64::from(u8::from(*hit))).powi(2)).sum::<f64>()
        / judged.len() as f64;
}

pub(crate) fn print(set: &str, model: &str, rounds: &[Round]) {
    let mean = |of: fn(&Round) -> f64| rounds.iter().map(of).sum::<f64>() / rounds.len() as f64;
    println!(
        "{set:>16} {model:>24} {:>9.3} {:>7.3} {:>7.3} {:>8.3} {:>9.2}",
        mean(|r| r.accuracy),
        mean(|r| r.f1),
        mean(|r| r.auc),
        mean(|r| r.brier),
        mean(|r| r.train_s)
    );
}

/// The most memory that this process has held.
pub(crate) fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// How long training takes, with all its tests and checks, by the number of pictures, when one label in ten is wrong.
pub(crate) fn drawn() {
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>10} {:>8}",
        "pictures", "wall s", "CPU s", "accuracy", "model MB", "peak MB"
    );
    for each in [25, 250, 1000, 2500] {
        let mut samples = crate::patches::samples(each, 0);
        // One label in ten is wrong: trees and kernel machine have something to work on.
        for at in (0..samples.len()).filter(|at| matches!(at % 20, 3 | 4)) {
            samples[at].label = if samples[at].label == "good" { "defect" } else { "good" }.to_owned();
        }
        let (begun, cpu) = (Instant::now(), cpu_s());
        let trained = train(&samples, &Options::default(), &Unwatched).unwrap();
        println!(
            "{:>9} {:>9.1} {:>9.1} {:>9.3} {:>10.2} {:>8}",
            2 * each,
            begun.elapsed().as_secs_f64(),
            cpu_s() - cpu,
            trained.evaluation.accuracy,
            trained.model.to_bytes().len() as f64 / 1e6,
            peak_memory_mb()
        );
    }
}

/// Processor time of this process, in seconds.
pub(crate) fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|w| w.parse::<f64>().ok()).sum();
    ticks / 100.0
}
