//! The picture as it is judged: L*, a*, b* planes after a 3x3 mean, flags, and the fine detail of every block.
//!
//! One pass over the source makes all of it, with three rows of unblurred colour alive at a time.

use crate::Picture;
use crate::downscale::{self, Plan, Row};
use crate::lab::TABLES;

/// Longest side of a work image.
const LONG_SIDE: u32 = 1600;

/// Side of a block in work pixels.
pub(super) const BLOCK: usize = 16;

/// Blown out and without colour: a mirrored lamp.
pub(super) const GLARE: u8 = 1;
/// At an end of the scale, where a value says nothing.
pub(super) const CLIPPED: u8 = 2;

/// Brightness from which a pixel is blown out, and up to which it is black, of 1020.
const BRIGHT: u16 = 1000;
const DARK: u16 = 20;

/// Planes of a work image, row by row.
pub(super) struct WorkImage {
    pub width: usize,
    pub height: usize,
    /// Source pixels per work pixel, across and down.
    pub scale: (f64, f64),
    /// L*, a*, b* in [`crate::lab::UNIT`] steps, each the mean of 3x3 pixels.
    pub planes: [Vec<i16>; 3],
    /// [`GLARE`] and [`CLIPPED`].
    pub flags: Vec<u8>,
    /// Mean square of what the 3x3 mean took away from L*, in L* units, for every block of [`BLOCK`] pixels.
    pub detail: Vec<f32>,
}

impl WorkImage {
    pub(super) fn block_columns(&self) -> usize {
        self.width.div_ceil(BLOCK)
    }

    pub(super) fn block_rows(&self) -> usize {
        self.height.div_ceil(BLOCK)
    }

    /// Long side in pixels.
    pub(super) fn long_side(&self) -> f32 {
        self.width.max(self.height) as f32
    }

    pub(super) fn of(picture: &Picture) -> Self {
        let plan = Plan::of(picture.width, picture.height, LONG_SIDE);
        let (width, height) = plan.size();
        let columns = width.div_ceil(BLOCK);
        let mut image = Self {
            width,
            height,
            scale: plan.scale(picture),
            planes: [vec![0; width * height], vec![0; width * height], vec![0; width * height]],
            flags: vec![0; width * height],
            detail: vec![0.0; columns * height.div_ceil(BLOCK)],
        };
        let mut rows = RecentRows::new(width);
        downscale::rows(picture, plan, |y, rgb| {
            rows.push(y, rgb, &mut image.flags[y * width..(y + 1) * width]);
            if y > 0 {
                rows.blur(y - 1, y.saturating_sub(2), y, &mut image);
            }
        });
        rows.blur(height - 1, height.saturating_sub(2), height - 1, &mut image);
        for (i, sum) in image.detail.iter_mut().enumerate() {
            let across = BLOCK.min(width - (i % columns) * BLOCK);
            let down = BLOCK.min(height - (i / columns) * BLOCK);
            *sum /= (across * down) as f32 * 256.0;
        }
        image
    }
}

/// The last three rows: L* as it is, and the means of three neighbours of each channel.
struct RecentRows {
    width: usize,
    lightness: [Vec<i16>; 3],
    means: [[Vec<i16>; 3]; 3],
    row: [Vec<i16>; 3],
    squares: Vec<u32>,
}

impl RecentRows {
    fn new(width: usize) -> Self {
        let row = || vec![0i16; width];
        let three = || [row(), row(), row()];
        Self {
            width,
            lightness: three(),
            means: [three(), three(), three()],
            // One pixel repeated at either side.
            row: [vec![0; width + 2], vec![0; width + 2], vec![0; width + 2]],
            squares: vec![0; width.div_ceil(BLOCK)],
        }
    }

    fn push(&mut self, y: usize, rgb: &Row, flags: &mut [u8]) {
        let width = self.width;
        let [l, a, b] = &mut self.row;
        let inner = [&mut l[1..=width], &mut a[1..=width], &mut b[1..=width]];
        TABLES.convert([&rgb[0], &rgb[1], &rgb[2]], inner);
        for (((&r, &g), &b), flag) in rgb[0].iter().zip(&rgb[1]).zip(&rgb[2]).zip(flags) {
            let bright = r.max(g).max(b);
            let dark = r.min(g).min(b);
            // Saturation of at most 30 of 255.
            let glare = (bright >= BRIGHT) & ((bright - dark) * 17 <= bright * 2);
            let clipped = (bright >= BRIGHT) | (bright <= DARK);
            *flag = (u8::from(glare) * GLARE) | (u8::from(clipped) * CLIPPED);
        }
        self.lightness[y % 3].copy_from_slice(&l[1..=width]);
        for (row, means) in self.row.iter_mut().zip(&mut self.means[y % 3]) {
            row[0] = row[1];
            row[width + 1] = row[width];
            for (((&p, &q), &r), mean) in row.iter().zip(&row[1..]).zip(&row[2..]).zip(means) {
                *mean = third(p + q + r);
            }
        }
    }

    /// Writes the blurred row `y` from the rows `above`, `y` and `below`.
    fn blur(&mut self, y: usize, above: usize, below: usize, image: &mut WorkImage) {
        let span = y * self.width..(y + 1) * self.width;
        for (channel, plane) in image.planes.iter_mut().enumerate() {
            let rows = [above, y, below].map(|row| &self.means[row % 3][channel]);
            for (((&p, &q), &r), out) in
                rows[0].iter().zip(rows[1]).zip(rows[2]).zip(&mut plane[span.clone()])
            {
                *out = third(p + q + r);
            }
        }
        let blurred = image.planes[0][span].chunks(BLOCK);
        let sharp = self.lightness[y % 3].chunks(BLOCK);
        for ((sharp, blurred), sum) in sharp.zip(blurred).zip(&mut self.squares) {
            *sum = sharp
                .iter()
                .zip(blurred)
                .map(|(&s, &m)| {
                    let d = i32::from((s - m) >> 2);
                    (d * d) as u32
                })
                .sum();
        }
        let blocks = y / BLOCK * self.squares.len();
        for (total, &sum) in image.detail[blocks..].iter_mut().zip(&self.squares) {
            *total += sum as f32;
        }
    }
}

/// A third, by one 16-bit multiplication.
#[inline]
fn third(sum: i16) -> i16 {
    ((i32::from(sum) * 21846) >> 16) as i16
}
