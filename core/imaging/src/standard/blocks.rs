//! Robust statistics of every 16x16 block: medians of L*, a*, b*, their spread, and how much is blown out.
//!
//! Each block is known by 32 of its pixels. Blocks of a row are sorted side by side with one sorting network, which
//! costs a few nanoseconds a block instead of a few hundred.

use super::work_image::{BLOCK, GLARE, WorkImage};
use crate::lab::UNIT;

/// Blocks sorted side by side.
const LANES: usize = 16;
/// Samples of a block.
const SAMPLES: usize = 32;

type Batch = [[i16; LANES]; SAMPLES];

/// What is known of one block, in L*, a*, b* units.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block {
    /// Median colour of the pixels that are not blown out; all of them when every one is.
    pub median: [f32; 3],
    /// Median distance from the median, a channel.
    pub spread: [f32; 3],
    /// Share of blown-out pixels.
    pub glare: f32,
    /// Root mean square of the fine detail of L*.
    pub detail: f32,
}

/// The blocks of a work image, row by row.
pub(super) struct Blocks {
    pub columns: usize,
    pub rows: usize,
    pub cells: Vec<Block>,
}

impl Blocks {
    pub(super) fn of(image: &WorkImage) -> Self {
        let (columns, rows) = (image.block_columns(), image.block_rows());
        let mut cells = vec![Block::default(); columns * rows];
        for row in 0..rows {
            for first in (0..columns).step_by(LANES) {
                let upto = (first + LANES).min(columns);
                let target = &mut cells[row * columns + first..row * columns + upto];
                measure(image, row, first, target);
            }
        }
        for (cell, detail) in cells.iter_mut().zip(&image.detail) {
            cell.detail = detail.sqrt();
        }
        Self { columns, rows, cells }
    }

    /// The up to four blocks beside block `i`.
    pub(super) fn beside(&self, i: usize) -> impl Iterator<Item = usize> + use<> {
        beside(self.columns, self.rows, i)
    }
}

/// The up to four neighbours of cell `i` of a grid.
pub(super) fn beside(columns: usize, rows: usize, i: usize) -> impl Iterator<Item = usize> + use<> {
    let (x, y) = (i % columns, i / columns);
    let left = (x > 0).then(|| i - 1);
    let right = (x + 1 < columns).then(|| i + 1);
    let up = (y > 0).then(|| i - columns);
    let down = (y + 1 < rows).then(|| i + columns);
    [left, right, up, down].into_iter().flatten()
}

/// Statistics of up to [`LANES`] blocks that lie side by side.
fn measure(image: &WorkImage, row: usize, first: usize, cells: &mut [Block]) {
    let places = |lane: usize, sample: usize| {
        // Every second row; columns shifted, so that no pattern of period two is missed.
        let (line, step) = (sample / 4, sample % 4);
        let y = row * BLOCK + line * 2 + (step & 1);
        let x = (first + lane) * BLOCK + step * 4 + (line & 3);
        (y.min(image.height - 1), x.min(image.width - 1))
    };
    let mut at = [[0usize; LANES]; SAMPLES];
    let mut blown = [[false; LANES]; SAMPLES];
    let mut valid = [0usize; LANES];
    for sample in 0..SAMPLES {
        for lane in 0..cells.len() {
            let (y, x) = places(lane, sample);
            let i = y * image.width + x;
            at[sample][lane] = i;
            blown[sample][lane] = image.flags[i] & GLARE != 0;
            valid[lane] += usize::from(!blown[sample][lane]);
        }
    }
    for (cell, &valid) in cells.iter_mut().zip(&valid) {
        cell.glare = 1.0 - valid as f32 / SAMPLES as f32;
    }
    // A block that is blown out all over is described by what it shows.
    for lane in 0..cells.len() {
        if valid[lane] == 0 {
            valid[lane] = SAMPLES;
            blown.iter_mut().for_each(|b| b[lane] = false);
        }
    }
    for (channel, plane) in image.planes.iter().enumerate() {
        let mut batch: Batch = [[i16::MAX; LANES]; SAMPLES];
        for sample in 0..SAMPLES {
            for lane in 0..cells.len() {
                if !blown[sample][lane] {
                    batch[sample][lane] = plane[at[sample][lane]];
                }
            }
        }
        sort(&mut batch);
        let mut middle = [0i16; LANES];
        for lane in 0..cells.len() {
            middle[lane] = batch[valid[lane] / 2][lane];
            cells[lane].median[channel] = f32::from(middle[lane]) / UNIT;
        }
        for values in &mut batch {
            for (value, &m) in values.iter_mut().zip(&middle) {
                *value = if *value == i16::MAX { i16::MAX } else { value.saturating_sub(m).saturating_abs() };
            }
        }
        sort(&mut batch);
        for lane in 0..cells.len() {
            cells[lane].spread[channel] = f32::from(batch[valid[lane] / 2][lane]) / UNIT;
        }
    }
}

/// Batcher's odd-even merge sort of the samples, all lanes at once.
fn sort(batch: &mut Batch) {
    let mut p = 1;
    while p < SAMPLES {
        let mut k = p;
        while k >= 1 {
            let mut j = k % p;
            while j + k < SAMPLES {
                for i in 0..k.min(SAMPLES - j - k) {
                    if (i + j) / (p * 2) == (i + j + k) / (p * 2) {
                        exchange(batch, i + j, i + j + k);
                    }
                }
                j += 2 * k;
            }
            k /= 2;
        }
        p *= 2;
    }
}

#[inline]
fn exchange(batch: &mut Batch, low: usize, high: usize) {
    let (head, tail) = batch.split_at_mut(high);
    for (a, b) in head[low].iter_mut().zip(&mut tail[0]) {
        let (least, most) = ((*a).min(*b), (*a).max(*b));
        (*a, *b) = (least, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_sorts_every_lane() {
        let mut batch: Batch = [[0; LANES]; SAMPLES];
        let mut state = 12345u32;
        for values in &mut batch {
            for value in values {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *value = (state >> 16) as i16;
            }
        }
        sort(&mut batch);
        for pair in batch.windows(2) {
            assert!(pair[0].iter().zip(&pair[1]).all(|(a, b)| a <= b));
        }
    }
}
