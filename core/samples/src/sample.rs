//! Encoded photographs with their truth: the set of the demo, and small ones in any number.

use crate::drawing::Drawing;
use crate::panel::Panel;
use crate::random::Random;
use crate::scenes::{car, steel};

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
    /// Number of drawn defects, when the file can be judged. A group of streaks counts one; an area without
    /// coat or film is not a defect but part of `affected_percent`.
    pub defects: Option<u32>,
    /// Share of the panel that the drawn defects and bare areas take, in percent.
    pub affected_percent: Option<f64>,
}

const QUALITY: u8 = 90;

impl Sample {
    pub(crate) fn new(
        name: &'static str,
        extension: &'static str,
        description: &'static str,
        drawing: &Drawing,
    ) -> Self {
        let bytes = match extension {
            "png" => drawing.png(),
            "webp" => drawing.webp(),
            _ => drawing.jpeg(QUALITY),
        };
        Self {
            name,
            extension,
            bytes,
            description,
            defects: Some(drawing.defects),
            affected_percent: Some(drawing.affected_percent),
        }
    }

    /// `name.extension`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.extension)
    }
}

/// The sample set of the demo: the same bytes at every call.
#[must_use]
pub fn demo_set() -> Vec<Sample> {
    let clean = steel::clean();
    vec![
        Sample::new("clean_panel", "jpg", "a grey-blue painted sheet without a fault", &clean),
        Sample::new(
            "rust_spots",
            "jpg",
            "weathered paint with rust breaking through, with halos and runs",
            &steel::rust_spots(),
        ),
        Sample::new(
            "blisters",
            "png",
            "blue paint raised in blisters, two of them broken",
            &steel::blisters(),
        ),
        Sample::new("cracks", "webp", "old cream paint with branching cracks", &steel::cracks()),
        Sample::new(
            "bare_edge",
            "jpg",
            "red oxide paint that leaves a strip of brushed steel bare, and two chips",
            &steel::bare_edge(),
        ),
        Sample::new(
            "flaked_patch",
            "jpg",
            "yellow paint flaked off down to primer and rusty steel",
            &steel::flaked_patch(),
        ),
        Sample::new(
            "car_panel_clean",
            "jpg",
            "a dark metallic car panel, evenly filmed, two lamps mirrored in it",
            &car::clean(),
        ),
        Sample::new(
            "car_film_streaks",
            "jpg",
            "the car panel with two groups of streaks, beads, and a corner without film",
            &car::film_streaks(),
        ),
        damaged(&clean),
    ]
}

/// A file whose end never arrived.
fn damaged(drawing: &Drawing) -> Sample {
    let mut bytes = drawing.jpeg(QUALITY);
    bytes.truncate(bytes.len() * 2 / 5);
    Sample {
        name: "damaged_file",
        extension: "jpg",
        bytes,
        description: "a photograph whose upload broke off",
        defects: None,
        affected_percent: None,
    }
}

/// A small picture (640x480 JPEG) that differs from seed to seed: base colour, light, zero to nine round
/// defects. Quick to draw, for load and crash tests.
#[must_use]
pub fn variant(seed: u64) -> Sample {
    let mut random = Random::new(seed);
    let mut channel = || 60 + random.below(150) as u8;
    let color = [channel(), channel(), channel()];
    let lighting = random.between(0.05, 0.35);
    let mut panel = Panel::new(640, 480).color(color).noise(1.6).lighting(lighting).seed(seed);
    for _ in 0..random.below(10) {
        let (x, y) = (random.between(30.0, 610.0), random.between(30.0, 450.0));
        panel = panel.disc(x, y, random.between(4.0, 22.0), [92, 51, 23]);
    }
    Sample::new("variant", "jpg", "a small panel with round spots", &panel.draw())
}
