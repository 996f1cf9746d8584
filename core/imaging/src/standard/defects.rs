//! From deviations to defects: drops what belongs to light and geometry, joins what belongs together, names the rest.

use super::background::Background;
use super::blocks::Blocks;
use super::components::{self, Component};
use super::faint::FaintMap;
use super::film::{self, Boundary};
use super::lines::{self, Line};
use super::panel::{Panel, Part};
use super::runs::{self, Run};
use super::score::Scores;
use super::thresholds::Thresholds;
use super::work_image::{BLOCK, WorkImage};
use super::{classify, components::Shape, halves, indices, specks};
use crate::{Defect, DefectClass, Picture, Rect, Region, Sensitivity};

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
    /// Pixels that a lamp lights up without blowing them out.
    pub light: Vec<Run>,
    pub doubtful: usize,
    pub deviating: usize,
    /// How far many components share one direction, 0 to 1.
    pub aligned: f32,
    /// A line may or may not be the end of a film.
    pub undecided: bool,
}

/// Everything that is known of a picture.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub image: &'a WorkImage,
    pub blocks: &'a Blocks,
    pub panel: &'a Panel,
    pub background: &'a Background,
    pub scores: &'a Scores,
}

pub(super) fn find(scene: &Scene<'_>, thresholds: &Thresholds, sensitivity: Sensitivity) -> Found {
    let Scene { image, blocks, panel, background, scores } = *scene;
    let mut seen = components::find(image, background, scores, thresholds);
    let sparkle = specks::Sparkle::of(&mut seen.specks, &seen.components);
    let mut uncovered = Vec::new();
    let mut light = Vec::new();
    let mut kept = Vec::new();
    for component in seen.components {
        if lies_in(&component, panel, image, Part::Bare) > 0.5 {
            // A second material deviates because it is one, not because the picture is in doubt.
            seen.deviating = seen.deviating.saturating_sub(component.area as usize);
            uncovered.extend(component.runs);
        } else if classify::is_halo(&component) {
            light.extend(component.runs);
        } else if !classify::is_no_defect(&component, image.long_side(), thresholds)
            && !sparkle.includes(&component)
        {
            kept.push(component);
        }
    }
    classify::drop_satellites(&mut kept, image.scale.0 as f32);
    let map = FaintMap::of(image, panel, background);
    let (streaks, single) = lines::group(lines::find(image, &map, sensitivity), image.long_side());
    let mut undecided = false;
    for line in single {
        match film::examine(image, blocks, panel, &map, &line) {
            Boundary::Uncovered(runs) => {
                let rim = lines::to_pixels(&line.runs);
                let taken = Cover::of(image, runs.iter().chain(&rim));
                kept.retain(|c| taken.share(c) < 0.5);
                uncovered.extend(runs);
            }
            Boundary::Undecided => undecided = true,
            Boundary::No => {}
        }
    }
    let aligned = aligned(&kept);
    let mut defects: Vec<Named> = Vec::new();
    for group in streaks {
        let named = streak(group);
        if named.delta_e < lines::least_contrast(sensitivity) {
            continue;
        }
        let taken = Cover::of(image, &named.runs);
        kept.retain(|c| taken.share(c) < 0.5);
        defects.push(named);
    }
    let glossy_dark = glossy_dark(panel, background);
    let grouped = halves::groups(&kept);
    let raised = |i: usize| grouped.iter().filter(|&&g| g == grouped[i]).count() > 1;
    let raised: Vec<bool> = (0..kept.len()).map(raised).collect();
    defects.extend(joined(image, background, scores, kept, &grouped, &raised).into_iter().map(
        |(c, raised)| Named {
            class: classify::class(&c, image.long_side(), raised, glossy_dark),
            area: c.area,
            delta_e: c.amplitude,
            shape: c.shape,
            runs: c.runs,
        },
    ));
    defects.sort_by(|a, b| b.area.total_cmp(&a.area));
    Found {
        defects,
        uncovered,
        light,
        undecided,
        doubtful: seen.doubtful,
        deviating: seen.deviating,
        aligned,
    }
}

