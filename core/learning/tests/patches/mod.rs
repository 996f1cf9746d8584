//! Small drawn patches: grain on paint, half of them with a scratch.
#![allow(dead_code, unreachable_pub)]

use forgeos_imaging::Picture;
use forgeos_learning::{Description, Region, Sample, describe_picture};

/// Side of a patch, in pixels.
pub const SIDE: usize = 96;

/// A drawn patch.
pub struct Patch {
    random: fastrand::Rng,
    scratched: bool,
    /// Where the scratch begins, in pixels.
    pub at: (usize, usize),
}

impl Patch {
    pub fn new(number: u64, scratched: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(number * 7919 + 1);
        let at = (random.usize(8..SIDE - 40), random.usize(8..SIDE - 20));
        Self { random, scratched, at }
    }

    pub fn label(&self) -> &'static str {
        if self.scratched { "defect" } else { "good" }
    }

    pub fn picture(&self) -> Picture {
        let mut random = self.random.clone();
        let base = random.u8(90..160);
        let mut rgb: Vec<u8> = (0..SIDE * SIDE)
            .flat_map(|_| {
                let v = base + random.u8(0..9);
                [v, v, v.saturating_sub(6)]
            })
            .collect();
        if self.scratched {
            for step in 0..30 {
                let (x, y) = (self.at.0 + step, self.at.1 + step / 4);
                for row in [y, y + 1] {
                    let pixel = (row * SIDE + x) * 3;
                    rgb[pixel..pixel + 3].iter_mut().for_each(|v| *v = v.saturating_sub(45));
                }
            }
        }
        Picture::new(SIDE as u32, SIDE as u32, rgb).unwrap()
    }

    pub fn description(&self) -> Description {
        describe_picture(&self.picture(), &[])
    }

    /// With the scratch marked by a box.
    pub fn marked(&self) -> Description {
        let region = Region {
            x: self.at.0 as f64,
            y: self.at.1 as f64,
            width: 30.0,
            height: 9.0,
            label: "defect".to_owned(),
        };
        describe_picture(&self.picture(), if self.scratched { std::slice::from_ref(&region) } else { &[] })
    }
}

/// So many patches of each label, in groups of two pairs.
pub fn samples(each: u64, first: u64) -> Vec<Sample> {
    (0..2 * each)
        .map(|i| {
            let patch = Patch::new(first + i, i % 2 == 1);
            Sample {
                description: patch.description(),
                label: patch.label().to_owned(),
                group: Some(format!("part {}", i / 4)),
                name: format!("{i}.jpg"),
                captured_at: None,
            }
        })
        .collect()
}
