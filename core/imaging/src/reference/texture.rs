//! Laplacian, Sobel gradients and thinned edge candidates of grey rows, with a window of three rows.
//!
//! Borders differ by stage, as in OpenCV: the Laplacian mirrors without repeating the edge pixel, the gradients repeat
//! it, and outside the picture the gradient is zero.

use super::{BLOCK, hysteresis::Candidates};

/// A gradient has to be stronger than this to be a candidate (L1 norm of the Sobel gradient).
const LOW: i16 = 50;
/// Stronger than this, a candidate is an edge without help.
const HIGH: i16 = 150;

/// `tan(22.5 degrees)` in units of 1/65536; exact as `13573 / 32768`.
const TAN_22: u32 = 2 * 13573;

/// Which neighbours a gradient is compared with.
const ACROSS: i16 = 0;
const UPRIGHT: i16 = 1;
const FALLING: i16 = 2;
const RISING: i16 = 3;

/// Sums of the Laplacian, and the rows still needed.
///
/// Row buffers hold one column of border on the left, the row rounded up to whole blocks, one of border on the right.
pub(super) struct Texture {
    pub(super) laplacian: i64,
    pub(super) laplacian_squares: u64,
    width: usize,
    /// Grey rows, row `y` in place `y % 3`.
    grey: [Vec<u8>; 3],
    /// Gradient magnitudes of row `y` in place `y % 3`; zero outside the picture.
    magnitude: [Vec<i16>; 3],
    /// Gradient directions of row `y` in place `y % 3`, without borders.
    direction: [Vec<i16>; 3],
    /// Whether a block of that row holds a gradient above [`LOW`].
    active: [Vec<bool>; 3],
    /// The row outside the picture.
    nothing: Vec<i16>,
    /// Column sums and differences of three grey rows.
    smoothed: Vec<i16>,
    difference: Vec<i16>,
}

impl Texture {
    pub(super) fn new(width: usize) -> Self {
        let blocks = width.div_ceil(BLOCK);
        let padded = blocks * BLOCK + 2;
        Self {
            laplacian: 0,
            laplacian_squares: 0,
            width,
            grey: std::array::from_fn(|_| vec![0; padded]),
            magnitude: std::array::from_fn(|_| vec![0; padded]),
            direction: std::array::from_fn(|_| vec![0; blocks * BLOCK]),
            active: std::array::from_fn(|_| vec![false; blocks]),
            nothing: vec![0; padded],
            smoothed: vec![0; padded],
            difference: vec![0; padded],
        }
    }

    /// Where grey row `y` is to be written, whole blocks.
    #[inline(always)]
    pub(super) fn grey_row_mut(&mut self, y: usize) -> &mut [u8] {
        let row = &mut self.grey[y % 3];
        let end = row.len() - 1;
        &mut row[1..end]
    }

    /// Laplacian and gradients of row `y`; grey rows `y - 1` to `y + 1` have been written, where they exist.
    #[inline(always)]
    pub(super) fn finish_gradients(&mut self, y: usize, height: usize) {
        let width = self.width;
        for row in [y.saturating_sub(1), y, (y + 1).min(height - 1)] {
            let row = &mut self.grey[row % 3];
            row[0] = row[1];
            row[width + 1] = row[width];
        }
        let above = &self.grey[y.saturating_sub(1) % 3];
        let centre = &self.grey[y % 3];
        let below = &self.grey[(y + 1).min(height - 1) % 3];

        // Mirrored at the picture's edge: the row above the first is the second.
        let mirrored_above = if y == 0 { below } else { above };
        let mirrored_below = if y + 1 == height { above } else { below };
        let (sum, squares) =
            laplacian_sums(&mirrored_above[1..=width], &centre[1..=width], &mirrored_below[1..=width]);
        self.laplacian += sum;
        self.laplacian_squares += squares;

        column_sums(above, centre, below, &mut self.smoothed, &mut self.difference);
        let magnitude = &mut self.magnitude[y % 3];
        let blocks = self.direction[y % 3].as_chunks_mut::<BLOCK>().0;
        for (index, (direction, active)) in blocks.iter_mut().zip(&mut self.active[y % 3]).enumerate() {
            let start = index * BLOCK;
            let smoothed = window(&self.smoothed, start);
            let difference = window(&self.difference, start);
            let Some(magnitude) = magnitude[start + 1..].first_chunk_mut::<BLOCK>() else { break };
            *active = gradients(smoothed, difference, magnitude, direction);
        }
        magnitude[width + 1..].fill(0);
    }

