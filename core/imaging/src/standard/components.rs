//! Connected sets of deviating pixels, measured.

use super::background::Background;
use super::runs::{self, Run};
use super::score::{DELTA_E_STEPS, Scores};
use super::specks::Specks;
use super::thresholds::Thresholds;
use super::work_image::{GLARE, WorkImage};
use crate::lab::UNIT;

/// Pixels of a component from which its colour is measured, at most about so many.
const COLOUR_SAMPLES: u32 = 1500;

/// A speck has fewer pixels.
const LARGEST_SPECK: u32 = 400;

/// One connected deviation.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// Its pixels, row by row.
    pub runs: Vec<Run>,
    /// Number of pixels above half its amplitude: where a blurred edge really lies.
    pub area: f32,
    /// Mean deviation from the background, L*, a*, b*.
    pub deviation: [f32; 3],
    /// Mean colour, L*, a*, b*.
    pub colour: [f32; 3],
    /// Mean ΔE of its strong pixels.
    pub amplitude: f32,
    /// Pixels over which its edge rises: about 3 for a hard edge, more for a shadow or a mirror image.
    pub softness: f32,
    /// Share of its runs that end at a blown-out pixel.
    pub beside_glare: f32,
    pub shape: Shape,
}

/// Outline of a component, in work pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    pub left: u32,
    pub top: u32,
    /// One past the last column and row.
    pub right: u32,
    pub bottom: u32,
    pub centre: (f32, f32),
    /// Standard deviations along the long and the short axis.
    pub axes: (f32, f32),
    /// Direction of the long axis in radians, 0 to π.
    pub angle: f32,
    /// Two areas over the outline: the mean width of something thin.
    pub width: f32,
    /// Area over that of the ellipse of the same moments.
    pub fill: f32,
}

impl Shape {
    pub(super) fn elongation(&self) -> f32 {
        self.axes.0 / self.axes.1.max(0.3)
    }

    /// Length along the long axis, as of an even bar.
    pub(super) fn length(&self) -> f32 {
        self.axes.0 * 12f32.sqrt()
    }

    /// Pixels between the boxes of two shapes, along the axis on which they are further apart.
    pub(super) fn gap(&self, other: &Self) -> f32 {
        let between = |low: u32, high: u32, other_low: u32, other_high: u32| {
            other_low.saturating_sub(high).max(low.saturating_sub(other_high)) as f32
        };
        let across = between(self.left, self.right, other.left, other.right);
        across.max(between(self.top, self.bottom, other.top, other.bottom))
    }

    pub(super) fn extent(&self) -> f32 {
        ((self.right - self.left) as f32).hypot((self.bottom - self.top) as f32)
    }

    /// Outline of a set of runs, given from top to bottom.
    pub(super) fn of(runs: &[Run]) -> Self {
        let (mut n, mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0f64, 0f64, 0f64, 0f64, 0f64, 0f64);
        let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
        let mut shared = 0u32;
        let mut above = 0;
        for (i, run) in runs.iter().enumerate() {
            let (length, y) = (f64::from(run.length()), f64::from(run.y));
            let middle = f64::from(run.start + run.end - 1) / 2.0;
            n += length;
            sx += length * middle;
            sy += length * y;
            // A run of k pixels has the variance (k² - 1) / 12 around its middle.
            sxx += length * (middle * middle + (length * length - 1.0) / 12.0);
            syy += length * y * y;
            sxy += length * middle * y;
            (left, right) = (left.min(run.start), right.max(run.end));
            (top, bottom) = (top.min(run.y), bottom.max(run.y + 1));
            while above < i
                && (runs[above].y + 1 < run.y || (runs[above].y + 1 == run.y && runs[above].end <= run.start))
            {
                above += 1;
            }
            let mut k = above;
            while k < i && runs[k].y + 1 == run.y && runs[k].start < run.end {
                shared += runs[k].end.min(run.end) - runs[k].start.max(run.start);
                k += 1;
            }
        }
        let (cx, cy) = (sx / n, sy / n);
        // A pixel is a square, not a point.
        let (vx, vy, vxy) =
            (sxx / n - cx * cx + 1.0 / 12.0, syy / n - cy * cy + 1.0 / 12.0, sxy / n - cx * cy);
        let root = ((vx - vy).powi(2) / 4.0 + vxy * vxy).max(0.0).sqrt();
        let (long, short) = ((vx + vy) / 2.0 + root, ((vx + vy) / 2.0 - root).max(0.0));
        let outline = 2.0 * runs.len() as f64 + 2.0 * (n - f64::from(shared));
        // A staircase is longer than the slanted line it stands for, by 4/π on average.
        let outline = outline * std::f64::consts::FRAC_PI_4;
        let ellipse = 4.0 * std::f64::consts::PI * (long * short).sqrt();
        Self {
            left,
            top,
            right,
            bottom,
            centre: (cx as f32, cy as f32),
            axes: (long.sqrt() as f32, short.sqrt() as f32),
            angle: (0.5 * (2.0 * vxy).atan2(vx - vy)).rem_euclid(std::f64::consts::PI) as f32,
            width: (2.0 * n / outline) as f32,
            fill: (n / ellipse.max(1.0)) as f32,
        }
    }
}

