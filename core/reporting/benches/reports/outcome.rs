//! What a process tells of the documents it made: one line of JSON, the same from us and from the peers.

use serde::{Deserialize, Serialize};

/// Times of all documents of a process, the rest of the last.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Wall time of each; the first with fonts and templates, or imports.
    pub(crate) times_ms: Vec<f64>,
    /// Processor time of each, over all threads.
    pub(crate) processor_ms: Vec<f64>,
    /// 0 for tables.
    pub(crate) pages: usize,
    pub(crate) size_bytes: u64,
    /// `VmHWM` at the end.
    pub(crate) peak_kib: u64,
    /// From start to end of the process, by the clock of whoever started it.
    #[serde(default)]
    pub(crate) process_ms: f64,
}

impl Outcome {
    pub(crate) fn warm_ms(&self) -> f64 {
        median(self.times_ms[1..].to_vec())
    }

    /// The mean: the kernel counts processor time in steps of 10 ms.
    pub(crate) fn warm_processor_ms(&self) -> f64 {
        let warm = &self.processor_ms[1..];
        warm.iter().sum::<f64>() / warm.len().max(1) as f64
    }

    pub(crate) fn peak_mb(&self) -> f64 {
        self.peak_kib as f64 * 1024.0 / 1e6
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
