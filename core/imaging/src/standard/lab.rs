//! sRGB to CIE L*a*b* (D65) in fixed point.
//!
//! Values are in 64ths: `L* = 50` is 3200. The tables are built once; nothing here is a per-pixel power or root.

use std::sync::LazyLock;

use super::downscale::FULL;

/// Steps per unit of L*, a* and b*.
pub(super) const UNIT: f32 = 64.0;

const CURVE_STEPS: usize = 1 << 14;

/// Tables from 10-bit sRGB to linear light (15 bits) and from linear light (14 bits) to the cube-root curve.
pub(super) struct Tables {
    linear: [u16; FULL as usize + 1],
    curve: Vec<u16>,
}

/// The tables of this process.
pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut linear = [0u16; FULL as usize + 1];
    for (i, slot) in linear.iter_mut().enumerate() {
        let v = i as f64 / f64::from(FULL);
        let light = if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        *slot = (light * 32768.0).round() as u16;
    }
    let curve = (0..=CURVE_STEPS)
        .map(|i| {
            let t = i as f64 / CURVE_STEPS as f64;
            let f = if t > 216.0 / 24389.0 { t.cbrt() } else { t * 24389.0 / 27.0 / 116.0 + 16.0 / 116.0 };
            (f * 32768.0).round() as u16
        })
        .collect();
    Tables { linear, curve }
});

// Rows of the sRGB matrix divided by the D65 white, times 32768; each adds up to 32768.
const TO_X: [u32; 3] = [14220, 12328, 6220];
const TO_Y: [u32; 3] = [6969, 23434, 2365];
const TO_Z: [u32; 3] = [582, 3587, 28599];

impl Tables {
    /// L*, a*, b* in 64ths of one pixel given as 0 to [`FULL`].
    #[inline]
    pub(super) fn lab(&self, rgb: [u16; 3]) -> [i16; 3] {
        let [r, g, b] = rgb.map(|v| u32::from(self.linear[usize::from(v.min(FULL))]));
        let curve = |m: [u32; 3]| {
            // 15 bits of matrix and one of light go: 14 remain.
            let t = (m[0] * r + m[1] * g + m[2] * b + (1 << 15)) >> 16;
            i32::from(self.curve[(t as usize).min(CURVE_STEPS)])
        };
        let (fx, fy, fz) = (curve(TO_X), curve(TO_Y), curve(TO_Z));
        let scaled = |f: i32, times: i32| ((f * (times * UNIT as i32 / 32) + (1 << 9)) >> 10) as i16;
        [scaled(fy, 116) - 16 * UNIT as i16, scaled(fx - fy, 500), scaled(fy - fz, 200)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(rgb: [u16; 3]) -> [f32; 3] {
        TABLES.lab(rgb.map(|v| v * 4)).map(|v| f32::from(v) / UNIT)
    }

    #[test]
    fn known_colours_come_out_right() {
        let cases = [
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.20]),
            ([0, 0, 255], [32.30, 79.19, -107.86]),
            ([119, 119, 119], [50.03, 0.0, 0.0]),
            ([20, 22, 30], [7.37, 1.36, -5.88]),
        ];
        for (rgb, wanted) in cases {
            let found = lab(rgb);
            for (f, w) in found.iter().zip(wanted) {
                assert!((f - w).abs() < 0.4, "{rgb:?}: {found:?}, wanted {wanted:?}");
            }
        }
    }
}