    /// Edge candidates of row `y`; the gradients of rows `y - 1` to `y + 1` are finished, where they exist.
    #[inline(always)]
    pub(super) fn find_candidates(&self, y: usize, height: usize, candidates: &mut Candidates) {
        let above = if y == 0 { &self.nothing } else { &self.magnitude[(y - 1) % 3] };
        let centre = &self.magnitude[y % 3];
        let below = if y + 1 == height { &self.nothing } else { &self.magnitude[(y + 1) % 3] };
        let directions = self.direction[y % 3].as_chunks::<BLOCK>().0;
        for (index, (direction, active)) in directions.iter().zip(&self.active[y % 3]).enumerate() {
            if *active {
                let start = index * BLOCK;
                let (weak, strong) =
                    thin(window(above, start), window(centre, start), window(below, start), direction);
                candidates.set(y, index, weak, strong);
            }
        }
    }
}

/// A block with its borders; row buffers are long enough for every block of the row.
#[inline(always)]
fn window(row: &[i16], start: usize) -> &[i16; BLOCK + 2] {
    const NOTHING: &[i16; BLOCK + 2] = &[0; BLOCK + 2];
    row[start..].first_chunk().unwrap_or(NOTHING)
}

/// Sum and sum of squares of `up + down + left + right - 4 centre`, mirrored at both ends.
#[inline(always)]
fn laplacian_sums(above: &[u8], centre: &[u8], below: &[u8]) -> (i64, u64) {
    /// So many squares of at most 1020 fit into 32 bits.
    const CHUNK: usize = 2048;
    let width = centre.len();
    let at = |left: usize, x: usize, right: usize| {
        let [up, down, left, right, here] =
            [above[x], below[x], centre[left], centre[right], centre[x]].map(i64::from);
        up + down + left + right - 4 * here
    };
    let mut sum = at(1.min(width - 1), 0, 1.min(width - 1));
    let mut squares = (sum * sum) as u64;
    if width == 1 {
        return (sum, squares);
    }
    let last = at(width - 2, width - 1, width - 2);
    sum += last;
    squares += (last * last) as u64;
    for start in (1..width - 1).step_by(CHUNK) {
        let end = (start + CHUNK).min(width - 1);
        let length = end - start;
        let (up, down, here) = (&above[start..end], &below[start..end], &centre[start..end]);
        let (left, right) = (&centre[start - 1..end - 1], &centre[start + 1..end + 1]);
        let (mut chunk_sum, mut chunk_squares) = (0_i32, 0_i32);
        for i in 0..length {
            let value = i16::from(up[i]) + i16::from(down[i]) + i16::from(left[i]) + i16::from(right[i])
                - 4 * i16::from(here[i]);
            chunk_sum += i32::from(value);
            chunk_squares += i32::from(value) * i32::from(value);
        }
        sum += i64::from(chunk_sum);
        squares += chunk_squares as u64;
    }
    (sum, squares)
}

/// `above + 2 centre + below` and `below - above`, the two halves of the Sobel kernels that run down a column.
#[inline(always)]
fn column_sums(above: &[u8], centre: &[u8], below: &[u8], smoothed: &mut [i16], difference: &mut [i16]) {
    let length = smoothed.len();
    let (above, centre, below) = (&above[..length], &centre[..length], &below[..length]);
    let difference = &mut difference[..length];
    for i in 0..length {
        let (a, c, b) = (i16::from(above[i]), i16::from(centre[i]), i16::from(below[i]));
        smoothed[i] = a + 2 * c + b;
        difference[i] = b - a;
    }
}

