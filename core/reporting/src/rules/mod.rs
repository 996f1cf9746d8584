//! What should be done about the figures: recommendations from a file of rules, ratings by standards, the verdict.
//!
//! A rule is data with a source; an operator may replace the whole file. Nothing here measures, and nothing claims
//! what a photograph cannot show.

mod capture;
mod condition;
mod figures;
mod file;
mod grade;
mod reason;
mod recommend;
mod verdict;

pub use capture::{CaptureQuality, Level, capture_quality};
pub use figures::{Class, Figure};
pub use file::{Rules, RulesError};
pub use grade::{Grade, d610_grade, flaking_class, grades, grades_note};
pub use reason::reason;
pub use recommend::{Priority, Recommendation, Source};
pub(crate) use verdict::figures_are_doubtful;
pub use verdict::{LOW_CONFIDENCE, Verdict, verdict, verdict_sentence};
