//! What the schema promises to everybody who speaks SQL to it.
#![allow(clippy::unwrap_used)]

mod insert_rules;
