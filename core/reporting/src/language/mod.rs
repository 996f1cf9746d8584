//! The languages of reports: every word, and how numbers, shares, sizes, dates and times are written.
//!
//! Words stand in `assets/words`, one file a language, compiled in; code has keys only. Nothing here guesses a
//! language or a time zone: times are UTC and say so.

mod dates;
mod numbers;
mod place;
mod words;

pub use dates::{date, date_short, date_time, time};
pub use numbers::{
    NOT_MEASURED, bytes, decimal, index, integer, percent, share, share_covered, share_covered_in_column,
    share_in_column,
};
pub use place::{Place, place_of};
pub use words::{Term, Words, glossary, method, standards, words};
pub(crate) use words::{fill, placeholders};
