//! From deviations to defects: drops what belongs to light and geometry, joins what belongs together, names the rest.

use super::background::Background;
use super::classify;
use super::components::{self, Component};
use super::panel::{Panel, Part};
use super::runs::{self, Run};
use super::score::Scores;
use super::thresholds::Thresholds;
use super::work_image::{BLOCK, WorkImage};
use super::{components::Shape, indices};
use crate::{Defect, DefectClass, Picture, Rect, Region};

/// Components closer than this are one defect, in work pixels.
const NEAR: u32 = 3;
/// From so many components on, a common direction means structure.
const MANY: usize = 12;

/// One defect on the work image.
pub(super) struct Named {
    pub class: DefectClass,
    pub area: f32,
    pub delta_e: f32,
    pub shape: Shape,
    pub runs: Vec<Run>,
}

/// What the work image holds.
pub(super) struct Found {
    pub defects: Vec<Named>,
    /// Pixels of a second material or without film.
    pub uncovered: Vec<Run>,
    pub doubtful: usize,
    pub deviating: usize,
    /// How far many components share one direction, 0 to 1.
    pub aligned: f32,
}

pub(super) fn find(
    image: &WorkImage,
    panel: &Panel,
    background: &Background,
    scores: &Scores,
    thresholds: &Thresholds,
) -> Found {
    let mut seen = components::find(image, background, scores, thresholds);
    let mut uncovered = Vec::new();
    let mut kept = Vec::new();
    for component in seen.components {
        if lies_in(&component, panel, image, Part::Bare) > 0.5 {
            // A second material deviates because it is one, not because the picture is in doubt.
            seen.deviating = seen.deviating.saturating_sub(component.area as usize);
            uncovered.extend(component.runs);
        } else if !classify::is_no_defect(&component, image.long_side(), thresholds) {
            kept.push(component);
        }
    }
    let aligned = aligned(&kept);
    let mut defects: Vec<Named> = joined(image, background, scores, kept)
        .into_iter()
        .map(|c| Named {
            class: classify::class(&c, image.long_side()),
            area: c.area,
            delta_e: c.amplitude,
            shape: c.shape,
            runs: c.runs,
        })
        .collect();
    defects.sort_by(|a, b| b.area.total_cmp(&a.area));
    Found { defects, uncovered, doubtful: seen.doubtful, deviating: seen.deviating, aligned }
}

/// Share of a component within blocks of that part.
fn lies_in(component: &Component, panel: &Panel, image: &WorkImage, part: Part) -> f32 {
    let columns = image.block_columns();
    let (mut inside, mut total) = (0u32, 0u32);
    for run in &component.runs {
        let row = run.y as usize / BLOCK * columns;
        let mut x = run.start;
        while x < run.end {
            let end = (x / BLOCK as u32 + 1) * BLOCK as u32;
            let end = end.min(run.end);
            total += end - x;
            if panel.parts[row + x as usize / BLOCK] == part {
                inside += end - x;
            }
            x = end;
        }
    }
    inside as f32 / total.max(1) as f32
}

/// Joins components that nearly touch.
fn joined(
    image: &WorkImage,
    background: &Background,
    scores: &Scores,
    components: Vec<Component>,
) -> Vec<Component> {
    let mut all: Vec<(Run, usize)> = components
        .iter()
        .enumerate()
        .flat_map(|(c, component)| component.runs.iter().map(move |r| (*r, c)))
        .collect();
    all.sort_by_key(|(run, _)| (run.y, run.start));
    let runs: Vec<Run> = all.iter().map(|(run, _)| *run).collect();
    let mut sets = runs::connect(&runs, NEAR);
    // The runs of one component hang together even where half its amplitude splits it.
    let mut first = vec![u32::MAX; components.len()];
    for (i, &(_, component)) in all.iter().enumerate() {
        if first[component] == u32::MAX {
            first[component] = i as u32;
        } else {
            sets.join(first[component], i as u32);
        }
    }
    let mut members = vec![Vec::new(); runs.len()];
    for (c, component) in components.into_iter().enumerate() {
        if first[c] != u32::MAX {
            members[sets.find(first[c]) as usize].push(component);
        }
    }
    members
        .into_iter()
        .filter_map(|mut group| {
            if group.len() < 2 {
                return group.pop();
            }
            let mut runs: Vec<Run> = group.into_iter().flat_map(|c| c.runs).collect();
            runs.sort_by_key(|run| (run.y, run.start));
            Some(components::measure(image, background, scores, runs))
        })
        .collect()
}

/// Length of the mean of the doubled directions of long components; 0 when there are few.
fn aligned(components: &[Component]) -> f32 {
    let long: Vec<f32> =
        components.iter().filter(|c| c.shape.elongation() > 2.5).map(|c| 2.0 * c.shape.angle).collect();
    if long.len() < MANY {
        return 0.0;
    }
    let (x, y) = long.iter().fold((0.0, 0.0), |(x, y), angle| (x + angle.cos(), y + angle.sin()));
    x.hypot(y) / components.len() as f32
}

impl Found {
    /// Runs and what they are painted as, in order.
    pub(super) fn painted(&self) -> impl Iterator<Item = (&[Run], Region)> {
        let uncovered = std::iter::once((self.uncovered.as_slice(), Region::Uncovered));
        uncovered.chain(self.defects.iter().map(|d| (d.runs.as_slice(), indices::region(d.class))))
    }

    pub(super) fn largest_rust(&self) -> Option<f32> {
        self.defects.iter().filter(|d| d.class == DefectClass::Rust).map(|d| d.area).reduce(f32::max)
    }

    pub(super) fn longest_crack(&self) -> f32 {
        let cracks = self.defects.iter().filter(|d| d.class == DefectClass::Crack);
        cracks.map(|d| d.shape.extent()).fold(0.0, f32::max)
    }

    /// The defects in pixels of the source, largest first.
    pub(super) fn list(&self, picture: &Picture, image: &WorkImage, valid: usize) -> Vec<Defect> {
        let (sx, sy) = image.scale;
        self.defects
            .iter()
            .map(|d| {
                let x = ((f64::from(d.shape.left) * sx) as u32).min(picture.width - 1);
                let y = ((f64::from(d.shape.top) * sy) as u32).min(picture.height - 1);
                let right = ((f64::from(d.shape.right) * sx).ceil() as u32).clamp(x + 1, picture.width);
                let bottom = ((f64::from(d.shape.bottom) * sy).ceil() as u32).clamp(y + 1, picture.height);
                Defect {
                    class: d.class,
                    bounds: Rect { x, y, width: right - x, height: bottom - y },
                    area_percent: 100.0 * f64::from(d.area) / valid as f64,
                    delta_e: d.delta_e,
                }
            })
            .collect()
    }
}
