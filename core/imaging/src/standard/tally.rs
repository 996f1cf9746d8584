//! Counts the judged picture: how much is valid, covered, uncovered and defective, in the margin and inside.

use std::collections::VecDeque;

use super::blocks::beside;
use super::panel::Part;
use super::work_image::{BLOCK, CLIPPED, WorkImage};
use crate::Region;

/// Share of the panel's short side that is its margin.
const MARGIN: f32 = 0.08;

/// Pixels of one zone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Zone {
    /// Neither outside nor glare.
    pub valid: usize,
    /// Valid, without defect, covered.
    pub sound: usize,
}

/// The counts of a picture, in work pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub judged: usize,
    pub glare: usize,
    pub uncovered: usize,
    pub clipped: usize,
    pub margin: Zone,
    pub interior: Zone,
}

impl Tally {
    pub(super) fn valid(&self) -> usize {
        self.margin.valid + self.interior.valid
    }

    pub(super) fn sound(&self) -> usize {
        self.margin.sound + self.interior.sound
    }

    pub(super) fn of(image: &WorkImage, parts: &[Part], cells: &[Region]) -> Self {
        let columns = image.block_columns();
        let margin = margin_blocks(columns, parts);
        let mut tally = Self::default();
        for (y, row) in cells.chunks(image.width).enumerate() {
            let first = y / BLOCK * columns;
            let flags = image.flags[y * image.width..].chunks(BLOCK);
            for ((column, pixels), flags) in row.chunks(BLOCK).enumerate().zip(flags) {
                let block = first + column;
                if !parts[block].judged() {
                    continue;
                }
                let count =
                    |wanted: Region| pixels.iter().map(|&p| u8::from(p == wanted)).sum::<u8>() as usize;
                let (coat, glare) = (count(Region::Coat), count(Region::Glare));
                tally.judged += pixels.len();
                tally.glare += glare;
                if coat + glare < pixels.len() {
                    tally.uncovered += count(Region::Uncovered);
                }
                let clipped = flags[..pixels.len()].iter().map(|f| (f / CLIPPED) & 1).sum::<u8>();
                tally.clipped += usize::from(clipped);
                let zone = if margin[block] { &mut tally.margin } else { &mut tally.interior };
                zone.valid += pixels.len() - glare;
                zone.sound += coat;
            }
        }
        tally
    }
}

/// The blocks within the margin, counted from the border of the panel inwards.
fn margin_blocks(columns: usize, parts: &[Part]) -> Vec<bool> {
    let rows = parts.len() / columns.max(1);
    let (mut left, mut right, mut top, mut bottom) = (columns, 0, rows, 0);
    for (i, part) in parts.iter().enumerate() {
        if part.judged() {
            let (x, y) = (i % columns, i / columns);
            (left, right, top, bottom) = (left.min(x), right.max(x + 1), top.min(y), bottom.max(y + 1));
        }
    }
    let short = right.saturating_sub(left).min(bottom.saturating_sub(top));
    let depth = (short as f32 * MARGIN).round().max(1.0) as usize;
    let mut distance = vec![usize::MAX; parts.len()];
    let mut queue = VecDeque::new();
    for (i, part) in parts.iter().enumerate() {
        let beside: Vec<usize> = beside(columns, rows, i).collect();
        if part.judged() && (beside.len() < 4 || beside.iter().any(|&n| !parts[n].judged())) {
            distance[i] = 1;
            queue.push_back(i);
        }
    }
    while let Some(i) = queue.pop_front() {
        for next in beside(columns, rows, i) {
            if parts[next].judged() && distance[next] == usize::MAX {
                distance[next] = distance[i] + 1;
                queue.push_back(next);
            }
        }
    }
    distance.iter().map(|&d| d <= depth).collect()
}
