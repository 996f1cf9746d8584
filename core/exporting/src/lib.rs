//! Exports of rows.
