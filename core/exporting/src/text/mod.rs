//! The formats that are text: one row, one line.

mod csv;
mod jsonl;

pub(crate) use csv::CsvFile;
pub(crate) use jsonl::JsonlFile;
