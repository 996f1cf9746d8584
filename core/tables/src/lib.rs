//! Tables for people and programs: cells that no spreadsheet takes for a formula.
