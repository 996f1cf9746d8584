//! The light of a detailing bay: two lamp tubes at the ceiling, and what a glossy panel mirrors of the room.

use crate::color::Light;
use crate::noise::step;
use crate::surface::Lighting;

/// The room as it is mirrored in a panel that fills about two thirds of a picture of that size.
pub(crate) struct Bay {
    pub(crate) width: f32,
    pub(crate) height: f32,
    /// Shifts the lamps, in shares of the width and height: another place of the camera.
    pub(crate) shift: (f32, f32),
}

/// How far the mirrored place moves for a slope of 1, as a share of the width.
const REACH: f32 = 0.22;
/// Share of light of the lamp's core: far beyond white even after the small mirroring of a clear coat.
const CORE: f32 = 60.0;

impl Bay {
    /// Distance in picture widths from the nearer tube's outline; negative inside.
    pub(crate) fn to_tube(&self, x: f32, y: f32) -> f32 {
        let u = x / self.width - self.shift.0;
        let v = y / self.height - self.shift.1;
        let tube = |middle: f32, lean: f32, from: f32, to: f32, half: f32| {
            // A slightly domed panel bends the image and widens it towards the camera.
            let bent = middle + lean * (v - 0.4) + 0.10 * (v - 0.42) * (v - 0.42);
            let aside = (u - bent).abs();
            let beyond = ((from - v).max(v - to)).max(0.0) * self.height / self.width;
            (aside * aside + beyond * beyond).sqrt() - half * (0.55 + 1.0 * v)
        };
        tube(0.315, -0.045, 0.12, 0.60, 0.0170).min(tube(0.590, 0.105, 0.10, 0.57, 0.0160))
    }

    /// 1.0 at the lamps' images, falling off widely: where metallic paint lights up.
    pub(crate) fn glow(&self, x: f32, y: f32) -> f32 {
        (-self.to_tube(x, y).max(0.0) / 0.17).exp()
    }
}

impl Lighting for Bay {
    fn strength(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x / self.width - 0.45, y / self.height - 0.35);
        1.05 - 0.55 * (u * u + 0.8 * v * v) - 0.12 * v
    }

    fn mirrored(&self, x: f32, y: f32, slope_x: f32, slope_y: f32) -> Light {
        let (mx, my) = (x - REACH * self.width * slope_x, y - REACH * self.width * slope_y);
        let (u, v) = (mx / self.width, my / self.height);
        let away = self.to_tube(mx, my);
        let outside = away.max(0.0);
        let core = CORE * step(0.0034, -0.0050, away);
        let halo =
            2.4 * (-outside / 0.009).exp() + 0.75 * (-outside / 0.036).exp() + 0.20 * (-outside / 0.13).exp();
        // Ceiling: brighter far away, with one dark beam across; below, the one who takes the picture.
        let beam = 1.0 - 0.38 * (-((v - 0.095 + 0.10 * u) / 0.030).powi(2)).exp();
        let ceiling = (0.50 - 0.30 * v).max(0.10) * beam;
        let head = (((u - 0.47) / 0.085).powi(2) + ((v - 0.745) / 0.072).powi(2)).sqrt();
        let body = (((u - 0.52) / 0.25).powi(2) + ((v - 1.00) / 0.19).powi(2)).sqrt();
        let silhouette = step(1.30, 0.72, head.min(body));
        let room = ceiling * (1.0 - 0.66 * silhouette);
        [room * 0.95 + halo * 0.94 + core, room + halo + core, room * 1.08 + halo * 1.05 + core]
    }
}
