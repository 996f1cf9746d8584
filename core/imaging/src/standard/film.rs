//! Where a film ends: a line across the panel along which gloss and fine contrast change while the colour hardly does.
//!
//! The smaller side counts as not covered. It cannot say which side carries the film; it assumes that most of a panel
//! does, and when the two sides do not differ clearly it claims nothing and the confidence falls.

use super::blocks::Blocks;
use super::faint::{CELL, FaintMap};
use super::lines::{Line, to_pixels};
use super::panel::{Panel, Part};
use super::runs::{self, Run};
use super::work_image::{BLOCK, WorkImage};

/// Cells of a block's side.
const PER_BLOCK: usize = BLOCK / CELL;
/// Largest share of the panel that may be called not covered.
const LARGEST: f32 = 0.4;
/// Smallest share that is worth a name.
const SMALLEST: f32 = 0.003;
/// How far a line is prolonged at either end, as a share of its length, to reach the border of the panel.
const PROLONGED: f32 = 0.45;
/// Blocks this near to the line are compared.
const NEAR: usize = 4;
/// A change of more than this is another paint, not a missing film (ΔE).
const SAME_COLOUR: f32 = 12.0;

/// What a line across the panel means.
pub(super) enum Boundary {
    /// The pixels of the smaller side.
    Uncovered(Vec<Run>),
    /// It crosses the panel, but the sides hardly differ.
    Undecided,
    /// Not a boundary.
    No,
}

/// Tests whether a line is the end of a film.
pub(super) fn examine(
    image: &WorkImage,
    blocks: &Blocks,
    panel: &Panel,
    map: &FaintMap,
    line: &Line,
) -> Boundary {
    let (width, height) = (map.width, map.height);
    let columns = image.block_columns();
    // Glare belongs to the panel here: a boundary may pass through the halo of a lamp.
    let inside = |i: usize| panel.parts[(i / width) / PER_BLOCK * columns + (i % width) / PER_BLOCK].judged();
    let mut side = vec![0u8; width * height];
    for (i, s) in side.iter_mut().enumerate() {
        *s = u8::from(inside(i));
    }
    let barrier = barrier(line, width, height);
    barrier.iter().for_each(|&i| side[i] = 0);
    let total = side.iter().filter(|&&s| s == 1).count() as f32;
    let mut sizes: Vec<(usize, u8)> = Vec::new();
    let mut stack = Vec::new();
    for start in 0..side.len() {
        if side[start] != 1 || sizes.len() > 200 {
            continue;
        }
        let name = 2 + sizes.len() as u8;
        side[start] = name;
        stack.push(start);
        let mut size = 0;
        while let Some(i) = stack.pop() {
            size += 1;
            for next in super::blocks::beside(width, height, i) {
                if side[next] == 1 {
                    side[next] = name;
                    stack.push(next);
                }
            }
        }
        sizes.push((size, name));
    }
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let [(_, large), (small_size, small), ..] = sizes[..] else { return Boundary::No };
    let share = small_size as f32 / total.max(1.0);
    if !(SMALLEST..LARGEST).contains(&share) {
        return Boundary::No;
    }
    let contrast = Contrast::of(blocks, panel, &side, width, &barrier, small, large);
    match contrast.verdict() {
        Verdict::Differs => {
            let plane: Vec<u8> = side.iter().map(|&s| u8::from(s == small)).collect();
            Boundary::Uncovered(to_pixels(&runs::extract(&plane, width)))
        }
        Verdict::Unclear => Boundary::Undecided,
        Verdict::Same => Boundary::No,
    }
}

