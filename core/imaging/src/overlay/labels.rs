//! Numbers beside the largest defects, the same as in the list of findings.

use super::canvas::{Area, Canvas};
use super::palette::{CASING, class_color};
use super::pieces::{Piece, Pieces, Tips};
use super::region_view::RegionView;
use super::text::{Style, Typeface};
use crate::{Defect, Judgement};

/// How many defects are numbered.
pub(crate) const MOST: usize = 12;

/// The indices of the defects that are numbered, the largest first.
pub(crate) fn numbered(judgement: &Judgement) -> Vec<usize> {
    let mut order: Vec<usize> = (0..judgement.defects.len()).collect();
    let area = |index: &usize| judgement.defects[*index].area_percent;
    order.sort_by(|a, b| area(b).total_cmp(&area(a)));
    order.truncate(MOST);
    order
}

/// Draws them where they fit: beside the defect, inside the picture, not over each other.
pub(crate) fn draw(
    canvas: &mut Canvas,
    typeface: &Typeface,
    view: &RegionView,
    judgement: &Judgement,
    scale: (f32, f32),
) {
    // Smaller on smaller photographs, down to what can still be read.
    let unit = (canvas.width.max(canvas.height) as f32 / 1600.0).max(0.7);
    let (size, height) = (22.0 * unit, 30.0 * unit);
    if (canvas.width as f32) < 60.0 || (canvas.height as f32) < 40.0 {
        return;
    }
    let mut taken: Vec<Area> = Vec::new();
    for (place, index) in numbered(judgement).into_iter().enumerate() {
        let defect = &judgement.defects[index];
        let style = Style { size, bold: true, color: CASING };
        let number = (place + 1).to_string();
        let width = (typeface.width(&number, style) + 16.0 * unit).max(height);
        let tips = Tips::of(view, defect, scale);
        let places = tips.places(width, height);
        let (most_x, most_y) = (canvas.width as f32 - width - 3.0, canvas.height as f32 - height - 3.0);
        let inside = |&(x, y): &(f32, f32)| (3.0..=most_x).contains(&x) && (3.0..=most_y).contains(&y);
        let pushed_in = places.iter().map(|&(x, y)| (x.clamp(3.0, most_x), y.clamp(3.0, most_y)));
        // A place that has to be pushed into the picture may cover the defect: only when nothing else is free.
        let free = places
            .iter()
            .copied()
            .filter(inside)
            .chain(pushed_in)
            .map(|(x, y)| Area { x, y, width, height })
            .find(|area| taken.iter().all(|other| !area.overlaps(&other.grown(3.0))));
        let Some(area) = free else { continue };
        canvas.rounded(area.grown(2.0), 0.5 * height + 2.0, CASING, 0.85);
        canvas.rounded(area, 0.5 * height, class_color(defect.class), 1.0);
        typeface.write_centered(
            canvas,
            &number,
            area.x + 0.5 * width,
            area.y + 0.5 * height + 0.36 * size,
            style,
        );
        taken.push(area);
    }
}

impl Tips {
    /// The tips of the largest piece of that class within the defect's box; the middles of the box's sides when
    /// the region map does not show it. Neighbours may reach into the box, and a group of streaks has many pieces.
    fn of(view: &RegionView, defect: &Defect, scale: (f32, f32)) -> Self {
        let bounds = defect.bounds;
        let (x0, y0) = (bounds.x as f32 * scale.0, bounds.y as f32 * scale.1);
        let (x1, y1) = (x0 + bounds.width as f32 * scale.0, y0 + bounds.height as f32 * scale.1);
        let (middle_x, middle_y) = (0.5 * (x0 + x1), 0.5 * (y0 + y1));
        let (left, top) = (x0 as usize, y0 as usize);
        let (right, bottom) = ((x1.ceil() as usize).min(view.width), (y1.ceil() as usize).min(view.height));
        let mut pieces = Pieces::within(view, defect.class, (left, top), (right, bottom));
        let mut largest: Option<Piece> = None;
        while let Some(piece) = pieces.next_piece() {
            if largest.as_ref().is_none_or(|known| piece.cells > known.cells) {
                largest = Some(piece);
            }
        }
        largest.map_or(
            Self { top: (middle_x, y0), right: (x1, middle_y), bottom: (middle_x, y1), left: (x0, middle_y) },
            |piece| piece.tips,
        )
    }

    /// Upper left corners to try for a label of that size, the closest first.
    fn places(&self, width: f32, height: f32) -> Vec<(f32, f32)> {
        [9.0, 26.0, 52.0, 90.0]
            .into_iter()
            .flat_map(|off| {
                [
                    (self.top.0 - 0.2 * width, self.top.1 - height - off),
                    (self.right.0 + off, self.right.1 - 0.8 * height),
                    (self.left.0 - width - off, self.left.1 - 0.8 * height),
                    (self.bottom.0 - 0.5 * width, self.bottom.1 + off),
                    (self.right.0 + off, self.top.1 - height - 0.5 * off),
                    (self.left.0 - width - off, self.top.1 - height - 0.5 * off),
                ]
            })
            .collect()
    }
}
