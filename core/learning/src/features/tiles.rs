//! What stands out in every tile of a picture, and how the tiles of a picture compare.
//!
//! Defects are local: a mean over the picture hides them. So every measure is taken in tiles, as mean and as largest
//! value, and pooled over the tiles by the largest, the three largest against the middle, the middle, and the spread.
//!
//! Measures of a pixel, at every size: how far it lies above and below its surroundings (a band of the Laplacian
//! pyramid, Burt and Adelson 1983), how much it is part of a dark or of a bright line (eigenvalues of the Hessian, as
//! in Lindeberg 1998: the larger less the size of the smaller), and the slope.

use forgeos_imaging::LabPlanes;
use forgeos_imaging::planes::LAB_UNIT;

use super::octaves::{OCTAVES, Octave};

/// Measures of one pixel at one size.
const MEASURES: usize = 5;
/// Lightness against the picture's, its spread, and a* and b* against the picture's.
const TONES: usize = 4;
/// Values of one tile.
pub(crate) const TILE_VALUES: usize = OCTAVES * MEASURES * 2 + TONES;
/// Ways of pooling one value over the tiles.
const POOLS: usize = 4;
/// Values of a picture that [`pooled`] gives.
pub(super) const POOLED: usize = TILE_VALUES * POOLS;

/// Tiles that a picture is cut into, about; they are as square as whole numbers allow.
const TILES: f64 = 64.0;
/// Tiles along a side at most: a sliver is not cut into specks.
const TILES_ALONG: usize = 32;

/// A rectangle in shares of the picture's sides, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

/// How a picture of this size is cut into tiles: columns and rows.
pub(crate) fn grid(width: usize, height: usize) -> (usize, usize) {
    let side = (width as f64 * height as f64 / TILES).sqrt();
    let along = |length: usize| ((length as f64 / side).round() as usize).clamp(1, TILES_ALONG);
    (along(width), along(height))
}

/// The area of a tile of a grid, counted row by row.
pub(crate) fn tile_area((columns, rows): (usize, usize), tile: usize) -> Area {
    let (x, y) = ((tile % columns) as f32, (tile / columns) as f32);
    let (columns, rows) = (columns as f32, rows as f32);
    Area { left: x / columns, top: y / rows, right: (x + 1.0) / columns, bottom: (y + 1.0) / rows }
}

/// Measures each area: [`TILE_VALUES`] values, area after area, on a logarithmic scale.
pub(super) fn measure(octaves: &[Octave], planes: &LabPlanes, areas: &[Area]) -> Vec<f32> {
    let mut values = vec![0f32; areas.len() * TILE_VALUES];
    for (index, octave) in octaves.iter().enumerate() {
        let sums = sum_areas(octave, areas);
        for (sum, values) in sums.iter().zip(values.chunks_exact_mut(TILE_VALUES)) {
            let out = &mut values[index * MEASURES * 2..(index + 1) * MEASURES * 2];
            for ((out, total), top) in out.chunks_exact_mut(2).zip(sum.total).zip(sum.top) {
                // Steps of a twentieth of L* are lost in any photograph's noise.
                out[0] = (total / sum.pixels.max(1.0) * 20.0).ln_1p();
                out[1] = (top * 4.0).ln_1p();
            }
        }
    }
    add_tones(planes, areas, &mut values);
    values
}

/// Totals over one area.
#[derive(Clone, Copy, Default)]
struct Sums {
    total: [f32; MEASURES],
    top: [f32; MEASURES],
    pixels: f32,
}

/// The pixels of an area along one side; at least one.
fn span(from: f32, to: f32, length: usize) -> (usize, usize) {
    let start = ((from * length as f32).round() as usize).min(length - 1);
    let end = ((to * length as f32).round() as usize).clamp(start + 1, length);
    (start, end)
}

fn sum_areas(octave: &Octave, areas: &[Area]) -> Vec<Sums> {
    let (width, height) = (octave.width, octave.height);
    let mut sums = vec![Sums::default(); areas.len()];
    let spans: Vec<_> =
        areas.iter().map(|a| (span(a.left, a.right, width), span(a.top, a.bottom, height))).collect();
    let mut rows: [Vec<f32>; MEASURES] = std::array::from_fn(|_| vec![0f32; width]);
    for y in 0..height {
        measure_row(octave, y, &mut rows);
        for (sum, &((left, right), (top, bottom))) in sums.iter_mut().zip(&spans) {
            if (top..bottom).contains(&y) {
                for (row, (total, top)) in rows.iter().zip(sum.total.iter_mut().zip(&mut sum.top)) {
                    let (sum, most) = sum_and_most(&row[left..right]);
                    *total += sum;
                    *top = top.max(most);
                }
                sum.pixels += (right - left) as f32;
            }
        }
    }
    sums
}

