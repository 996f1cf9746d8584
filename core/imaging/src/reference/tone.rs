//! Grey, hue, saturation and brightness of pixels, exactly as the fixed-point formulas of OpenCV's 8-bit `BGR2GRAY`
//! and `BGR2HSV` give them.
//!
//! The formulas are integer ones with two tables of rounded reciprocals. Here they run in `f32`, which is exact: every
//! value is a whole number below 2^24, and a quotient is rounded to the same whole number as the table's entry. A
//! test goes through all combinations. Floats have vector instructions on every x86-64; 32-bit integer products and
//! table look-ups have not.

use super::BLOCK;

/// Adding it to a whole number of magnitude below 2^22 leaves that number in the low bits of the float;
/// adding and subtracting it rounds to the nearest whole number, ties to even.
const ROUNDER: f32 = 12_582_912.0;
const ROUNDER_BITS: i32 = 0x4B40_0000;
/// The same for whole numbers from 0 to 2^23.
const SHIFTER: f32 = 8_388_608.0;
const SHIFTER_BITS: i32 = 0x4B00_0000;

/// Running sums over pixels.
pub(super) struct Tones {
    pub(super) hue: u64,
    pub(super) hue_squares: u64,
    pub(super) saturation: u64,
    pub(super) brightness: u64,
    /// Four histograms taken in turn, so that equal neighbours do not wait for each other.
    grey: Box<[[u32; 256]; 4]>,
}

impl Default for Tones {
    fn default() -> Self {
        Self { hue: 0, hue_squares: 0, saturation: 0, brightness: 0, grey: Box::new([[0; 256]; 4]) }
    }
}

