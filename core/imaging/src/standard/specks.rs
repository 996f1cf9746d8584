//! Tells the sparkle of metallic paint from defects: a bright speck among many like it is texture.

use super::classify;
use super::components::Component;

/// Fewer bright specks than this are no sparkle.
const MANY: usize = 60;
/// A component so many times as large as most specks is not one of them.
const LARGER: f32 = 7.0;
/// One so many times as strong as the middle one must also be no larger than [`STRONG_LARGER`] times most specks.
const STRONGER: f32 = 1.7;
const STRONG_LARGER: f32 = 2.2;

/// The bright specks of a picture, whatever their size.
#[derive(Debug, Default)]
pub(super) struct Specks {
    /// Pixels of each.
    pub areas: Vec<u32>,
}

/// What the sparkle of a paint looks like; nothing is sparkle when both are 0.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sparkle {
    /// Pixels that three in four specks stay below.
    area: f32,
    /// Middle amplitude of those that are large enough for a defect.
    amplitude: f32,
}

impl Sparkle {
    pub(super) fn of(specks: &mut Specks, components: &[Component]) -> Self {
        if specks.areas.len() < MANY {
            return Self::default();
        }
        let place = specks.areas.len() * 3 / 4;
        let area = *specks.areas.select_nth_unstable(place).1 as f32;
        let mut amplitudes: Vec<f32> = components
            .iter()
            .filter(|c| c.deviation[0] > 0.0 && c.area < LARGER * area && !classify::is_halo(c))
            .map(|c| c.amplitude)
            .collect();
        let middle = amplitudes.len() / 2;
        let amplitude = if amplitudes.is_empty() {
            0.0
        } else {
            *amplitudes.select_nth_unstable_by(middle, f32::total_cmp).1
        };
        Self { area, amplitude }
    }

    /// Whether a component is part of it.
    pub(super) fn includes(self, component: &Component) -> bool {
        let largest = if component.amplitude > STRONGER * self.amplitude { STRONG_LARGER } else { LARGER };
        component.area < largest * self.area && component.deviation[0] > 0.0 && !classify::is_rust(component)
    }
}
