//! Gives a deviation its name, or finds that it is not a defect at all.

use super::components::{Component, Shape};
use super::thresholds::Thresholds;
use crate::DefectClass;

/// Edges that rise over more pixels than this (at a long side of 1600) belong to the light.
const SOFT: f32 = 9.0;
/// Shadows and mirror images are at least so large across; what is smaller and soft is a dome.
const SMALLEST_SHADOW: f32 = 110.0;
/// Widest crack in pixels at a long side of 1600.
const CRACK_WIDTH: f32 = 6.0;
/// Largest bead and blister across, in pixels at a long side of 1600.
const LARGEST_BEAD: f32 = 60.0;
const LARGEST_BLISTER: f32 = 140.0;
/// L* above the paint from which a drop's highlight is one.
const HIGHLIGHT: f32 = 12.0;
/// Spread across a line below which it is straight as a ruler.
const STRAIGHT: f32 = 1.5;

/// Whether a component is a shadow, a mirror image or the outline of the part.
pub(super) fn is_no_defect(component: &Component, long_side: f32, thresholds: &Thresholds) -> bool {
    let size = (long_side / 1600.0).max(0.5);
    let large = component.shape.extent() > SMALLEST_SHADOW * size;
    if component.softness > SOFT * size && large && !is_rust(component) {
        return true;
    }
    thresholds.line_share.is_some_and(|share| {
        component.shape.axes.1 < STRAIGHT && component.shape.length() >= share * long_side
    })
}

/// Whether a component is what a lamp lights up around its blown-out image.
pub(super) fn is_halo(component: &Component) -> bool {
    component.beside_glare > 0.15 && component.deviation[0] > 0.0
}

/// The class by colour first, then by shape. `raised`: it has a bright and a dark half. `glossy_dark`: the paint is
/// dark and mirrors a lamp.
pub(super) fn class(component: &Component, long_side: f32, raised: bool, glossy_dark: bool) -> DefectClass {
    let shape = &component.shape;
    let size = (long_side / 1600.0).max(0.5);
    let thin = shape.width <= CRACK_WIDTH * size;
    let long = shape.elongation() > 5.0 || shape.extent() > 8.0 * shape.width;
    let compact = shape.elongation() < 2.5 && shape.extent() < LARGEST_BEAD * size;
    if is_rust(component) {
        DefectClass::Rust
    } else if glossy_dark && compact && (raised || component.deviation[0] > HIGHLIGHT) {
        DefectClass::Bead
    } else if thin && long && !raised {
        DefectClass::Crack
    } else if raised
        || (shape.elongation() < 2.0 && shape.fill >= 0.8 && shape.extent() < LARGEST_BLISTER * size)
    {
        DefectClass::Blister
    } else {
        DefectClass::Flake
    }
}

/// Brown to orange, coloured, and redder or browner than the paint around it (ISO 4628-3 rather than dirt).
pub(super) fn is_rust(component: &Component) -> bool {
    let [_, a, b] = component.colour;
    let [_, da, db] = component.deviation;
    let (hue, chroma) = (b.atan2(a).to_degrees(), a.hypot(b));
    let browner = (da * a + db * b) / chroma.max(1.0);
    (10.0..=75.0).contains(&hue) && chroma >= 15.0 && (da > 4.0 || browner > 10.0)
}

/// Reach of the ringing that compression leaves around a strong edge, in pixels of the source: one JPEG unit.
const RINGING: f32 = 16.0;

/// Removes weak specks beside something far stronger and larger: compression makes them, or the lip of a flake.
pub(super) fn drop_satellites(components: &mut Vec<Component>, source_per_pixel: f32) {
    let reach = RINGING / source_per_pixel.max(1.0) + 2.0;
    let strong: Vec<(Shape, f32, f32)> =
        components.iter().filter(|c| c.area > 60.0).map(|c| (c.shape, c.area, c.amplitude)).collect();
    components.retain(|c| {
        c.area > 100.0
            || !strong.iter().any(|(shape, area, amplitude)| {
                *area > 5.0 * c.area && *amplitude > 2.5 * c.amplitude && c.shape.gap(shape) < reach
            })
    });
}
