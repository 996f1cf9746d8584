//! sRGB to CIE L*a*b* (D65) in fixed point.
//!
//! Values are in 64ths: `L* = 50` is 3200. The tables are built once; nothing here is a per-pixel power or root.

use std::sync::LazyLock;

use crate::downscale::FULL;

/// Steps per unit of L*, a* and b*.
pub(crate) const UNIT: f32 = 64.0;

/// Steps of the cube-root curve.
const CURVE_STEPS: usize = 1 << 14;
/// Bits of X, Y and Z in the packed sums: 19 of value and two for the sum of three.
const FIELD: u32 = 21;
const FIELD_MASK: u64 = (1 << FIELD) - 1;

/// What a red, green or blue value adds to X, Y and Z, packed into one word each; and the cube-root curve.
pub(crate) struct Tables {
    added: [[u64; FULL as usize + 1]; 3],
    curve: Vec<i16>,
}

/// The tables of this process.
pub(crate) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// Rows of the sRGB matrix divided by the D65 white: every row adds up to 1.
const TO_XYZ: [[f64; 3]; 3] =
    [[0.433_953, 0.376_219, 0.189_828], [0.212_673, 0.715_152, 0.072_175], [0.017_757, 0.109_468, 0.872_775]];

impl Tables {
    fn new() -> Self {
        let mut added = [[0u64; FULL as usize + 1]; 3];
        for (channel, table) in added.iter_mut().enumerate() {
            for (i, slot) in table.iter_mut().enumerate() {
                let v = i as f64 / f64::from(FULL);
                let light = if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
                let share = |row: usize| (light * TO_XYZ[row][channel] * f64::from(1 << 19)).round() as u64;
                *slot = share(0) | share(1) << FIELD | share(2) << (2 * FIELD);
            }
        }
        let curve = (0..=CURVE_STEPS)
            .map(|i| {
                let t = i as f64 / CURVE_STEPS as f64;
                let f =
                    if t > 216.0 / 24389.0 { t.cbrt() } else { t * 24389.0 / 27.0 / 116.0 + 16.0 / 116.0 };
                (f * 32767.0).round() as i16
            })
            .collect();
        Self { added, curve }
    }

    /// Converts one row; `lab` holds L*, a*, b* in [`UNIT`] steps and is as long as `rgb`.
    pub(crate) fn convert(&self, rgb: [&[u16]; 3], lab: [&mut [i16]; 3]) {
        let [xs, ys, zs] = lab;
        let [red, green, blue] = &self.added;
        let curve = &self.curve[..=CURVE_STEPS];
        let inputs = rgb[0].iter().zip(rgb[1]).zip(rgb[2]);
        for (((x, y), z), ((&r, &g), &b)) in xs.iter_mut().zip(ys.iter_mut()).zip(zs.iter_mut()).zip(inputs) {
            let of = |table: &[u64; FULL as usize + 1], v: u16| table[usize::from(v.min(FULL))];
            let sum = of(red, r) + of(green, g) + of(blue, b);
            // Half a step is added before five of nineteen bits go.
            let at = |field: u32| (((sum >> (field * FIELD)) & FIELD_MASK) as usize + 16) >> 5;
            let value = |field: u32| curve[at(field).min(CURVE_STEPS)];
            (*x, *y, *z) = (value(0), value(1), value(2));
        }
        // 16-bit products, upper halves: 116, 500 and 200 times UNIT over 32768.
        let upper = |a: i16, b: i16| ((i32::from(a) * i32::from(b)) >> 16) as i16;
        for ((x, y), z) in xs.iter_mut().zip(ys).zip(zs) {
            let (fx, fy, fz) = (*x, *y, *z);
            *x = upper(fy, 14848) - 16 * UNIT as i16;
            *y = upper((fx - fy) << 1, 32000);
            *z = upper(fy - fz, 25600);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(rgb: [u16; 3]) -> [f32; 3] {
        let [r, g, b] = rgb.map(|v| [v * 4]);
        let (mut l, mut a, mut c) = ([0], [0], [0]);
        TABLES.convert([&r, &g, &b], [&mut l, &mut a, &mut c]);
        [l[0], a[0], c[0]].map(|v| f32::from(v) / UNIT)
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