/// The cells of a line, one cell wider, prolonged at both ends.
fn barrier(line: &Line, width: usize, height: usize) -> Vec<usize> {
    let mut cells = Vec::new();
    let mut mark = |x: i64, y: i64| {
        for (dx, dy) in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)] {
            let (x, y) = (x + dx, y + dy);
            if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                cells.push(y as usize * width + x as usize);
            }
        }
    };
    for run in &line.runs {
        (run.start..run.end).for_each(|x| mark(i64::from(x), i64::from(run.y)));
    }
    let (sin, cos) = line.shape.angle.sin_cos();
    let half = line.shape.length() / 2.0;
    let reach = half * (1.0 + 2.0 * PROLONGED);
    let (cx, cy) = line.shape.centre;
    // From the outermost cell on either side, parallel to the axis.
    for sign in [-1.0f32, 1.0] {
        let along = |x: f32, y: f32| sign * ((x - cx) * cos + (y - cy) * sin);
        let tip = line
            .runs
            .iter()
            .flat_map(|r| [(r.start as f32, r.y as f32), (r.end as f32 - 1.0, r.y as f32)])
            .max_by(|a, b| along(a.0, a.1).total_cmp(&along(b.0, b.1)));
        let Some((tx, ty)) = tip else { continue };
        let mut t = 0.0;
        while along(tx, ty) + t < reach {
            mark((tx + sign * t * cos).round() as i64, (ty + sign * t * sin).round() as i64);
            t += 0.5;
        }
    }
    // Axis itself: pieces of a broken line are bridged.
    let mut t = -half;
    while t < half {
        mark((cx + t * cos).round() as i64, (cy + t * sin).round() as i64);
        t += 0.5;
    }
    cells
}

enum Verdict {
    Differs,
    Unclear,
    Same,
}

/// Means and variances of two sides near a line: L*, a*, b*, logarithms of detail and of the spread of b*.
struct Contrast {
    difference: [f32; 5],
    /// Difference over its standard error.
    significance: [f32; 5],
    compared: usize,
}

/// A difference of this much matters.
const MATTERS: [f32; 5] = [1.2, 0.8, 0.8, 0.25, 0.5];

impl Contrast {
    fn of(
        blocks: &Blocks,
        panel: &Panel,
        side: &[u8],
        width: usize,
        barrier: &[usize],
        small: u8,
        large: u8,
    ) -> Self {
        let mut distance = vec![usize::MAX; blocks.cells.len()];
        for &i in barrier {
            let (x, y) = ((i % width) / PER_BLOCK, (i / width) / PER_BLOCK);
            if x < blocks.columns && y < blocks.rows {
                distance[y * blocks.columns + x] = 0;
            }
        }
        for step in 0..NEAR {
            for i in 0..distance.len() {
                if distance[i] == step {
                    for next in blocks.beside(i) {
                        distance[next] = distance[next].min(step + 1);
                    }
                }
            }
        }
        let mut samples: [Vec<[f32; 5]>; 2] = [Vec::new(), Vec::new()];
        for (i, &far) in distance.iter().enumerate() {
            let cell = &blocks.cells[i];
            if far == 0 || far > NEAR || panel.parts[i] != Part::Panel || cell.glare > 0.0 {
                continue;
            }
            let (x, y) = (i % blocks.columns * PER_BLOCK, i / blocks.columns * PER_BLOCK);
            let Some(&name) = side.get((y + 1) * width + x + 1).filter(|_| x + 1 < width) else { continue };
            let [l, a, b] = cell.median;
            let row = [l, a, b, (cell.detail + 0.05).ln(), (cell.spread[2] + 0.05).ln()];
            if name == small {
                samples[0].push(row);
            } else if name == large {
                samples[1].push(row);
            }
        }
        let compared = samples[0].len().min(samples[1].len());
        let mut difference = [0.0; 5];
        let mut significance = [0.0; 5];
        if compared >= 6 {
            for k in 0..5 {
                let [p, q] = [0, 1].map(|s| mean_and_variance(samples[s].iter().map(|r| r[k])));
                difference[k] = p.0 - q.0;
                // Neighbouring blocks are not independent: a third of them count.
                let error = (3.0 * (p.1 / samples[0].len() as f32 + q.1 / samples[1].len() as f32)).sqrt();
                significance[k] = difference[k] / error.max(0.05);
            }
        }
        Self { difference, significance, compared }
    }

    fn verdict(&self) -> Verdict {
        let [l, a, b, ..] = self.difference;
        if self.compared < 6 || (l * l + a * a + b * b).sqrt() > SAME_COLOUR {
            return Verdict::Same;
        }
        let seen = |least: f32| {
            (0..5).any(|k| self.difference[k].abs() >= MATTERS[k] && self.significance[k].abs() >= least)
        };
        if seen(4.0) {
            Verdict::Differs
        } else if seen(2.0) {
            Verdict::Unclear
        } else {
            Verdict::Same
        }
    }
}

fn mean_and_variance(values: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let n = values.clone().count().max(1) as f32;
    let mean = values.clone().sum::<f32>() / n;
    (mean, values.map(|v| (v - mean).powi(2)).sum::<f32>() / n)
}
