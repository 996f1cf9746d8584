//! Tables for people and programs: cells that no spreadsheet takes for a formula.
//!
//! One [`Cell`] goes into CSV ([`csv`]) and XLSX ([`xlsx`]) alike; both are written row by row in memory that does not
//! grow with the rows. Nothing here knows what the cells mean, reads a file or decides where a table goes.

mod cell;
pub mod csv;
mod guard;
pub mod xlsx;

pub use cell::{Cell, Column, Kind};
pub use guard::guard;
