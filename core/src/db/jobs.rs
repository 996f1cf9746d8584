//! Placeholder: rows of `jobs` as people and programs see them.