/// Sum and largest value, in eight lanes so that the order of additions is fixed.
fn sum_and_most(values: &[f32]) -> (f32, f32) {
    let (chunks, rest) = values.as_chunks::<8>();
    let (mut sums, mut most) = ([0f32; 8], [0f32; 8]);
    for chunk in chunks {
        for ((sum, most), &v) in sums.iter_mut().zip(&mut most).zip(chunk) {
            *sum += v;
            *most = if v > *most { v } else { *most };
        }
    }
    let sum: f32 = sums.iter().chain(rest).sum();
    let most = most.iter().chain(rest).fold(0f32, |a, &b| a.max(b));
    (sum, most)
}

/// The measures of one row; the outermost pixels are 0.
#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn measure_row(octave: &Octave, y: usize, out: &mut [Vec<f32>; MEASURES]) {
    let (width, height) = (octave.width, octave.height);
    if y == 0 || y + 1 == height || width < 3 {
        out.iter_mut().for_each(|row| row.fill(0.0));
        return;
    }
    let inner = width - 2;
    let taken = |y: usize, x: usize| &octave.smooth[y * width + x..y * width + x + inner];
    let light = &octave.light[y * width + 1..y * width + 1 + inner];
    // Neighbours of every pixel by name of the compass.
    let (nw, n, ne) = (taken(y - 1, 0), taken(y - 1, 1), taken(y - 1, 2));
    let (w, here, e) = (taken(y, 0), taken(y, 1), taken(y, 2));
    let (sw, s, se) = (taken(y + 1, 0), taken(y + 1, 1), taken(y + 1, 2));
    let [brighter, darker, dark_line, bright_line, slope] = out.each_mut().map(|row| &mut row[1..=inner]);
    for x in 0..inner {
        let band = light[x] - here[x];
        brighter[x] = band.max(0.0);
        darker[x] = (-band).max(0.0);
        let across = w[x] - 2.0 * here[x] + e[x];
        let down = n[x] - 2.0 * here[x] + s[x];
        let mixed = (se[x] - sw[x] - ne[x] + nw[x]) * 0.25;
        let mean = (across + down) * 0.5;
        let half = (across - down) * 0.5;
        let spread = (half * half + mixed * mixed).sqrt();
        let (larger, smaller) = (mean + spread, mean - spread);
        dark_line[x] = (larger - smaller.abs()).max(0.0);
        bright_line[x] = (-smaller - larger.abs()).max(0.0);
        let (gx, gy) = ((e[x] - w[x]) * 0.5, (s[x] - n[x]) * 0.5);
        slope[x] = (gx * gx + gy * gy).sqrt();
    }
}

/// Colour and lightness of an area against the whole picture's means.
fn add_tones(planes: &LabPlanes, areas: &[Area], values: &mut [f32]) {
    let pixels = (planes.width * planes.height).max(1) as f64;
    let whole = planes.lab.each_ref().map(|p| p.iter().map(|&v| f64::from(v)).sum::<f64>() / pixels);
    for (area, values) in areas.iter().zip(values.chunks_exact_mut(TILE_VALUES)) {
        let (left, right) = span(area.left, area.right, planes.width);
        let (top, bottom) = span(area.top, area.bottom, planes.height);
        let mut sums = [0i64; 3];
        let mut squares = 0i64;
        for y in top..bottom {
            let row =
                |channel: usize| &planes.lab[channel][y * planes.width + left..y * planes.width + right];
            for (channel, sum) in sums.iter_mut().enumerate() {
                *sum += row(channel).iter().map(|&v| i64::from(v)).sum::<i64>();
            }
            squares += row(0).iter().map(|&v| i64::from(i32::from(v) * i32::from(v))).sum::<i64>();
        }
        let count = ((right - left) * (bottom - top)) as f64;
        let means = sums.map(|sum| sum as f64 / count);
        let spread = (squares as f64 / count - means[0] * means[0]).max(0.0).sqrt();
        let unit = f64::from(LAB_UNIT);
        let signed = |v: f64| (v.signum() * (v.abs() / unit).ln_1p()) as f32;
        let out = &mut values[TILE_VALUES - TONES..];
        out.copy_from_slice(&[
            signed(means[0] - whole[0]),
            (spread / unit).ln_1p() as f32,
            signed(means[1] - whole[1]),
            signed(means[2] - whole[2]),
        ]);
    }
}

/// Pools every value over the tiles of a picture: largest, mean of the three largest less the middle, middle, spread.
pub(super) fn pooled(tiles: &[f32]) -> Vec<f32> {
    let count = tiles.len() / TILE_VALUES;
    let mut out = Vec::with_capacity(POOLED);
    let mut column = vec![0f32; count];
    for value in 0..TILE_VALUES {
        for (slot, tile) in column.iter_mut().zip(tiles.chunks_exact(TILE_VALUES)) {
            *slot = tile[value];
        }
        column.sort_by(|a, b| b.total_cmp(a));
        let top = &column[..count.min(3)];
        let middle = column[count / 2];
        let mean = column.iter().sum::<f32>() / count as f32;
        let spread = (column.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count as f32).sqrt();
        out.extend([column[0], top.iter().sum::<f32>() / top.len() as f32 - middle, middle, spread]);
    }
    out
}