impl Tones {
    /// Adds a row of interleaved RGB and writes its grey values; `grey` holds the row rounded up to whole blocks.
    #[inline(always)]
    pub(super) fn add_row(&mut self, rgb: &[u8], grey: &mut [u8]) {
        let width = rgb.len() / 3;
        let (blocks, rest) = rgb.as_chunks::<{ 3 * BLOCK }>();
        let (grey_blocks, _) = grey.as_chunks_mut::<BLOCK>();
        let (whole, partial) = grey_blocks.split_at_mut(blocks.len());
        for (block, grey) in blocks.iter().zip(whole) {
            self.add_block(block, grey);
        }
        if let Some(grey) = partial.first_mut() {
            // Black adds nothing to any sum.
            let mut block = [0; 3 * BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            self.add_block(&block, grey);
        }
        self.count_grey(&grey[..width]);
    }

    /// How many pixels have each grey value.
    pub(super) fn grey_histogram(&self) -> [u64; 256] {
        std::array::from_fn(|level| self.grey.iter().map(|histogram| u64::from(histogram[level])).sum())
    }

    #[inline(always)]
    fn add_block(&mut self, rgb: &[u8; 3 * BLOCK], grey: &mut [u8; BLOCK]) {
        let [red, green, blue] = planes(rgb);
        *grey = grey_of(&red, &green, &blue);

        let mut value = [0; BLOCK];
        let mut chroma = [0; BLOCK];
        let mut sector = [0; BLOCK];
        for i in 0..BLOCK {
            value[i] = red[i].max(green[i]).max(blue[i]);
            chroma[i] = value[i] - red[i].min(green[i]).min(blue[i]);
        }
        for i in 0..BLOCK {
            let [r, g, b, v, d] = [red[i], green[i], blue[i], value[i], chroma[i]].map(i16::from);
            let otherwise = if v == g { b - r + 2 * d } else { r - g + 4 * d };
            sector[i] = if v == r { g - b } else { otherwise };
        }
        let hue = hue_of(&sector, &chroma);
        let saturation = saturation_of(&value, &chroma);
        self.hue += total(&hue);
        self.hue_squares += u64::from(hue.iter().map(|&h| u32::from(h) * u32::from(h)).sum::<u32>());
        self.saturation += total(&saturation);
        self.brightness += total(&value);
    }

    #[inline(always)]
    fn count_grey(&mut self, grey: &[u8]) {
        let [first, second, third, fourth] = self.grey.as_mut();
        let (quads, rest) = grey.as_chunks::<4>();
        for &[a, b, c, d] in quads {
            first[usize::from(a)] += 1;
            second[usize::from(b)] += 1;
            third[usize::from(c)] += 1;
            fourth[usize::from(d)] += 1;
        }
        for &level in rest {
            first[usize::from(level)] += 1;
        }
    }
}

#[inline(always)]
fn total(values: &[u8; BLOCK]) -> u64 {
    u64::from(values.iter().map(|&value| u32::from(value)).sum::<u32>())
}

#[inline(always)]
fn planes(rgb: &[u8; 3 * BLOCK]) -> [[u8; BLOCK]; 3] {
    let (mut red, mut green, mut blue) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
    for i in 0..BLOCK {
        red[i] = rgb[3 * i];
        green[i] = rgb[3 * i + 1];
        blue[i] = rgb[3 * i + 2];
    }
    [red, green, blue]
}

/// `(9798 R + 19235 G + 3735 B + 16384) >> 15`.
#[inline(always)]
fn grey_of(red: &[u8; BLOCK], green: &[u8; BLOCK], blue: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut grey = [0; BLOCK];
    for i in 0..BLOCK {
        let weighted =
            9798.0 * f32::from(red[i]) + 19235.0 * f32::from(green[i]) + 3735.0 * f32::from(blue[i]);
        let shifted = weighted + (16384.0 + SHIFTER);
        grey[i] = ((shifted.to_bits() as i32 - SHIFTER_BITS) >> 15) as u8;
    }
    grey
}

/// `(d * round(255 * 4096 / V) + 2048) >> 12`; 0 for black.
#[inline(always)]
fn saturation_of(value: &[u8; BLOCK], chroma: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut saturation = [0; BLOCK];
    for i in 0..BLOCK {
        let reciprocal = (255.0 * 4096.0 / f32::from(value[i].max(1)) + ROUNDER) - ROUNDER;
        let product = f32::from(chroma[i]) * reciprocal + 2048.0;
        saturation[i] = (((product + ROUNDER).to_bits() as i32 - ROUNDER_BITS) >> 12) as u8;
    }
    saturation
}

/// `(h * round(180 * 4096 / (6 d)) + 2048) >> 12`, plus 180 below zero; 0 for grey. `h` is the position on the colour
/// wheel in units of the chroma `d`, from `-d` to `5 d`.
#[inline(always)]
fn hue_of(sector: &[i16; BLOCK], chroma: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut hue = [0; BLOCK];
    for i in 0..BLOCK {
        let reciprocal = (30.0 * 4096.0 / f32::from(chroma[i].max(1)) + ROUNDER) - ROUNDER;
        let product = f32::from(sector[i]) * reciprocal + 2048.0;
        let turned = ((product + ROUNDER).to_bits() as i32 - ROUNDER_BITS) >> 12;
        hue[i] = (turned + (180 & (turned >> 31))) as u8;
    }
    hue
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a / b` rounded to the nearest whole number, ties to even, without floats.
    fn rounded(a: i32, b: i32) -> i32 {
        let (quotient, rest) = (a / b, a % b);
        match (2 * rest).cmp(&b) {
            std::cmp::Ordering::Less => quotient,
            std::cmp::Ordering::Greater => quotient + 1,
            std::cmp::Ordering::Equal => quotient + quotient % 2,
        }
    }

    fn for_all_blocks(
        pairs: impl Iterator<Item = (i16, u8)>,
        mut check: impl FnMut(&[i16; BLOCK], &[u8; BLOCK]),
    ) {
        let pairs: Vec<_> = pairs.collect();
        for chunk in pairs.chunks(BLOCK) {
            let at = |i: usize| chunk[i.min(chunk.len() - 1)];
            check(&std::array::from_fn(|i| at(i).0), &std::array::from_fn(|i| at(i).1));
        }
    }

    #[test]
    fn saturation_equals_the_integer_formula_for_every_value_and_chroma() {
        let all = (0..=255).flat_map(|value| (0..=value as u8).map(move |chroma| (value, chroma)));
        for_all_blocks(all, |value, chroma| {
            let found = saturation_of(&value.map(|v| v as u8), chroma);
            for i in 0..BLOCK {
                let (v, d) = (i32::from(value[i]), i32::from(chroma[i]));
                let table = if v == 0 { 0 } else { rounded(255 * 4096, v) };
                assert_eq!(i32::from(found[i]), (d * table + 2048) >> 12, "value {v}, chroma {d}");
            }
        });
    }

    #[test]
    fn hue_equals_the_integer_formula_for_every_sector_and_chroma() {
        let all =
            (0..=255).flat_map(|d: u8| (-i16::from(d)..=5 * i16::from(d)).map(move |sector| (sector, d)));
        for_all_blocks(all, |sector, chroma| {
            let found = hue_of(sector, chroma);
            for i in 0..BLOCK {
                let (h, d) = (i32::from(sector[i]), i32::from(chroma[i]));
                let table = if d == 0 { 0 } else { rounded(180 * 4096, 6 * d) };
                let turned = (h * table + 2048) >> 12;
                let expected = if turned < 0 { turned + 180 } else { turned };
                assert_eq!(i32::from(found[i]), expected, "sector {h}, chroma {d}");
            }
        });
    }

    #[test]
    fn grey_equals_the_integer_formula_for_every_red_and_green() {
        for blue in (0..=255_u8).step_by(5) {
            let all = (0..=255).flat_map(|red| (0..=255).map(move |green| (red, green)));
            for_all_blocks(all, |red, green| {
                let found = grey_of(&red.map(|r| r as u8), green, &[blue; BLOCK]);
                for i in 0..BLOCK {
                    let (r, g, b) = (i32::from(red[i]), i32::from(green[i]), i32::from(blue));
                    assert_eq!(i32::from(found[i]), (9798 * r + 19235 * g + 3735 * b + 16384) >> 15);
                }
            });
        }
    }
}
