//! Turns a picture upright as its EXIF orientation asks.
//!
//! Phones store the sensor's rows and leave the turning to the reader, so most portrait pictures pass here.

use image::metadata::Orientation;

use crate::Picture;

/// Side of the square tiles in which rows become columns: both sides of a tile stay in the first-level cache.
const TILE: usize = 32;

/// The orientation in a raw EXIF block, with or without its `Exif\0\0` prefix; upright when it says nothing valid.
pub(super) fn from_exif(block: &[u8]) -> Orientation {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Orientation::from_exif_chunk(tiff).unwrap_or(Orientation::NoTransforms)
}

/// Whether columns become rows.
pub(super) fn swaps_sides(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// The upright picture; takes a second buffer only when sides are swapped.
pub(super) fn turn_upright(mut picture: Picture, orientation: Orientation) -> Picture {
    match orientation {
        Orientation::NoTransforms => picture,
        Orientation::FlipHorizontal => {
            for row in picture.rgb.chunks_exact_mut(3 * picture.width as usize) {
                row.as_chunks_mut::<3>().0.reverse();
            }
            picture
        }
        Orientation::Rotate180 => {
            picture.rgb.as_chunks_mut::<3>().0.reverse();
            picture
        }
        Orientation::FlipVertical => {
            flip_rows(&mut picture);
            picture
        }
        Orientation::Rotate90FlipH => swap_sides(&picture, false, false),
        Orientation::Rotate90 => swap_sides(&picture, true, false),
        Orientation::Rotate270FlipH => swap_sides(&picture, true, true),
        Orientation::Rotate270 => swap_sides(&picture, false, true),
    }
}

fn flip_rows(picture: &mut Picture) {
    let stride = 3 * picture.width as usize;
    let half = picture.height as usize / 2;
    let (top, rest) = picture.rgb.split_at_mut(half * stride);
    for (upper, lower) in top.chunks_exact_mut(stride).zip(rest.chunks_exact_mut(stride).rev()) {
        upper.swap_with_slice(lower);
    }
}

/// Row `y`, column `x` of the result is column `y` (or the mirrored one), row `x` (or the mirrored one) of the source.
fn swap_sides(source: &Picture, mirror_rows: bool, mirror_columns: bool) -> Picture {
    let (width, height) = (source.width as usize, source.height as usize);
    let pixels = source.rgb.as_chunks::<3>().0;
    let mut rgb = vec![0; source.rgb.len()];
    let turned = rgb.as_chunks_mut::<3>().0;
    for (band_index, band) in turned.chunks_mut(TILE * height).enumerate() {
        for left in (0..height).step_by(TILE) {
            let right = (left + TILE).min(height);
            for (offset, row) in band.chunks_exact_mut(height).enumerate() {
                let y = band_index * TILE + offset;
                let column = if mirror_columns { width - 1 - y } else { y };
                for (x, pixel) in (left..right).zip(&mut row[left..right]) {
                    let line = if mirror_rows { height - 1 - x } else { x };
                    *pixel = pixels[line * width + column];
                }
            }
        }
    }
    Picture { width: source.height, height: source.width, rgb }
}
