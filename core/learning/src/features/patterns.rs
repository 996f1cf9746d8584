//! Local binary patterns: which of the eight neighbours are brighter, counted at four sizes.
//!
//! Rotation-invariant uniform patterns (Ojala, Pietikainen, Maenpaa 2002): ten bins a size, as square roots of shares.

use super::octaves::Octave;

const SIZES: usize = 4;
const BINS: usize = 10;

/// Number of values that [`patterns`] gives.
pub(super) const PATTERNS: usize = SIZES * BINS;

/// Differences below this, in L*, count as none: 8-bit pictures have steps of about a third.
const STEP: f32 = 0.15;

/// Counts the patterns of every size; sizes that a small picture does not have are 0.
pub(super) fn patterns(octaves: &[Octave]) -> Vec<f32> {
    let bins = bins();
    let mut out = vec![0f32; PATTERNS];
    for (octave, out) in octaves.iter().take(SIZES).zip(out.chunks_exact_mut(BINS)) {
        let (width, height) = (octave.width, octave.height);
        if width < 3 || height < 3 {
            continue;
        }
        let mut counts = [0u32; 256];
        let mut codes = vec![0u8; width];
        for y in 1..height - 1 {
            code_row(&octave.light, width, y, &mut codes);
            for &code in &codes[1..width - 1] {
                counts[usize::from(code)] += 1;
            }
        }
        let total = ((width - 2) * (height - 2)) as f32;
        for (&count, &bin) in counts.iter().zip(&bins) {
            out[usize::from(bin)] += count as f32 / total;
        }
        out.iter_mut().for_each(|share| *share = share.sqrt());
    }
    out
}

/// One bit for each neighbour, round the pixel.
#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn code_row(light: &[f32], width: usize, y: usize, codes: &mut [u8]) {
    let above = &light[(y - 1) * width..y * width];
    let here = &light[y * width..(y + 1) * width];
    let below = &light[(y + 1) * width..(y + 2) * width];
    let inner = width - 2;
    let around = [
        &above[..inner],
        &above[1..=inner],
        &above[2..],
        &here[2..],
        &below[2..],
        &below[1..=inner],
        &below[..inner],
        &here[..inner],
    ];
    let codes = &mut codes[1..=inner];
    codes.fill(0);
    for (bit, neighbour) in around.into_iter().enumerate() {
        for ((code, &centre), &neighbour) in codes.iter_mut().zip(&here[1..=inner]).zip(neighbour) {
            *code |= u8::from(neighbour > centre + STEP) << bit;
        }
    }
}

/// The bin of every code: the number of set bits when they stand together, else the last bin.
fn bins() -> [u8; 256] {
    std::array::from_fn(|code| {
        let code = code as u8;
        let changes = (code ^ code.rotate_left(1)).count_ones();
        if changes <= 2 { code.count_ones() as u8 } else { BINS as u8 - 1 }
    })
}
