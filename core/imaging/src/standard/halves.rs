//! Joins the bright and the dark half of what is raised: light from one side makes two deviations of one blister.

use super::classify;
use super::components::Component;

/// Pictures with more components than this are texture, where joining means nothing.
const TOO_MANY: usize = 1500;
/// Areas of two halves differ at most by this factor.
const UNEQUAL: f32 = 12.0;
/// Centres lie closer than this share of the sum of both extents.
const CLOSE: f32 = 0.6;

/// For every component the number of the group it belongs to.
pub(super) fn groups(components: &[Component]) -> Vec<usize> {
    let mut of: Vec<usize> = (0..components.len()).collect();
    if components.len() > TOO_MANY {
        return of;
    }
    for i in 0..components.len() {
        for j in i + 1..components.len() {
            if of[i] != of[j] && are_halves(&components[i], &components[j]) {
                let (keep, drop) = (of[i].min(of[j]), of[i].max(of[j]));
                of.iter_mut().filter(|g| **g == drop).for_each(|g| *g = keep);
            }
        }
    }
    of
}

fn are_halves(a: &Component, b: &Component) -> bool {
    let (p, q) = (&a.shape, &b.shape);
    let apart = (p.centre.0 - q.centre.0).hypot(p.centre.1 - q.centre.1);
    if apart > CLOSE * (p.extent() + q.extent()) {
        return false;
    }
    let opposite = a.deviation[0] * b.deviation[0] < 0.0;
    // Two mirrored lamps in one drop.
    let twins =
        a.deviation[0] > 12.0 && b.deviation[0] > 12.0 && apart < 0.8 * CLOSE * (p.extent() + q.extent());
    let alike = (a.area / b.area).max(b.area / a.area) < UNEQUAL;
    let compact = p.elongation() < 5.0 && q.elongation() < 5.0;
    (opposite || twins) && alike && compact && !classify::is_rust(a) && !classify::is_rust(b)
}
