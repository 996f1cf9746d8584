//! Faint bright lines on the panel: streaks and high spots of a film, and the line at which a film ends.

use super::components::Shape;
use super::faint::{CELL, FaintMap};
use super::runs::{self, Run};
use super::work_image::{GLARE, WorkImage};
use crate::Sensitivity;

/// A line is at least so much longer than wide.
const SLENDER: f32 = 3.5;
/// Shortest line as a share of the long side.
const SHORTEST: f32 = 0.045;
/// Widest line as a share of the long side.
const WIDEST: f32 = 0.022;
/// Lines whose directions differ by less are parallel (radians).
const PARALLEL: f32 = 0.22;
/// Parallel lines closer than this share of the long side belong to one group.
const APART: f32 = 0.09;

/// One faint line, in cells of the [`FaintMap`].
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub runs: Vec<Run>,
    pub shape: Shape,
    /// Mean L* above the background.
    pub contrast: f32,
}

impl Line {
    /// Distance of a point from the line's axis, and its place along it, from the centre.
    fn frame(&self, point: (f32, f32)) -> (f32, f32) {
        let (sin, cos) = self.shape.angle.sin_cos();
        let (dx, dy) = (point.0 - self.shape.centre.0, point.1 - self.shape.centre.1);
        ((dy * cos - dx * sin).abs(), dx * cos + dy * sin)
    }
}

/// Contrast from which a line is looked at: the end of a film is proved by its two sides, not by its line.
const LOOKED_AT: f32 = 0.9;

/// L* above the surroundings from which streaks count.
pub(super) fn least_contrast(sensitivity: Sensitivity) -> f32 {
    match sensitivity {
        Sensitivity::Low => 1.6,
        Sensitivity::Medium => 0.9,
        Sensitivity::High => 0.6,
    }
}

/// All faint bright lines that do not start at a lamp.
pub(super) fn find(image: &WorkImage, map: &FaintMap, sensitivity: Sensitivity) -> Vec<Line> {
    let smooth = map.without_dots();
    let noise = spread(&smooth, &map.judged);
    let least = least_contrast(sensitivity).min(LOOKED_AT).max(4.0 * noise);
    let mask: Vec<u8> =
        smooth.iter().zip(&map.judged).map(|(&v, &judged)| u8::from(judged && v >= least)).collect();
    let runs = runs::extract(&mask, map.width);
    let mut sets = runs::connect(&runs, 2);
    let mut members = vec![Vec::new(); runs.len()];
    for (i, run) in runs.iter().enumerate() {
        members[sets.find(i as u32) as usize].push(*run);
    }
    let long_side = image.long_side() / CELL as f32;
    members
        .into_iter()
        .filter(|runs| runs.len() > 3)
        .filter_map(|runs| {
            let shape = Shape::of(&runs);
            let fits = shape.length() >= SHORTEST * long_side
                && shape.elongation() >= SLENDER
                && shape.width <= WIDEST * long_side;
            if !fits || starts_at_lamp(image, map, &runs) {
                return None;
            }
            let cells =
                runs.iter().flat_map(|r| (r.start..r.end).map(|x| r.y as usize * map.width + x as usize));
            let (sum, count) = cells.fold((0.0, 0.0), |(s, n), i| (s + smooth[i], n + 1.0));
            Some(Line { runs, shape, contrast: sum / count })
        })
        .collect()
}

/// Median deviation of every seventh judged cell, as a standard deviation.
fn spread(values: &[f32], judged: &[bool]) -> f32 {
    let mut sizes: Vec<f32> =
        values.iter().zip(judged).step_by(7).filter(|(_, j)| **j).map(|(v, _)| v.abs()).collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let middle = sizes.len() / 2;
    1.4826 * *sizes.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Whether a tenth of the runs end next to blown-out pixels.
fn starts_at_lamp(image: &WorkImage, map: &FaintMap, runs: &[Run]) -> bool {
    let lit = |x: u32, y: u32| {
        let (x, y) = (x as usize * CELL, y as usize * CELL);
        x < image.width && y < image.height && image.flags[y * image.width + x] & GLARE != 0
    };
    let beside = |run: &Run| {
        (1..=3).any(|d| {
            lit(run.start.saturating_sub(d), run.y) || lit((run.end + d).min(map.width as u32), run.y)
        })
    };
    runs.iter().filter(|r| beside(r)).count() * 10 > runs.len()
}

/// Groups of parallel neighbours; what has no neighbour is returned apart.
pub(super) fn group(lines: Vec<Line>, long_side: f32) -> (Vec<Vec<Line>>, Vec<Line>) {
    let reach = APART * long_side / CELL as f32;
    let mut groups: Vec<Vec<Line>> = Vec::new();
    let belongs = |a: &Line, b: &Line| {
        let turn = (a.shape.angle - b.shape.angle).abs();
        let turn = turn.min(std::f32::consts::PI - turn);
        let (aside, along) = a.frame(b.shape.centre);
        // Pieces of one line lie behind each other, streaks beside each other.
        turn < PARALLEL
            && aside < reach
            && along.abs() < 0.5 * (a.shape.length() + b.shape.length()) + 0.3 * reach
    };
    for line in lines {
        let (mut together, rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|g| g.iter().any(|other| belongs(other, &line)));
        groups = rest;
        let mut merged: Vec<Line> = together.drain(..).flatten().collect();
        merged.push(line);
        groups.push(merged);
    }
    let (many, single): (Vec<_>, Vec<_>) = groups.into_iter().partition(|g| g.len() > 1);
    // Pieces of a single line, one behind the other, are no group either.
    let (streaks, pieces): (Vec<_>, Vec<_>) = many.into_iter().partition(|g| side_by_side(g));
    (streaks, single.into_iter().flatten().chain(pieces.into_iter().map(longest)).collect())
}

/// Whether two lines of a group overlap along their common direction.
fn side_by_side(group: &[Line]) -> bool {
    group.iter().enumerate().any(|(i, a)| {
        group[i + 1..].iter().any(|b| {
            let (aside, along) = a.frame(b.shape.centre);
            aside > a.shape.width.max(b.shape.width)
                && along.abs() < 0.4 * (a.shape.length() + b.shape.length())
        })
    })
}

/// The pieces of one line as one line.
fn longest(pieces: Vec<Line>) -> Line {
    let contrast = pieces.iter().map(|l| l.contrast).sum::<f32>() / pieces.len().max(1) as f32;
    let mut runs: Vec<Run> = pieces.into_iter().flat_map(|l| l.runs).collect();
    runs.sort_by_key(|r| (r.y, r.start));
    Line { shape: Shape::of(&runs), runs, contrast }
}

/// Runs of cells as runs of work pixels.
pub(super) fn to_pixels(runs: &[Run]) -> Vec<Run> {
    let cell = CELL as u32;
    let mut out = Vec::with_capacity(runs.len() * CELL);
    let mut rest = runs;
    while let Some(first) = rest.first() {
        let row = rest.iter().take_while(|r| r.y == first.y).count();
        for line in 0..cell {
            out.extend(rest[..row].iter().map(|r| Run {
                y: r.y * cell + line,
                start: r.start * cell,
                end: r.end * cell,
            }));
        }
        rest = &rest[row..];
    }
    out
}
