//! The one line in which a fault scenario ends, always of the same form, and what must hold in it.

use std::{fmt, io::Write};

/// How much longer than in every run of the tests the scenarios last: `FORGEOS_FAULT_SCALE`, 1 without it.
#[must_use]
pub fn scale() -> usize {
    std::env::var("FORGEOS_FAULT_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// Says a scenario's further figures, past the capture of the test harness.
pub fn figures(fault: &str, words: &str) {
    let _ = writeln!(std::io::stderr(), "figures | {fault} | {words} |");
}

/// What became of the jobs of a scenario.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What was done to the worker.
    pub fault: &'static str,
    /// How often.
    pub tried: usize,
    /// Jobs that were under way or waited.
    pub jobs: u64,
    /// Never ended well although nothing was wrong with them, or their effect is missing.
    pub lost: u64,
    /// Effects that were written without a lease or stand twice; ends of a job beyond the first.
    pub doubled: u64,
    /// Still waiting or running when all should have been over.
    pub stuck: u64,
    /// Begun more than once: allowed, because delivery is at least once.
    pub again: u64,
    /// How long it took to go on, in seconds, one for each time.
    pub recovery: Vec<f64>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, tried, jobs, lost, doubled, stuck, again, .. } = self;
        write!(f, "| {fault} | {tried} | {jobs} | {lost} | {doubled} | {stuck} | {again} | ")?;
        let mut sorted = self.recovery.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.last() {
            Some(most) => write!(f, "{:.2} | {most:.2} |", sorted[sorted.len() / 2]),
            None => write!(f, "– | – |"),
        }
    }
}

impl Verdict {
    /// Adds how long it took to go on.
    #[must_use]
    pub fn recovered_in(mut self, seconds: Vec<f64>) -> Self {
        self.recovery = seconds;
        self
    }

    /// Says it, past the capture of the test harness, as a row of the table in `docs/faults.md`, and holds it to the
    /// promise.
    pub fn hold(&self) {
        let _ = writeln!(std::io::stderr(), "verdict {self}");
        assert_eq!((self.lost, self.doubled, self.stuck), (0, 0, 0), "lost, doubled, stuck: {self}");
    }
}