/// Lightness up to which paint is dark.
const DARK_PAINT: f32 = 35.0;

/// Dark paint with a lamp in it: drops on it show as highlights.
fn glossy_dark(panel: &Panel, background: &Background) -> bool {
    let mut levels: Vec<f32> = background.colour[0]
        .values
        .iter()
        .zip(&panel.parts)
        .filter(|(_, part)| **part == Part::Panel)
        .map(|(v, _)| *v)
        .collect();
    let middle = levels.len() / 2;
    let lamps = panel.parts.contains(&Part::Light);
    lamps && !levels.is_empty() && *levels.select_nth_unstable_by(middle, f32::total_cmp).1 < DARK_PAINT
}

/// A group of streaks as one defect.
fn streak(group: Vec<Line>) -> Named {
    let contrast = group.iter().map(|l| l.contrast).sum::<f32>() / group.len().max(1) as f32;
    let mut runs: Vec<Run> = group.into_iter().flat_map(|l| l.runs).collect();
    runs.sort_by_key(|r| (r.y, r.start));
    let runs = lines::to_pixels(&runs);
    let area = runs.iter().map(|r| r.length()).sum::<u32>() as f32;
    Named { class: DefectClass::Streak, area, delta_e: contrast, shape: Shape::of(&runs), runs }
}

/// Pixels that are already accounted for.
struct Cover {
    width: usize,
    taken: Vec<bool>,
}

impl Cover {
    fn of<'a>(image: &WorkImage, runs: impl IntoIterator<Item = &'a Run>) -> Self {
        let mut taken = vec![false; image.width * image.height];
        for run in runs {
            let row = run.y as usize * image.width;
            taken[row + run.start as usize..row + run.end as usize].fill(true);
        }
        Self { width: image.width, taken }
    }

    fn share(&self, component: &Component) -> f32 {
        let inside = component.runs.iter().map(|run| {
            let row = run.y as usize * self.width;
            self.taken[row + run.start as usize..row + run.end as usize].iter().filter(|t| **t).count()
        });
        inside.sum::<usize>() as f32 / component.area.max(1.0)
    }
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

/// Joins components that nearly touch or are halves of one; each comes with whether it has two halves.
fn joined(
    image: &WorkImage,
    background: &Background,
    scores: &Scores,
    components: Vec<Component>,
    halves: &[usize],
    raised: &[bool],
) -> Vec<(Component, bool)> {
    let mut all: Vec<(Run, usize)> = components
        .iter()
        .enumerate()
        .flat_map(|(c, component)| component.runs.iter().map(move |r| (*r, halves[c])))
        .collect();
    all.sort_by_key(|(run, _)| (run.y, run.start));
    let runs: Vec<Run> = all.iter().map(|(run, _)| *run).collect();
    let mut sets = runs::connect(&runs, NEAR);
    // The runs of one group hang together even where half its amplitude splits it.
    let mut first = vec![u32::MAX; components.len()];
    for (i, &(_, group)) in all.iter().enumerate() {
        if first[group] == u32::MAX {
            first[group] = i as u32;
        } else {
            sets.join(first[group], i as u32);
        }
    }
    let mut members: Vec<Vec<Component>> = vec![Vec::new(); runs.len()];
    let mut two = vec![false; runs.len()];
    for (c, component) in components.into_iter().enumerate() {
        let root = sets.find(first[halves[c]]) as usize;
        two[root] |= raised[c];
        members[root].push(component);
    }
    members
        .into_iter()
        .zip(two)
        .filter_map(|(mut group, two)| {
            if group.len() < 2 {
                return group.pop().map(|c| (c, two));
            }
            let mut runs: Vec<Run> = group.into_iter().flat_map(|c| c.runs).collect();
            runs.sort_by_key(|run| (run.y, run.start));
            Some((components::of_runs(image, background, scores, runs), two))
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
        let light = std::iter::once((self.light.as_slice(), Region::Glare));
        uncovered
            .chain(light)
            .chain(self.defects.iter().map(|d| (d.runs.as_slice(), indices::region(d.class))))
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