/// What [`find`] saw.
pub(super) struct Found {
    pub components: Vec<Component>,
    /// Bright ones with a seed, of any size.
    pub specks: Specks,
    /// Pixels between the two thresholds, and all pixels above the lower one.
    pub doubtful: usize,
    pub deviating: usize,
}

/// The components that start from a seed, are large enough and differ enough.
pub(super) fn find(
    image: &WorkImage,
    background: &Background,
    scores: &Scores,
    thresholds: &Thresholds,
) -> Found {
    let width = image.width;
    let runs = runs::extract(&scores.level, width);
    let mut sets = runs::connect(&runs, 1);
    let level = |run: &Run| &scores.level[span(run, width)];
    let mut area = vec![0u32; runs.len()];
    let mut seeds = vec![0u32; runs.len()];
    let (mut doubtful, mut deviating) = (0, 0);
    for (i, run) in runs.iter().enumerate() {
        let root = sets.find(i as u32) as usize;
        let strong = level(run).iter().filter(|&&v| v == 2).count() as u32;
        area[root] += run.length();
        seeds[root] += strong;
        deviating += run.length() as usize;
        doubtful += (run.length() - strong) as usize;
    }
    let least = thresholds.min_area(image.width * image.height);
    let mut place = vec![usize::MAX; runs.len()];
    let mut members: Vec<Vec<Run>> = Vec::new();
    let mut specks = Specks::default();
    for (i, run) in runs.iter().enumerate() {
        let root = sets.find(i as u32) as usize;
        if root == i && seeds[root] > 0 && area[root] < LARGEST_SPECK && is_bright(image, background, run) {
            specks.areas.push(area[root]);
        }
        if seeds[root] == 0 || (area[root] as f32) < least {
            continue;
        }
        if place[root] == usize::MAX {
            place[root] = members.len();
            members.push(Vec::new());
        }
        members[place[root]].push(*run);
    }
    let components = members
        .into_iter()
        .map(|runs| measure(image, background, scores, runs))
        .filter(|c| c.amplitude >= thresholds.min_delta_e)
        .collect();
    Found { components, specks, doubtful, deviating }
}

/// Whether the middle of a run is lighter than the background.
fn is_bright(image: &WorkImage, background: &Background, run: &Run) -> bool {
    let (x, y) = ((run.start + run.end) as usize / 2, run.y as usize);
    f32::from(image.planes[0][y * image.width + x]) / UNIT > background.colour[0].at_pixel(x, y)
}

fn span(run: &Run, width: usize) -> std::ops::Range<usize> {
    let row = run.y as usize * width;
    row + run.start as usize..row + run.end as usize
}

/// Measures one component within half its amplitude.
fn measure(image: &WorkImage, background: &Background, scores: &Scores, runs: Vec<Run>) -> Component {
    let amplitude = amplitude(scores, image.width, &runs);
    let softness = softness(scores, image.width, &runs, amplitude);
    let inner = above(scores, image.width, &runs, (amplitude * 0.5) as u8);
    let runs = if inner.is_empty() { runs } else { inner };
    Component { softness, ..of_runs(image, background, scores, runs) }
}