/// Magnitudes of a block; directions too when one of them is above [`LOW`], which is told.
#[inline(always)]
fn gradients(
    smoothed: &[i16; BLOCK + 2],
    difference: &[i16; BLOCK + 2],
    magnitude: &mut [i16; BLOCK],
    direction: &mut [i16; BLOCK],
) -> bool {
    let mut horizontal = [0_i16; BLOCK];
    let mut vertical = [0_i16; BLOCK];
    let mut largest = 0;
    for i in 0..BLOCK {
        horizontal[i] = smoothed[i + 2] - smoothed[i];
        vertical[i] = difference[i] + 2 * difference[i + 1] + difference[i + 2];
        magnitude[i] = horizontal[i].abs() + vertical[i].abs();
        largest = largest.max(magnitude[i]);
    }
    if largest <= LOW {
        return false;
    }
    for i in 0..BLOCK {
        let (gx, gy) = (horizontal[i].abs(), vertical[i].abs());
        // gy < gx tan 22.5 and gy > gx tan 67.5 = gx (2 + tan 22.5), in whole numbers: `steep` is rounded down,
        // and the products are whole only for gx = 0.
        let steep = ((gx as u16 as u32 * TAN_22) >> 16) as i16;
        let diagonal = if (horizontal[i] ^ vertical[i]) < 0 { RISING } else { FALLING };
        let rather_upright = if gy > steep + 2 * gx { UPRIGHT } else { diagonal };
        direction[i] = if gy <= steep { ACROSS } else { rather_upright };
    }
    true
}

/// Which pixels of a block are the strongest along their gradient, and which of these are edges without help.
#[inline(always)]
fn thin(
    above: &[i16; BLOCK + 2],
    centre: &[i16; BLOCK + 2],
    below: &[i16; BLOCK + 2],
    direction: &[i16; BLOCK],
) -> (u64, u64) {
    // Masks of all ones and all zeros instead of conditions: the compiler then keeps to 16-bit lanes.
    let mut weak = [0_i16; BLOCK];
    let mut strong = [0_i16; BLOCK];
    for i in 0..BLOCK {
        let here = centre[i + 1];
        let way = direction[i];
        let across = mask(way == ACROSS);
        let upright = mask(way == UPRIGHT);
        let falling = mask(way == FALLING);
        let rising = mask(way == RISING);
        let before =
            (across & centre[i]) | (upright & above[i + 1]) | (falling & above[i]) | (rising & above[i + 2]);
        let after = (across & centre[i + 2])
            | (upright & below[i + 1])
            | (falling & below[i + 2])
            | (rising & below[i]);
        // Along a row or column a tie counts for the first pixel, along a diagonal for none.
        let tie = (across | upright) & 1;
        let candidate = mask(here > LOW) & mask(here > before) & mask(here + tie > after);
        weak[i] = candidate;
        strong[i] = candidate & mask(here > HIGH);
    }
    (bits(&weak), bits(&strong))
}

#[inline(always)]
fn mask(condition: bool) -> i16 {
    -i16::from(condition)
}

/// Bit `i` of the result tells whether lane `i` is all ones (else it is all zeros).
#[inline(always)]
fn bits(masks: &[i16; BLOCK]) -> u64 {
    let mut flags = [0_u8; BLOCK];
    for i in 0..BLOCK {
        flags[i] = masks[i] as u8 & 1;
    }
    let mut word = 0;
    for (index, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        // Every byte's low bit is moved to its place in the top byte.
        let packed = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= packed << (8 * index);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_equal_the_fixed_point_formula_for_every_gradient() {
        for gx in -1020..=1020_i32 {
            for gy in -1020..=1020_i32 {
                if gx.abs() + gy.abs() <= i32::from(LOW) || gx.abs() + gy.abs() > 2040 {
                    continue;
                }
                let (x, y) = (i64::from(gx.abs()), i64::from(gy.abs()) << 15);
                let (flat, steep) = (x * 13573, x * 13573 + (x << 16));
                let expected = if y < flat {
                    ACROSS
                } else if y > steep {
                    UPRIGHT
                } else if (gx ^ gy) < 0 {
                    RISING
                } else {
                    FALLING
                };
                let (ax, ay) = (gx.unsigned_abs(), gy.unsigned_abs());
                let rounded = (ax * TAN_22) >> 16;
                let found = if ay <= rounded {
                    ACROSS
                } else if ay > rounded + 2 * ax {
                    UPRIGHT
                } else if (gx ^ gy) < 0 {
                    RISING
                } else {
                    FALLING
                };
                assert_eq!(found, expected, "gradient {gx}, {gy}");
            }
        }
    }

    #[test]
    fn bits_keep_the_order_of_lanes() {
        for place in 0..BLOCK {
            let mut flags = [0; BLOCK];
            flags[place] = -1;
            assert_eq!(bits(&flags), 1 << place);
        }
    }
}
