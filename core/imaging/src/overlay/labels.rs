//! Numbers beside the largest defects, the same as in the list of findings.

use super::canvas::{Area, Canvas};
use super::palette::{CASING, class_color};
use super::text::{Style, Typeface};
use crate::Judgement;

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
pub(crate) fn draw(canvas: &mut Canvas, typeface: &Typeface, judgement: &Judgement, scale: (f32, f32)) {
    let size = 22.0;
    let height = 30.0;
    if (canvas.width as f32) < 60.0 || (canvas.height as f32) < 40.0 {
        return;
    }
    let mut taken: Vec<Area> = Vec::new();
    for (place, index) in numbered(judgement).into_iter().enumerate() {
        let defect = &judgement.defects[index];
        let style = Style { size, bold: true, color: CASING };
        let number = (place + 1).to_string();
        let width = (typeface.width(&number, style) + 16.0).max(height);
        let left = defect.bounds.x as f32 * scale.0;
        let top = defect.bounds.y as f32 * scale.1;
        let right = left + defect.bounds.width as f32 * scale.0;
        let bottom = top + defect.bounds.height as f32 * scale.1;
        let free = candidates(left, top, right, bottom, width, height)
            .into_iter()
            .map(|(x, y)| Area {
                x: x.clamp(3.0, canvas.width as f32 - width - 3.0),
                y: y.clamp(3.0, canvas.height as f32 - height - 3.0),
                width,
                height,
            })
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

/// Upper left corners to try: around the box, then farther out.
fn candidates(left: f32, top: f32, right: f32, bottom: f32, width: f32, height: f32) -> Vec<(f32, f32)> {
    let middle_x = 0.5 * (left + right - width);
    let middle_y = 0.5 * (top + bottom - height);
    [9.0, 24.0, 52.0, 90.0]
        .into_iter()
        .flat_map(|off| {
            let (before_x, after_x) = (left - width - 0.7 * off, right + 0.7 * off);
            let (before_y, after_y) = (top - height - 0.7 * off, bottom + 0.7 * off);
            [
                (after_x, before_y),
                (before_x, before_y),
                (after_x, after_y),
                (before_x, after_y),
                (middle_x, top - height - off),
                (right + off, middle_y),
                (middle_x, bottom + off),
                (left - width - off, middle_y),
            ]
        })
        .collect()
}
