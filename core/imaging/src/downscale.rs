//! Scales a picture down to the size at which it is judged or printed, by exact area averages, row by row; never up.
//!
//! Up to a factor of 2.5 the boxes overlap pixels in parts and the wanted long side is met; beyond, whole boxes of
//! `k * k` pixels are averaged, which gives a long side between three quarters of the wanted one and all of it, at a
//! third of the cost. Values leave as 10-bit steps (0 to 1020), because an average knows more than its 8-bit inputs
//! and dark paint needs it.

use crate::Picture;

/// Full scale of the produced values.
pub(crate) const FULL: u16 = 1020;

/// How a picture is brought to size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plan {
    /// Boxes of whole pixels (1 x 1: no scaling).
    Whole { kx: usize, ky: usize, width: usize, height: usize },
    /// Boxes with fractional edges.
    Parts { width: usize, height: usize },
}

impl Plan {
    /// The plan for a picture that shall have a long side of at most `long_side`, which is 1 or more.
    pub(crate) fn of(width: u32, height: u32, long_side: u32) -> Self {
        let long = width.max(height).max(1);
        let (w, h) = (width.max(1) as usize, height.max(1) as usize);
        let factor = f64::from(long) / f64::from(long_side);
        if factor > 1.0 && factor < 2.5 {
            let scaled = |side: usize| ((side as f64 / factor).round() as usize).clamp(1, long_side as usize);
            return Self::Parts { width: scaled(w), height: scaled(h) };
        }
        let k = long.div_ceil(long_side) as usize;
        let (kx, ky) = (k.min(w), k.min(h));
        Self::Whole { kx, ky, width: w / kx, height: h / ky }
    }

    pub(crate) fn size(self) -> (usize, usize) {
        match self {
            Self::Whole { width, height, .. } | Self::Parts { width, height } => (width, height),
        }
    }

    /// Source pixels per work pixel, across and down.
    pub(super) fn scale(self, picture: &Picture) -> (f64, f64) {
        match self {
            Self::Whole { kx, ky, .. } => (kx as f64, ky as f64),
            Self::Parts { width, height } => {
                (f64::from(picture.width) / width as f64, f64::from(picture.height) / height as f64)
            }
        }
    }
}

/// One row of red, of green and of blue values, 0 to [`FULL`].
pub(crate) type Row = [Vec<u16>; 3];

/// Calls `take(y, row)` for every row of the smaller picture from the top.
pub(crate) fn rows(picture: &Picture, plan: Plan, mut take: impl FnMut(usize, &Row)) {
    match plan {
        Plan::Whole { kx, ky, width, height } => whole(picture, kx, ky, width, height, &mut take),
        Plan::Parts { width, height } => parts(picture, width, height, &mut take),
    }
}

fn whole(
    picture: &Picture,
    kx: usize,
    ky: usize,
    width: usize,
    height: usize,
    take: &mut impl FnMut(usize, &Row),
) {
    let stride = picture.width as usize * 3;
    let used = width * kx * 3;
    let mut sums = vec![0u16; used];
    let mut out: Row = std::array::from_fn(|_| vec![0u16; width]);
    // A column sum of more than 257 rows would not fit 16 bits: such slivers are sampled every few rows.
    let step = ky.div_ceil(256);
    let taken = ky.div_ceil(step);
    for y in 0..height {
        let top = y * ky * stride;
        let row = |i: usize| &picture.rgb[top + i * step * stride..top + i * step * stride + used];
        match taken {
            1 => sums.iter_mut().zip(row(0)).for_each(|(s, &p)| *s = u16::from(p)),
            _ => {
                for ((s, &p), &q) in sums.iter_mut().zip(row(0)).zip(row(1)) {
                    *s = u16::from(p) + u16::from(q);
                }
            }
        }
        let mut i = 2;
        while i + 1 < taken {
            for ((s, &p), &q) in sums.iter_mut().zip(row(i)).zip(row(i + 1)) {
                *s += u16::from(p) + u16::from(q);
            }
            i += 2;
        }
        if i < taken {
            sums.iter_mut().zip(row(i)).for_each(|(s, &p)| *s += u16::from(p));
        }
        match kx {
            1 => across::<1>(&sums, taken, &mut out),
            3 => across::<3>(&sums, taken, &mut out),
            4 => across::<4>(&sums, taken, &mut out),
            5 => across::<5>(&sums, taken, &mut out),
            6 => across::<6>(&sums, taken, &mut out),
            _ => across_any(&sums, kx, taken, &mut out),
        }
        take(y, &out);
    }
}

/// Sums `K` neighbouring pixels of column sums and divides by the number of summed pixels.
fn across<const K: usize>(sums: &[u16], rows: usize, out: &mut Row) {
    // 4 over the number of pixels, as a 20-bit fraction; the products stay below 2^32.
    let factor = ((4 << 20) / (K * rows)) as u32 + 1;
    let (pixels, _) = sums.as_chunks::<3>();
    let (groups, _) = pixels.as_chunks::<K>();
    let [red, green, blue] = out;
    for (((group, r), g), b) in groups.iter().zip(red).zip(green).zip(blue) {
        let mut total = [0u32; 3];
        for pixel in group {
            for (t, &p) in total.iter_mut().zip(pixel) {
                *t += u32::from(p);
            }
        }
        [*r, *g, *b] = total.map(|t| ((t * factor + (1 << 19)) >> 20) as u16);
    }
}

