//! Small labelled panels to learn from: even ones and spotted ones.

use crate::panel::Panel;
use crate::random::Random;
use crate::sample::Sample;

/// A small panel (320x240 JPEG), with two to four rusty spots or without any. Colour, light, noise and places differ from
/// seed to seed; the same seed with and without spots is the same sheet.
#[must_use]
pub fn lesson(seed: u64, spotted: bool) -> Sample {
    let mut random = Random::new(seed ^ 0x6c65_7373_6f6e);
    let mut channel = || 110 + random.below(70) as u8;
    let color = [channel(), channel(), channel()];
    let lighting = random.between(0.05, 0.25);
    let mut panel =
        Panel::new(320, 240).color(color).noise(random.between(1.5, 3.0)).lighting(lighting).seed(seed);
    if spotted {
        for _ in 0..2 + random.below(3) {
            let (x, y) = (random.between(20.0, 300.0), random.between(20.0, 220.0));
            // Rust that shines through more or less.
            let depth = random.between(0.5, 1.0);
            let mixed = |coat: u8, rust: f32| (f32::from(coat) + (rust - f32::from(coat)) * depth) as u8;
            let spot = [mixed(color[0], 92.0), mixed(color[1], 51.0), mixed(color[2], 23.0)];
            panel = panel.disc(x, y, random.between(4.0, 9.0), spot);
        }
    }
    let drawing = panel.draw();
    if spotted {
        Sample::new("spotted", "jpg", "a small panel with rusty spots", &drawing)
    } else {
        Sample::new("even", "jpg", "a small panel without a spot", &drawing)
    }
}
