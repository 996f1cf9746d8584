//! Reports, timed.
fn main() {}
