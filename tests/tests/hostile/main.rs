//! Input that nobody should have given: params, rows and pictures made to break things. Each ends with words that say
//! what is wrong, the worker stays up, and its memory stays within its budget.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

/// The target of the coverage-guided fuzzing, `tests/fuzz/run params`.
#[path = "../../fuzz/src/params.rs"]
mod fuzzed;
mod keys;
mod memory;
mod params;
mod rows;
mod words;
