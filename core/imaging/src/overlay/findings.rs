//! Marks on the photograph itself: what lies outside is dimmed, what is uncovered is tinted and hatched, glare is
//! hatched lightly, defects get an outline that leaves them and the coat around them as they are.

use super::canvas::{Canvas, blend};
use super::palette::{CASING, GLARE, Rgb, UNCOVERED, class_color, class_of};
use super::region_view::RegionView;
use crate::{Judgement, Region};

/// How far an outline keeps off its defect, in pixels.
const GAP: f32 = 1.5;
/// Width of the coloured line.
const LINE: f32 = 3.0;
/// Width of the dark casing on both sides, which lets the line be seen on any paint.
const EDGE: f32 = 1.3;
/// Everything that an outline may touch.
const REACH: i64 = 7;

/// Defects smaller than this get a ring as well.
const SMALL: f32 = 11.0;
/// With more defects than this, rings would hide the picture.
const MOST_RINGED: usize = 60;

/// Tints areas: outside, uncovered, glare.
pub(crate) fn tint(canvas: &mut Canvas, view: &RegionView) {
    for (y, (row, regions)) in
        canvas.rgb.chunks_exact_mut(3 * view.width).zip(view.cells.chunks_exact(view.width)).enumerate()
    {
        for (x, (pixel, region)) in row.chunks_exact_mut(3).zip(regions).enumerate() {
            match region {
                Region::Outside => dim(pixel),
                Region::Uncovered => {
                    let on_line = (x + y) % 16 < 4;
                    blend(pixel, UNCOVERED, if on_line { 0.62 } else { 0.24 });
                }
                Region::Glare if (x + 14 - y % 14) % 14 < 2 => blend(pixel, [70, 84, 98], 0.45),
                _ => {}
            }
        }
    }
}

/// A third of the light and little colour: present, but not looked at.
fn dim(pixel: &mut [u8]) {
    let grey = (u32::from(pixel[0]) * 77 + u32::from(pixel[1]) * 151 + u32::from(pixel[2]) * 28) >> 8;
    for channel in pixel {
        *channel = ((u32::from(*channel) + 2 * grey) * 3 / 25) as u8 + 10;
    }
}

/// Draws the outlines of defects, of uncovered areas and of glare.
pub(crate) fn outline(canvas: &mut Canvas, view: &RegionView) {
    let (width, height) = (view.width as i64, view.height as i64);
    let mut field = Field::new(view);
    for y in 0..height {
        for x in 0..width {
            let region = view.cells[(y * width + x) as usize];
            if matches!(region, Region::Coat | Region::Outside) {
                continue;
            }
            let same = |dx: i64, dy: i64| {
                let (nx, ny) = (x + dx, y + dy);
                // The picture's own border is no border of a region.
                !(0..width).contains(&nx)
                    || !(0..height).contains(&ny)
                    || view.cells[(ny * width + nx) as usize] == region
            };
            if !(same(-1, 0) && same(1, 0) && same(0, -1) && same(0, 1)) {
                field.stamp(view, x, y, region);
            }
        }
    }
    field.draw(canvas);
}

fn color_of(region: Region) -> Option<Rgb> {
    match region {
        Region::Uncovered => Some(UNCOVERED),
        Region::Glare => Some(GLARE),
        other => class_of(other).map(class_color),
    }
}

/// Distance to the nearest marked region, for the pixels near one and outside of it.
struct Field {
    width: i64,
    height: i64,
    /// In sixteenths of a pixel; `u8::MAX` is far.
    distance: Vec<u8>,
    nearest: Vec<Region>,
    /// The distances around one pixel, row by row.
    kernel: Vec<(i64, i64, u8)>,
}

impl Field {
    fn new(view: &RegionView) -> Self {
        let mut kernel = Vec::new();
        for dy in -REACH..=REACH {
            for dx in -REACH..=REACH {
                let away = ((dx * dx + dy * dy) as f32).sqrt();
                if away > 0.0 && away <= REACH as f32 {
                    kernel.push((dx, dy, (16.0 * away) as u8));
                }
            }
        }
        Self {
            width: view.width as i64,
            height: view.height as i64,
            distance: vec![u8::MAX; view.cells.len()],
            nearest: vec![Region::Coat; view.cells.len()],
            kernel,
        }
    }

    /// Enters a border pixel of a region. A defect's line may cross any other region; the quieter lines of
    /// uncovered areas and glare give way to it.
    fn stamp(&mut self, view: &RegionView, x: i64, y: i64, region: Region) {
        let loud = class_of(region).is_some();
        for &(dx, dy, away) in &self.kernel {
            let (nx, ny) = (x + dx, y + dy);
            if nx < 0 || ny < 0 || nx >= self.width || ny >= self.height {
                continue;
            }
            let index = (ny * self.width + nx) as usize;
            if view.cells[index] == region {
                continue;
            }
            let held = self.distance[index] != u8::MAX && class_of(self.nearest[index]).is_some();
            if (held && !loud) || (held == loud && away >= self.distance[index]) {
                continue;
            }
            self.distance[index] = away;
            self.nearest[index] = region;
        }
    }

    fn draw(&self, canvas: &mut Canvas) {
        for (index, &distance) in self.distance.iter().enumerate() {
            if distance == u8::MAX {
                continue;
            }
            let Some(color) = color_of(self.nearest[index]) else { continue };
            let away = f32::from(distance) / 16.0;
            let pixel = &mut canvas.rgb[3 * index..3 * index + 3];
            if self.nearest[index] == Region::Glare {
                // A thin line: glare is a remark, not a finding.
                blend(pixel, color, band(away, 1.0, 2.4) * 0.8);
                continue;
            }
            let casing = band(away, GAP - EDGE, GAP + LINE + EDGE);
            blend(pixel, CASING, 0.78 * casing);
            blend(pixel, color, band(away, GAP, GAP + LINE));
        }
    }
}

/// 1.0 between the two distances, falling off over one pixel around each of them.
fn band(away: f32, from: f32, to: f32) -> f32 {
    (away - from + 0.5).clamp(0.0, 1.0).min((to - away + 0.5).clamp(0.0, 1.0))
}

/// Rings around defects that are too small to be noticed by their outline alone; `scale` is overlay pixels per
/// source pixel in both directions.
pub(crate) fn ring_small(canvas: &mut Canvas, judgement: &Judgement, scale: (f32, f32)) {
    if judgement.defects.len() > MOST_RINGED {
        return;
    }
    let small = judgement.defects.iter().filter_map(|defect| {
        let width = defect.bounds.width as f32 * scale.0;
        let height = defect.bounds.height as f32 * scale.1;
        let center =
            (defect.bounds.x as f32 * scale.0 + 0.5 * width, defect.bounds.y as f32 * scale.1 + 0.5 * height);
        (width.max(height) < SMALL)
            .then(|| (center, 0.5 * width.max(height) + 13.0, class_color(defect.class)))
    });
    for (center, radius, color) in small {
        canvas.ring(center, radius, 2.0 + 2.0 * EDGE, CASING, 0.6);
        canvas.ring(center, radius, 2.0, color, 1.0);
    }
}
