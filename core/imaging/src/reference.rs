//! The platform's colour and texture statistics, to the last bit of every integer stage.
//!
//! Every pixel counts: no panel is looked for, nothing is scaled or smoothed. The stages are defined by what OpenCV
//! computes on the same pixels (8-bit grey and HSV, Otsu's threshold, Canny 50/150, Laplacian), so figures can be
//! compared with the platform's own. What such statistics can and cannot say about a coating is not decided here;
//! [`crate::standard`] is the profile that looks at the coating itself.
//!
//! One pass goes over the rows with a window of three: [`tone`] makes grey, hue and saturation of a block of 64
//! pixels, [`texture`] the Laplacian, gradients and edge candidates of a row. Only the candidates are kept, at two
//! bits a pixel, for [`hysteresis`] at the end. All is written as plain loops over short arrays that the compiler
//! turns into vector code; there is no branch and no table look-up per pixel but the grey histogram.

mod hysteresis;
mod otsu;
mod texture;
mod tone;

use multiversion::multiversion;

use crate::Picture;

use self::{hysteresis::Candidates, texture::Texture, tone::Tones};

/// Pixels that are worked on at a time: one machine word of edge candidates.
const BLOCK: usize = 64;

/// Standard deviation of the hue at which uniformity is 0: half the range of the 8-bit hue.
const HUE_SPREAD_LIMIT: f64 = 90.0;
/// Variance of the Laplacian at which smoothness is 0.
const ROUGHNESS_LIMIT: f64 = 5000.0;

/// The indices and every figure they are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indices {
    /// Visual index, 0 to 1: `0.30 colour uniformity + 0.25 saturation + 0.25 smoothness + 0.20 (1 - edge density)`.
    pub cvi: f64,
    /// Quality index, 0 to 1: `0.35 coverage + 0.25 colour uniformity + 0.25 smoothness + 0.15 brightness`.
    pub cqi: f64,
    /// Share of pixels brighter than [`Self::otsu_threshold`], 0 to 1.
    pub coverage: f64,
    /// Population standard deviation of the 8-bit hue (0 to 179, taken as plain numbers and not as a circle).
    pub hue_std: f64,
    /// `1 - hue_std / 90`, at least 0.
    pub color_uniformity: f64,
    /// Mean 8-bit saturation, 0 to 255.
    pub mean_saturation: f64,
    /// Mean 8-bit value (the largest of red, green and blue), 0 to 255.
    pub mean_brightness: f64,
    /// Otsu's threshold of the grey histogram, 0 to 255.
    pub otsu_threshold: u8,
    /// Share of pixels on an edge found by Canny with thresholds 50 and 150, 0 to 1.
    pub edge_density: f64,
    /// Population variance of the 4-neighbour Laplacian of grey.
    pub laplacian_variance: f64,
    /// `1 - laplacian_variance / 5000`, at least 0.
    pub smoothness: f64,
}

/// Measures all pixels of the picture. One thread, about a quarter of a byte of memory a pixel.
///
/// A picture without pixels gives the figures of a single black one.
#[must_use]
pub fn measure(picture: &Picture) -> Indices {
    if picture.pixels() == 0 {
        return measure(&Picture { width: 1, height: 1, rgb: vec![0; 3] });
    }
    let (tones, texture, edges) = scan(picture);
    combine(picture.pixels(), &tones, &texture, edges)
}

/// [`scan_rows`] compiled twice, of which the processor at hand takes the better one.
// The macro's expansion has braces too many.
#[allow(unused_braces)]
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+lzcnt+popcnt"))]
fn scan(picture: &Picture) -> (Tones, Texture, u64) {
    scan_rows(picture)
}

/// The one pass over the rows. Grey row `y` completes the gradients of row `y - 1` and the candidates of row `y - 2`.
#[inline(always)]
fn scan_rows(picture: &Picture) -> (Tones, Texture, u64) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut tones = Tones::default();
    let mut texture = Texture::new(width);
    let mut candidates = Candidates::new(width, height);
    for (y, row) in picture.rgb.chunks_exact(3 * width).enumerate() {
        tones.add_row(row, texture.grey_row_mut(y));
        if y >= 1 {
            texture.finish_gradients(y - 1, height);
        }
        if y >= 2 {
            texture.find_candidates(y - 2, height, &mut candidates);
        }
    }
    texture.finish_gradients(height - 1, height);
    if height >= 2 {
        texture.find_candidates(height - 2, height, &mut candidates);
    }
    texture.find_candidates(height - 1, height, &mut candidates);
    (tones, texture, candidates.count_edges())
}

fn combine(pixels: u64, tones: &Tones, texture: &Texture, edges: u64) -> Indices {
    let share = |count: u64| count as f64 / pixels as f64;
    let variance =
        |sum: f64, squares: f64| (squares / pixels as f64 - (sum / pixels as f64).powi(2)).max(0.0);

    let hue_std = variance(tones.hue as f64, tones.hue_squares as f64).sqrt();
    let color_uniformity = (1.0 - hue_std / HUE_SPREAD_LIMIT).max(0.0);
    let mean_saturation = share(tones.saturation);
    let mean_brightness = share(tones.brightness);

    let histogram = tones.grey_histogram();
    let otsu_threshold = otsu::threshold(&histogram);
    let coverage = share(histogram[usize::from(otsu_threshold) + 1..].iter().sum());

    let edge_density = share(edges);
    let laplacian_variance = variance(texture.laplacian as f64, texture.laplacian_squares as f64);
    let smoothness = (1.0 - laplacian_variance / ROUGHNESS_LIMIT).max(0.0);

    Indices {
        cvi: 0.30 * color_uniformity
            + 0.25 * (mean_saturation / 255.0)
            + 0.25 * smoothness
            + 0.20 * (1.0 - edge_density),
        cqi: 0.35 * coverage + 0.25 * color_uniformity + 0.25 * smoothness + 0.15 * (mean_brightness / 255.0),
        coverage,
        hue_std,
        color_uniformity,
        mean_saturation,
        mean_brightness,
        otsu_threshold,
        edge_density,
        laplacian_variance,
        smoothness,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_vector_code_agree() {
        let mut state = 1_u32;
        let rgb = (0..3 * 333 * 77).map(|place: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (place % 251 / 2 + (state >> 25)) as u8
        });
        let picture = Picture { width: 333, height: 77, rgb: rgb.collect() };
        let (tones, texture, edges) = scan_rows(&picture);
        assert!(edges > 0, "a picture that tests the edges too");
        assert_eq!(measure(&picture), combine(picture.pixels(), &tones, &texture, edges));
    }
}
