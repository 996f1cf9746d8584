//! Every format is read back by a reader that this crate has nothing to do with, and says what went in.
#![allow(clippy::unwrap_used)]

mod csv;
mod jsonl;
mod limits;
mod parquet;
mod rows;
mod schema;
mod xlsx;
