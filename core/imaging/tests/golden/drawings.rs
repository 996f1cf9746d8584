//! Pictures drawn with whole numbers only, so that every machine draws the same ones.

use forgeos_imaging::Picture;

/// Marsaglia's xorshift with 32 bits.
pub(crate) struct Dice(u32);

impl Dice {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9) | 1)
    }

    pub(crate) fn roll(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.roll() >> 8) % end
    }
}

pub(crate) fn paint(width: u32, height: u32, mut colour: impl FnMut(u32, u32) -> [u8; 3]) -> Picture {
    let rgb =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| colour(x, y)).collect();
    Picture::new(width, height, rgb).expect("three bytes a pixel")
}

pub(crate) fn noise(width: u32, height: u32, seed: u32, levels: u32) -> Picture {
    let mut dice = Dice::new(seed);
    let step = 255 / (levels - 1);
    paint(width, height, |_, _| std::array::from_fn(|_| (dice.below(levels) * step) as u8))
}

/// Mean of 3 x 3 pixels, at the border of those that are there.
pub(crate) fn blurred(source: &Picture) -> Picture {
    let (width, height) = (source.width, source.height);
    paint(width, height, |x, y| {
        let (mut sums, mut count) = ([0_u32; 3], 0);
        for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
            for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                let at = 3 * (ny as usize * width as usize + nx as usize);
                for (sum, value) in sums.iter_mut().zip(&source.rgb[at..at + 3]) {
                    *sum += u32::from(*value);
                }
                count += 1;
            }
        }
        sums.map(|sum| (sum / count) as u8)
    })
}

/// A lit panel with round spots of other colours and some grain.
pub(crate) fn panel(width: u32, height: u32, seed: u32) -> Picture {
    let mut dice = Dice::new(seed);
    let spots: Vec<_> = (0..12)
        .map(|_| {
            let centre = [dice.below(width), dice.below(height)].map(i64::from);
            let radius = i64::from(2 + dice.below(width.min(height) / 8 + 1));
            (centre, radius, [0; 3].map(|_: u8| dice.below(256) as u8))
        })
        .collect();
    let sharp = paint(width, height, |x, y| {
        let grain = dice.below(9);
        let base = [60, 90, 140].map(|value: u32| (value + 50 * x / width + 30 * y / height + grain) as u8);
        spots
            .iter()
            .find(|([cx, cy], radius, _)| {
                let (dx, dy) = (i64::from(x) - cx, i64::from(y) - cy);
                dx * dx + dy * dy <= radius * radius
            })
            .map_or(base, |(.., colour)| *colour)
    });
    blurred(&sharp)
}

/// A winding faint line that touches a plain one in one place: what connects edges has to follow all of it.
pub(crate) fn maze(width: u32, height: u32) -> Picture {
    paint(width, height, |x, y| {
        let corridor = y / 8;
        let turn = if corridor.is_multiple_of(2) { width - 8 } else { 0 };
        let wall = (y % 8 < 4 && x > 3 && x < width - 4) || (y % 8 >= 4 && x >= turn && x < turn + 8);
        let bright = if x < 12 && y < 4 { 120 } else { 24 };
        [if wall { 60 + bright } else { 60 }; 3]
    })
}

/// Every picture that the golden figures are of.
pub(crate) fn all() -> Vec<(String, Picture)> {
    let mut pictures = vec![
        ("black", paint(40, 30, |_, _| [0; 3])),
        ("white", paint(40, 30, |_, _| [255; 3])),
        ("flat_red", paint(67, 41, |_, _| [200, 30, 12])),
        ("flat_blue", paint(67, 41, |_, _| [12, 30, 200])),
        ("gradient", paint(300, 200, |x, y| [x % 256, y % 256, (x + y) % 256].map(|value| value as u8))),
        (
            "slow_gradient",
            paint(257, 130, |x, y| [x / 2, x / 2 + y / 3, 40 + y / 4].map(|value| value as u8)),
        ),
        ("low_contrast", {
            let mut dice = Dice::new(5);
            paint(211, 97, |_, _| [0; 3].map(|_: u8| 118 + dice.below(3) as u8))
        }),
        ("colours", paint(256, 256, |x, y| [x as u8, y as u8, 255 - (x ^ y) as u8])),
        (
            "stripes",
            paint(190, 120, |x, y| if (x + 2 * y) / 9 % 2 == 0 { [30, 60, 90] } else { [40, 110, 80] }),
        ),
        ("noise", noise(203, 151, 1, 256)),
        ("noise_blurred", blurred(&noise(203, 151, 2, 256))),
        ("noise_twice_blurred", blurred(&blurred(&noise(333, 70, 3, 256)))),
        ("noise_few_levels", noise(130, 130, 4, 4)),
        ("panel", panel(320, 240, 7)),
        ("panel_upright", panel(131, 260, 8)),
        ("maze", maze(200, 160)),
    ]
    .into_iter()
    .map(|(name, picture)| (name.to_owned(), picture))
    .collect::<Vec<_>>();
    let sizes = [
        (1, 1),
        (2, 1),
        (1, 2),
        (2, 2),
        (3, 3),
        (3, 2),
        (1, 130),
        (130, 1),
        (63, 65),
        (64, 64),
        (65, 63),
        (129, 5),
    ];
    for (width, height) in sizes {
        pictures.push((format!("noise_{width}x{height}"), noise(width, height, 100 + width + height, 256)));
        pictures.push((format!("soft_{width}x{height}"), blurred(&noise(width, height, 300 + width, 256))));
    }
    pictures
}
