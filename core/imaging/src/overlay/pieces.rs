//! Connected pieces of one class within a box of the region map, and their outermost points.

use super::palette::class_of;
use super::region_view::RegionView;
use crate::DefectClass;

/// The outermost points of a defect: where a label may stand close to what it names, even when the defect is a
/// crooked line in a wide box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tips {
    pub(crate) top: (f32, f32),
    pub(crate) right: (f32, f32),
    pub(crate) bottom: (f32, f32),
    pub(crate) left: (f32, f32),
}

/// Cells that hang together.
pub(crate) struct Piece {
    pub(crate) cells: usize,
    pub(crate) tips: Tips,
}

/// Walks through the pieces from the top; every cell is visited once.
pub(crate) struct Pieces<'a> {
    view: &'a RegionView,
    class: DefectClass,
    corner: (usize, usize),
    width: usize,
    height: usize,
    /// Cells of the box that are not of the class or were visited.
    done: Vec<bool>,
    next: usize,
}

impl<'a> Pieces<'a> {
    /// In the box from the first corner up to, not including, the second.
    pub(crate) fn within(
        view: &'a RegionView,
        class: DefectClass,
        from: (usize, usize),
        to: (usize, usize),
    ) -> Self {
        let (width, height) = (to.0.saturating_sub(from.0), to.1.saturating_sub(from.1));
        Self { view, class, corner: from, width, height, done: vec![false; width * height], next: 0 }
    }

    fn open(&self, x: usize, y: usize) -> bool {
        let cell = self.view.cells[(self.corner.1 + y) * self.view.width + self.corner.0 + x];
        !self.done[y * self.width + x] && class_of(cell) == Some(self.class)
    }

    pub(crate) fn next_piece(&mut self) -> Option<Piece> {
        while self.next < self.done.len() {
            let (x, y) = (self.next % self.width, self.next / self.width);
            if self.open(x, y) {
                return Some(self.piece_from(x, y));
            }
            self.next += 1;
        }
        None
    }

    /// Cells that touch at a side or a corner belong together.
    fn piece_from(&mut self, x: usize, y: usize) -> Piece {
        let place = |x: usize, y: usize| ((self.corner.0 + x) as f32, (self.corner.1 + y) as f32);
        let start = place(x, y);
        let mut piece =
            Piece { cells: 0, tips: Tips { top: start, right: start, bottom: start, left: start } };
        self.done[y * self.width + x] = true;
        let mut open = vec![(x, y)];
        while let Some((x, y)) = open.pop() {
            let at = ((self.corner.0 + x) as f32, (self.corner.1 + y) as f32);
            piece.cells += 1;
            let tips = &mut piece.tips;
            if at.1 < tips.top.1 {
                tips.top = at;
            }
            if at.0 > tips.right.0 {
                tips.right = at;
            }
            if at.1 > tips.bottom.1 {
                tips.bottom = at;
            }
            if at.0 < tips.left.0 {
                tips.left = at;
            }
            for ny in y.saturating_sub(1)..(y + 2).min(self.height) {
                for nx in x.saturating_sub(1)..(x + 2).min(self.width) {
                    if self.open(nx, ny) {
                        self.done[ny * self.width + nx] = true;
                        open.push((nx, ny));
                    }
                }
            }
        }
        piece
    }
}