/// Measures a set of runs as it is, with the softness of a hard edge.
pub(super) fn of_runs(
    image: &WorkImage,
    background: &Background,
    scores: &Scores,
    runs: Vec<Run>,
) -> Component {
    let width = image.width;
    let area: u32 = runs.iter().map(|r| r.length()).sum();
    let stride = 1 + area / COLOUR_SAMPLES;
    let (mut colour, mut deviation, mut samples, mut turn) = ([0f32; 3], [0f32; 3], 0f32, 0);
    for run in &runs {
        for x in run.start..run.end {
            turn += 1;
            if turn < stride {
                continue;
            }
            turn = 0;
            samples += 1.0;
            let i = run.y as usize * width + x as usize;
            for c in 0..3 {
                let value = f32::from(image.planes[c][i]) / UNIT;
                colour[c] += value;
                deviation[c] += value - background.colour[c].at_pixel(x as usize, run.y as usize);
            }
        }
    }
    let ends_at_glare = |run: &Run| {
        let row = run.y as usize * width;
        let before = run.start > 0 && image.flags[row + run.start as usize - 1] & GLARE != 0;
        let after = (run.end as usize) < width && image.flags[row + run.end as usize] & GLARE != 0;
        before || after
    };
    let beside_glare = runs.iter().filter(|r| ends_at_glare(r)).count() as f32 / runs.len().max(1) as f32;
    Component {
        area: area as f32,
        deviation: deviation.map(|v| v / samples.max(1.0)),
        colour: colour.map(|v| v / samples.max(1.0)),
        amplitude: amplitude(scores, width, &runs) / DELTA_E_STEPS,
        softness: 0.0,
        beside_glare,
        shape: Shape::of(&runs),
        runs,
    }
}

/// Mean of the strong pixels, in steps of the ΔE plane.
fn amplitude(scores: &Scores, width: usize, runs: &[Run]) -> f32 {
    let (mut sum, mut count) = (0u64, 0u64);
    for i in runs.iter().flat_map(|run| span(run, width)) {
        if scores.level[i] == 2 {
            sum += u64::from(scores.delta_e[i]);
            count += 1;
        }
    }
    sum as f32 / count.max(1) as f32
}

/// Pixels over which the edge rises: the amplitude over the mean steepness where the deviation is partial.
fn softness(scores: &Scores, width: usize, runs: &[Run], amplitude: f32) -> f32 {
    let partial = (amplitude * 0.3) as u8..=(amplitude * 0.8) as u8;
    let (mut sum, mut count) = (0f32, 0u32);
    for i in runs.iter().flat_map(|run| span(run, width)) {
        if partial.contains(&scores.delta_e[i]) {
            sum += steepness(&scores.delta_e, width, i);
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { amplitude / (sum / count as f32).max(0.05) }
}

/// The parts of runs whose ΔE reaches `least`.
fn above(scores: &Scores, width: usize, runs: &[Run], least: u8) -> Vec<Run> {
    let mut parts = Vec::with_capacity(runs.len());
    for run in runs {
        let mut start = None;
        for (x, &value) in (run.start..run.end).zip(&scores.delta_e[span(run, width)]) {
            match (value >= least, start) {
                (true, None) => start = Some(x),
                (false, Some(from)) => {
                    parts.push(Run { y: run.y, start: from, end: x });
                    start = None;
                }
                _ => {}
            }
        }
        parts.extend(start.map(|from| Run { y: run.y, start: from, end: run.end }));
    }
    parts
}

/// Change of the ΔE plane a pixel, in its own steps.
fn steepness(plane: &[u8], width: usize, i: usize) -> f32 {
    let at = |i: usize| f32::from(plane.get(i).copied().unwrap_or(0));
    let across = at(i + 1) - at(i.saturating_sub(1));
    let down = at(i + width) - at(i.saturating_sub(width));
    0.5 * across.hypot(down)
}
