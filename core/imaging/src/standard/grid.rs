//! Small numeric maps with one value a block: robust smoothing, filling of gaps, interpolation to pixels.

use super::work_image::BLOCK;

/// Where the pixels of the left half of a block lie between its left neighbour's middle (0) and its own (1).
const PLACES: [f32; BLOCK / 2] = {
    let mut places = [0.0; BLOCK / 2];
    let mut k = 0;
    while k < BLOCK / 2 {
        places[k] = 0.5 + (k as f32 + 0.5) / BLOCK as f32;
        k += 1;
    }
    places
};

/// One value a block, row by row.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub columns: usize,
    pub rows: usize,
    pub values: Vec<f32>,
}

impl Grid {
    /// Medians of five across, then of five down: a blob of two blocks or a line of any length disappears.
    pub(super) fn smoothed(&self) -> Self {
        let across = self.five(1, self.columns);
        across.five(self.columns, self.rows)
    }

    fn five(&self, stride: usize, length: usize) -> Self {
        let mut out = self.clone();
        for (i, value) in out.values.iter_mut().enumerate() {
            let place = i / stride % length;
            let at = |offset: isize| {
                let near = place.saturating_add_signed(offset).min(length - 1);
                self.values[i + near * stride - place * stride]
            };
            *value = median5(at(-2), at(-1), at(0), at(1), at(2));
        }
        out
    }

    /// Fills the cells that are not `known` from the known ones around them, far gaps from coarser scales.
    pub(super) fn filled(&self, known: &[bool]) -> Self {
        let weights: Vec<f32> = known.iter().map(|&k| f32::from(u8::from(k))).collect();
        let mut levels = vec![(self.clone(), weights)];
        while let Some((grid, weights)) = levels.last().filter(|(g, _)| g.columns * g.rows > 1) {
            levels.push(halved(grid, weights));
        }
        let mut coarse = levels.pop().map_or_else(|| self.clone(), |(grid, _)| grid);
        while let Some((mut fine, weights)) = levels.pop() {
            for (i, weight) in weights.iter().enumerate() {
                if *weight == 0.0 {
                    let (x, y) = (i % fine.columns, i / fine.columns);
                    fine.values[i] = coarse.between((x as f32 - 0.5) / 2.0, (y as f32 - 0.5) / 2.0);
                }
            }
            coarse = fine;
        }
        coarse
    }

    /// Bilinear value at fractional cell coordinates, the outermost cells repeated.
    fn between(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x.clamp(0.0, (self.columns - 1) as f32), y.clamp(0.0, (self.rows - 1) as f32));
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.columns - 1), (y0 + 1).min(self.rows - 1));
        let (tx, ty) = (x - x0 as f32, y - y0 as f32);
        let row = |y: usize| {
            let (p, q) = (self.values[y * self.columns + x0], self.values[y * self.columns + x1]);
            p + (q - p) * tx
        };
        row(y0) + (row(y1) - row(y0)) * ty
    }

    /// Bilinear value at a pixel of the work image.
    pub(super) fn at_pixel(&self, x: usize, y: usize) -> f32 {
        let cell = |p: usize| (p as f32 - (BLOCK as f32 - 1.0) / 2.0) / BLOCK as f32;
        self.between(cell(x), cell(y))
    }

    /// Writes the bilinear values of pixel row `y`; `line` holds as many values as the row has pixels.
    pub(super) fn line(&self, y: usize, scratch: &mut Vec<f32>, line: &mut [f32]) {
        let middle = (BLOCK as f32 - 1.0) / 2.0;
        let cell = ((y as f32 - middle) / BLOCK as f32).clamp(0.0, (self.rows - 1) as f32);
        let (y0, ty) = (cell as usize, cell.fract());
        let y1 = (y0 + 1).min(self.rows - 1);
        let row = |y: usize| &self.values[y * self.columns..(y + 1) * self.columns];
        scratch.clear();
        scratch.extend(row(y0).iter().zip(row(y1)).map(|(p, q)| p + (q - p) * ty));
        for (column, pixels) in line.chunks_mut(BLOCK).enumerate() {
            let here = scratch[column];
            let left = here - scratch[column.saturating_sub(1)];
            let right = scratch[(column + 1).min(self.columns - 1)] - here;
            let (first, second) = pixels.split_at_mut(pixels.len().min(BLOCK / 2));
            for (value, place) in first.iter_mut().zip(PLACES) {
                *value = here + left * (place - 1.0);
            }
            for (value, place) in second.iter_mut().zip(PLACES) {
                *value = here + right * (place - 0.5);
            }
        }
    }
}

fn halved(grid: &Grid, weights: &[f32]) -> (Grid, Vec<f32>) {
    let (columns, rows) = (grid.columns.div_ceil(2), grid.rows.div_ceil(2));
    let mut sums = vec![0.0f32; columns * rows];
    let mut totals = vec![0.0f32; columns * rows];
    for (i, (value, weight)) in grid.values.iter().zip(weights).enumerate() {
        let target = i / grid.columns / 2 * columns + i % grid.columns / 2;
        sums[target] += value * weight;
        totals[target] += weight;
    }
    let values = sums.iter().zip(&totals).map(|(s, t)| if *t > 0.0 { s / t } else { 0.0 }).collect();
    (Grid { columns, rows, values }, totals)
}

#[inline]
fn median5(a: f32, b: f32, c: f32, d: f32, e: f32) -> f32 {
    let (a, b) = (a.min(b), a.max(b));
    let (d, e) = (d.min(e), d.max(e));
    let low = a.max(d);
    let high = b.min(e);
    low.min(high).max(low.max(high).min(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_five_is_the_third() {
        for i in 0..3125usize {
            let v = [i % 5, i / 5 % 5, i / 25 % 5, i / 125 % 5, i / 625].map(|v| v as f32);
            let mut sorted = v;
            sorted.sort_by(f32::total_cmp);
            assert_eq!(median5(v[0], v[1], v[2], v[3], v[4]), sorted[2], "{v:?}");
        }
    }

    #[test]
    fn gaps_are_filled_from_what_is_around_them() {
        let values = (0..30).map(|i| if i == 12 { 900.0 } else { 5.0 }).collect();
        let grid = Grid { columns: 6, rows: 5, values };
        let known: Vec<bool> = (0..30).map(|i| i != 12).collect();
        assert!(grid.filled(&known).values.iter().all(|v| (v - 5.0).abs() < 1e-4));
        assert!(grid.smoothed().values.iter().all(|v| (v - 5.0).abs() < 1e-4));
    }

    #[test]
    fn a_line_agrees_with_single_pixels() {
        let grid = Grid { columns: 3, rows: 2, values: vec![1.0, 5.0, 2.0, 9.0, -4.0, 0.0] };
        let (mut scratch, mut line) = (Vec::new(), vec![0.0; 41]);
        for y in 0..32 {
            grid.line(y, &mut scratch, &mut line);
            for (x, value) in line.iter().enumerate() {
                assert!((value - grid.at_pixel(x, y)).abs() < 1e-4, "{x},{y}");
            }
        }
    }
}
