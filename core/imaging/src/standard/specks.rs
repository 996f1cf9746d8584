//! Tells the sparkle of metallic paint from defects: a bright speck among many like it is texture.

use super::classify;
use super::components::Component;

/// Fewer bright specks than this are no sparkle.
const MANY: usize = 60;
/// A component so many times as large as most specks is not one of them.
const LARGER: f32 = 7.0;

/// The bright specks of a picture, whatever their size.
#[derive(Debug, Default)]
pub(super) struct Specks {
    /// Pixels of each.
    pub areas: Vec<u32>,
}

impl Specks {
    /// Area in pixels up to which a bright component is sparkle; 0 when the paint does not sparkle.
    pub(super) fn limit(&mut self) -> f32 {
        if self.areas.len() < MANY {
            return 0.0;
        }
        let place = self.areas.len() * 3 / 4;
        LARGER * *self.areas.select_nth_unstable(place).1 as f32
    }
}

/// Whether a component is part of the sparkle.
pub(super) fn is_sparkle(component: &Component, limit: f32) -> bool {
    component.area < limit && component.deviation[0] > 0.0 && !classify::is_rust(component)
}
