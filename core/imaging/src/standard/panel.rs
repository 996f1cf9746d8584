//! Finds the panel: the largest smooth coherent region that touches the centre of the picture.
//!
//! Works on blocks. Neighbouring blocks belong together when the step between them is small; light changes L* slowly
//! and hardly touches a* and b*, the end of a panel changes all at once. It does not know what a panel is: a picture
//! filled by one smooth wall is a panel to it.

use super::blocks::{Block, Blocks};

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Floor, tape, hands, gaps.
    Outside,
    /// Coating: the background is estimated from these.
    Panel,
    /// Inside the panel and unlike it: judged, but not background.
    Patch,
    /// A second material beside the coating that belongs to the part: substrate.
    Bare,
    /// A mirrored lamp and its surroundings.
    Light,
}

impl Part {
    /// Whether its pixels are judged.
    pub(super) fn judged(self) -> bool {
        self != Self::Outside
    }
}

/// Where the panel is, and how sure that is.
pub(super) struct Panel {
    pub parts: Vec<Part>,
    /// 0 to 1: how clearly one region stands out.
    pub clarity: f32,
}

/// Largest step between neighbouring blocks of one surface (ΔE with L* weighted by [`LIGHTNESS`]).
const STEP: f32 = 5.0;
/// Light changes L* without meaning anything.
const LIGHTNESS: f32 = 0.6;
/// A second material differs at least so much (ΔE).
const MATERIAL: f32 = 12.0;
/// Share of the picture below which a region at the border is a patch of the panel rather than a surface of its own.
const SMALL: f32 = 0.015;
/// Largest share of the picture that a bare strip may have.
const BARE_SHARE: f32 = 0.3;

struct Regions {
    /// Region of every block.
    of: Vec<usize>,
    facts: Vec<Facts>,
}

#[derive(Default, Clone)]
struct Facts {
    blocks: usize,
    central: f32,
    sum: [f32; 3],
    glare: f32,
    detail: f32,
    /// Blocks on the left, right, top and bottom border of the picture.
    border: [usize; 4],
}

impl Facts {
    fn mean(&self) -> [f32; 3] {
        self.sum.map(|s| s / self.blocks.max(1) as f32)
    }

    fn detail(&self) -> f32 {
        self.detail / self.blocks.max(1) as f32
    }

    fn sides(&self) -> usize {
        self.border.iter().filter(|&&b| b > 0).count()
    }
}