fn across_any(sums: &[u16], k: usize, rows: usize, out: &mut Row) {
    let factor = 4.0 / (k * rows) as f64;
    for (channel, out) in out.iter_mut().enumerate() {
        for (target, group) in out.iter_mut().zip(sums.chunks_exact(3 * k)) {
            let total: u64 = group.iter().skip(channel).step_by(3).map(|&v| u64::from(v)).sum();
            *target = (total as f64 * factor + 0.5) as u16;
        }
    }
}

/// Which source pixels one target pixel covers, and how much of it each fills, in 256ths. Below a factor of two the
/// fourth weight is 0.
struct Share {
    first: usize,
    weights: [u16; 4],
    /// The weights such that a sum over a row of column sums ends at [`FULL`].
    scaled: [f32; 4],
}

/// From a column sum of weight 256 times a weight in 256ths to the produced scale.
const SCALE: f32 = FULL as f32 / (255.0 * 65536.0);

/// The shares of a side; every target's weights add up to 256. A factor below 2.5 needs at most four pixels.
fn shares(source: usize, target: usize) -> Vec<Share> {
    let step = source as f64 / target as f64;
    (0..target)
        .map(|t| {
            let start = t as f64 * step;
            let first = (start as usize).min(source - 1);
            let filled =
                |edge: usize| (((edge as f64 - start) / step).clamp(0.0, 1.0) * 256.0).round() as u16;
            let mut weights = [0u16; 4];
            let mut before = 0;
            for (i, weight) in weights.iter_mut().enumerate() {
                let upto = if first + i + 1 >= source || i == 3 { 256 } else { filled(first + i + 1) };
                *weight = upto - before;
                before = upto;
            }
            Share { first, weights, scaled: weights.map(|w| f32::from(w) * SCALE) }
        })
        .collect()
}

fn parts(picture: &Picture, width: usize, height: usize, take: &mut impl FnMut(usize, &Row)) {
    let (source_width, source_height) = (picture.width as usize, picture.height as usize);
    let stride = source_width * 3;
    let columns = shares(source_width, width);
    // Room for the pixels behind the last one, whose weight is 0.
    let mut sums = vec![0u16; stride + 13];
    let mut out: Row = std::array::from_fn(|_| vec![0u16; width]);
    for (y, share) in shares(source_height, height).iter().enumerate() {
        let row = |i: usize| {
            let y = (share.first + i).min(source_height - 1);
            &picture.rgb[y * stride..(y + 1) * stride]
        };
        let [w0, w1, w2, w3] = share.weights;
        for (((s, &p), &q), &r) in sums.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)) {
            *s = u16::from(p) * w0 + u16::from(q) * w1 + u16::from(r) * w2;
        }
        if w3 > 0 {
            sums.iter_mut().zip(row(3)).for_each(|(s, &p)| *s += u16::from(p) * w3);
        }
        if source_width < 2 * width {
            weigh::<3>(&sums, &columns, &mut out);
        } else {
            weigh::<4>(&sums, &columns, &mut out);
        }
        take(y, &out);
    }
}

/// Weighted sums across; `N` pixels are enough for every share.
fn weigh<const N: usize>(sums: &[u16], columns: &[Share], out: &mut Row) {
    // Four values at a time, red to the next pixel's red: one vector register.
    const WHOLE: f32 = 8_388_608.0;
    let [red, green, blue] = out;
    for (((share, r), g), b) in columns.iter().zip(red).zip(green).zip(blue) {
        let Some(from) = sums.get(share.first * 3..share.first * 3 + 13) else { continue };
        let mut total = [0f32; 4];
        for tap in 0..N {
            let weight = share.scaled[tap];
            for (t, &v) in total.iter_mut().zip(&from[tap * 3..tap * 3 + 4]) {
                *t += f32::from(v) * weight;
            }
        }
        // Above 2^23 a float has no fraction left: its lowest bits are the rounded number.
        [*r, *g, *b, _] = total.map(|t| (t + WHOLE).to_bits() as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_at_every_factor() {
        for (w, h) in
            [(1, 1), (7, 3), (1601, 2), (2000, 1500), (3999, 10), (4032, 30), (8000, 25), (50_000, 1)]
        {
            let picture = Picture { width: w, height: h, rgb: vec![200; (w * h * 3) as usize] };
            let plan = Plan::of(w, h, 1600);
            let (width, height) = plan.size();
            assert!(width.max(height) <= 1600 && width > 0 && height > 0, "{w}x{h}: {plan:?}");
            let mut seen = 0;
            rows(&picture, plan, |_, row| {
                seen += 1;
                assert!(row.iter().all(|c| c.len() == width && c.iter().all(|&v| v == 800)), "{w}x{h}");
            });
            assert_eq!(seen, height);
        }
    }

    #[test]
    fn the_mean_is_kept() {
        for (w, h) in [(2400u32, 6u32), (4032, 6), (4800, 9)] {
            let rgb: Vec<u8> = (0..w * h * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let mean = rgb.iter().map(|&v| f64::from(v)).sum::<f64>() / rgb.len() as f64;
            let (mut total, mut count) = (0.0, 0.0);
            rows(&Picture { width: w, height: h, rgb }, Plan::of(w, h, 1600), |_, row| {
                total += row.iter().flatten().map(|&v| f64::from(v)).sum::<f64>();
                count += 3.0 * row[0].len() as f64;
            });
            assert!((total / count / 4.0 - mean).abs() < 0.2, "{w}x{h}: {} {mean}", total / count / 4.0);
        }
    }
}
