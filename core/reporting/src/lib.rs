//! Sets reports of analyses: data and pictures in, PDF, XLSX and CSV out.
//!
//! Knows no database, no store, no clock and no network: the same input gives the same bytes. What the figures mean is
//! decided where they are measured; what should be done about them stands in a file of rules.

pub mod csv;
pub mod language;
pub mod model;
pub mod pdf;
pub mod rules;
pub mod statistics;
pub mod xlsx;