/// Colour distance of two blocks, L* weighted.
fn step(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    let l = LIGHTNESS * (a[0] - b[0]);
    (l * l + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

pub(super) fn find(blocks: &Blocks) -> Panel {
    let regions = segment(blocks);
    let total = blocks.cells.len() as f32;
    let Some(panel) = (0..regions.facts.len())
        .max_by(|&a, &b| regions.facts[a].central.total_cmp(&regions.facts[b].central))
    else {
        return Panel { parts: vec![Part::Panel; blocks.cells.len()], clarity: 0.0 };
    };
    let home = regions.facts[panel].clone();
    let alike = |f: &Facts| {
        let (a, b) = (home.mean(), f.mean());
        step(&a, &b) < 1.6 * STEP && ratio(home.detail(), f.detail()) < 2.0
    };
    let small = |f: &Facts| (f.blocks as f32) < SMALL * total;
    let mut parts = vec![Part::Outside; blocks.cells.len()];
    for (part, &region) in parts.iter_mut().zip(&regions.of) {
        if region == panel || (!small(&regions.facts[region]) && alike(&regions.facts[region])) {
            *part = Part::Panel;
        }
    }
    let framed = fills_the_frame(blocks, &parts);
    for group in groups(blocks, &parts) {
        judge_group(blocks, &regions, &home, &group, framed, &mut parts);
    }
    shrink(blocks, &mut parts);
    let clarity = clarity(blocks, &parts);
    Panel { parts, clarity }
}

/// How clearly one panel stands out: it is large, of one piece, of one material, and its outline is short.
fn clarity(blocks: &Blocks, parts: &[Part]) -> f32 {
    let count = |wanted: &dyn Fn(usize) -> bool| (0..parts.len()).filter(|&i| wanted(i)).count() as f32;
    let judged = count(&|i| parts[i].judged());
    if judged < 1.0 {
        return 0.0;
    }
    let coherent = count(&|i| matches!(parts[i], Part::Panel | Part::Bare | Part::Light)) / judged;
    let rim = count(&|i| parts[i].judged() && blocks.beside(i).any(|n| !parts[n].judged()));
    // A square has a rim of about four times its side.
    let outline = rim / (4.0 * judged.sqrt());
    let pieces = groups(blocks, &parts.iter().map(|p| invert(*p)).collect::<Vec<_>>());
    let largest = pieces.iter().map(Vec::len).max().unwrap_or(0) as f32 / judged;
    let rise = |value: f32, from: f32, upto: f32| ((value - from) / (upto - from)).clamp(0.0, 1.0);
    (judged / parts.len() as f32 / 0.4).min(1.0)
        * (coherent / 0.7).min(1.0)
        * (1.0 - 0.7 * rise(outline, 1.05, 1.7))
        * (0.5 + 0.5 * rise(largest, 0.6, 0.95))
}

/// Judged becomes what [`groups`] collects, the rest what it skips.
fn invert(part: Part) -> Part {
    if part.judged() { Part::Outside } else { Part::Panel }
}

fn ratio(a: f32, b: f32) -> f32 {
    let (a, b) = (a + 0.3, b + 0.3);
    (a / b).max(b / a)
}

/// Joins neighbouring blocks whose step is small. Blocks that the end of a surface crosses look a little like both
/// sides: they conduct nothing and are given to the neighbour that they resemble most, afterwards.
fn segment(blocks: &Blocks) -> Regions {
    let count = blocks.cells.len();
    let edge: Vec<bool> = (0..count).map(|i| is_edge(blocks, i)).collect();
    let colour = |i: usize| &blocks.cells[i].median;
    let mut of = vec![usize::MAX; count];
    let mut regions = 0;
    let mut stack = Vec::new();
    for start in (0..count).filter(|&i| !edge[i]).collect::<Vec<_>>() {
        if of[start] != usize::MAX {
            continue;
        }
        of[start] = regions;
        stack.push(start);
        while let Some(i) = stack.pop() {
            for next in blocks.beside(i) {
                if of[next] == usize::MAX && !edge[next] && step(colour(i), colour(next)) < STEP {
                    of[next] = regions;
                    stack.push(next);
                }
            }
        }
        regions += 1;
    }
    let inner = of.clone();
    for i in (0..count).filter(|&i| edge[i]) {
        let nearest = blocks
            .beside(i)
            .filter(|&n| inner[n] != usize::MAX)
            .map(|n| (step(colour(i), colour(n)), inner[n]))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        of[i] = nearest.filter(|n| n.0 < STEP).map_or_else(
            || {
                regions += 1;
                regions - 1
            },
            |n| n.1,
        );
    }
    let mut facts = vec![Facts::default(); regions];
    for (i, &region) in of.iter().enumerate() {
        note(&mut facts[region], blocks, i);
    }
    Regions { of, facts }
}

/// Whether the colour changes across a block, from one neighbour to the opposite one.
fn is_edge(blocks: &Blocks, i: usize) -> bool {
    let (x, y) = (i % blocks.columns, i / blocks.columns);
    let far = |inside: bool, stride: usize| {
        inside && step(&blocks.cells[i - stride].median, &blocks.cells[i + stride].median) >= 1.5 * STEP
    };
    far(x > 0 && x + 1 < blocks.columns, 1) || far(y > 0 && y + 1 < blocks.rows, blocks.columns)
}

fn note(facts: &mut Facts, blocks: &Blocks, i: usize) {
    let block: &Block = &blocks.cells[i];
    let (x, y) = (i % blocks.columns, i / blocks.columns);
    facts.blocks += 1;
    facts.glare += block.glare;
    facts.detail += block.detail;
    for (sum, m) in facts.sum.iter_mut().zip(block.median) {
        *sum += m;
    }
    let off = |place: usize, length: usize| ((place as f32 + 0.5) / length as f32 - 0.5).abs();
    let far = off(x, blocks.columns).max(off(y, blocks.rows));
    facts.central += if far < 0.15 {
        4.0
    } else if far < 0.3 {
        1.0
    } else {
        0.25
    };
    let sides = [x == 0, x + 1 == blocks.columns, y == 0, y + 1 == blocks.rows];
    for (border, side) in facts.border.iter_mut().zip(sides) {
        *border += usize::from(side);
    }
}

/// Connected sets of blocks that are not yet panel.
fn groups(blocks: &Blocks, parts: &[Part]) -> Vec<Vec<usize>> {
    let mut seen: Vec<bool> = parts.iter().map(|p| *p == Part::Panel).collect();
    let mut groups = Vec::new();
    for start in 0..parts.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut group = vec![start];
        let mut next = 0;
        while next < group.len() {
            for i in blocks.beside(group[next]) {
                if !seen[i] {
                    seen[i] = true;
                    group.push(i);
                }
            }
            next += 1;
        }
        groups.push(group);
    }
    groups
}

fn judge_group(
    blocks: &Blocks,
    regions: &Regions,
    home: &Facts,
    group: &[usize],
    framed: bool,
    parts: &mut [Part],
) {
    let total = blocks.cells.len() as f32;
    let mut facts = Facts::default();
    group.iter().for_each(|&i| note(&mut facts, blocks, i));
    let enclosed = facts.sides() == 0;
    let share = facts.blocks as f32 / total;
    if enclosed || share < SMALL {
        for &i in group {
            parts[i] = patch_or_light(home, &blocks.cells[i]);
        }
        return;
    }
    let largest = group.iter().map(|&i| &regions.facts[regions.of[i]]).max_by_key(|f| f.blocks);
    let other = largest.is_some_and(|f| step(&f.mean(), &home.mean()) >= LIGHTNESS * MATERIAL);
    let steady = ratio(facts.detail(), home.detail()) < 3.0;
    let bare = framed && other && steady && share < BARE_SHARE;
    for &i in group {
        let bright = blocks.cells[i].glare > 0.3 && home.mean()[0] + 10.0 < blocks.cells[i].median[0];
        parts[i] = if bright {
            Part::Light
        } else if bare {
            Part::Bare
        } else {
            Part::Outside
        };
    }
}

/// Whether the panel runs to all sides of the picture but perhaps one: then what is along that side belongs to it.
fn fills_the_frame(blocks: &Blocks, parts: &[Part]) -> bool {
    let (columns, rows) = (blocks.columns, blocks.rows);
    let share = |length: usize, at: &dyn Fn(usize) -> usize| {
        (0..length).filter(|&i| parts[at(i)] == Part::Panel).count() as f32 / length as f32
    };
    let sides = [
        share(rows, &|i| i * columns),
        share(rows, &|i| (i + 1) * columns - 1),
        share(columns, &|i| i),
        share(columns, &|i| (rows - 1) * columns + i),
    ];
    sides.iter().filter(|&&s| s > 0.6).count() >= 3
}

fn patch_or_light(home: &Facts, block: &Block) -> Part {
    let brighter = block.median[0] > home.mean()[0] + 15.0;
    if block.glare > 0.2 && brighter { Part::Light } else { Part::Patch }
}

/// Gives up the blocks beside what is outside: they show both.
fn shrink(blocks: &Blocks, parts: &mut [Part]) {
    let before = parts.to_vec();
    for (i, part) in parts.iter_mut().enumerate() {
        let rim = blocks.beside(i).any(|n| before[n] == Part::Outside);
        if rim {
            *part = Part::Outside;
        }
    }
}
