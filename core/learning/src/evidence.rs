//! Which tiles of a picture speak for a label: weak localisation, learned from labels of whole pictures.
//!
//! A plane for every label parts its tiles from the tiles of all other pictures. Which tiles of a picture show what its
//! label says is not known unless somebody marked it, so it is found in turns (multiple-instance learning, Andrews,
//! Tsochantaridis, Hofmann 2003): train on the tiles that speak loudest, look again. Marked boxes are taken at their
//! word: they are samples themselves, and their picture's other tiles are samples of nothing.

use rayon::prelude::*;

use crate::features::Description;
use crate::features::tiles::{Area, TILE_VALUES, tile_area};
use crate::learners::linear::Plane;

/// Tiles of a picture that count as showing what its label says.
const LOUDEST: usize = 3;
const TURNS: usize = 4;
/// Tiles that the planes are fitted to at most, about.
const MOST_TILES: usize = 20_000;

/// One plane a label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    means: Vec<f32>,
    factors: Vec<f32>,
    planes: Vec<Plane>,
}

/// A picture and its class.
pub(crate) type Shown<'a> = (&'a Description, usize);

impl Evidence {
    /// Learns from pictures and their classes; `labels` are the words of the classes.
    pub(crate) fn train(pictures: &[Shown<'_>], labels: &[String], stop: &(dyn Fn() -> bool + Sync)) -> Self {
        let (means, factors) = spread(pictures);
        let mut evidence = Self { means, factors, planes: Vec::new() };
        let scaled: Vec<Vec<f32>> = pictures.iter().map(|(d, _)| evidence.scaled(&d.tiles)).collect();
        let marked: Vec<Vec<(usize, Vec<f32>)>> = pictures
            .iter()
            .map(|(d, class)| {
                let of = |label: &str| labels.iter().position(|l| l == label).unwrap_or(*class);
                d.regions.iter().map(|r| (of(&r.label), evidence.scaled(&r.values))).collect()
            })
            .collect();
        evidence.planes = (0..labels.len())
            .into_par_iter()
            .map(|class| {
                if stop() {
                    return Plane { weights: vec![0.0; TILE_VALUES], offset: 0.0 };
                }
                fit(class, pictures, &scaled, &marked, stop)
            })
            .collect();
        evidence
    }

    fn scaled(&self, tiles: &[f32]) -> Vec<f32> {
        tiles
            .chunks_exact(TILE_VALUES)
            .flat_map(|tile| {
                let scaled = tile.iter().zip(&self.means).zip(&self.factors);
                scaled.map(|((&v, &m), &f)| ((v - m) * f).clamp(-8.0, 8.0))
            })
            .collect()
    }

    /// How loudly every tile speaks for a class.
    fn values(&self, description: &Description, class: usize) -> Vec<f32> {
        let plane = &self.planes[class];
        self.scaled(&description.tiles).chunks_exact(TILE_VALUES).map(|tile| plane.value(tile)).collect()
    }

    /// The tile that speaks loudest for a class, with how loudly.
    pub(crate) fn loudest(&self, description: &Description, class: usize) -> Option<(Area, f32)> {
        let values = self.values(description, class);
        let (tile, value) = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some((tile_area(description.grid, tile), *value))
    }

    /// Mean of the loudest tiles, for every class.
    pub(crate) fn scores(&self, description: &Description) -> Vec<f32> {
        (0..self.planes.len())
            .map(|class| {
                let mut values = self.values(description, class);
                values.sort_by(|a, b| b.total_cmp(a));
                let top = &values[..values.len().min(LOUDEST)];
                top.iter().sum::<f32>() / top.len().max(1) as f32
            })
            .collect()
    }

    /// Means and inverse spreads of the tiles' values, and the planes.
    pub(crate) fn parts(&self) -> ([&[f32]; 2], &[Plane]) {
        ([&self.means, &self.factors], &self.planes)
    }

    /// Puts [`Self::parts`] together again; every list of values is [`TILE_VALUES`] long.
    pub(crate) fn from_parts(means: Vec<f32>, factors: Vec<f32>, planes: Vec<Plane>) -> Self {
        Self { means, factors, planes }
    }
}

fn spread(pictures: &[Shown<'_>]) -> (Vec<f32>, Vec<f32>) {
    let mut sums = vec![(0f64, 0f64); TILE_VALUES];
    let mut count = 0f64;
    for tile in pictures.iter().flat_map(|(d, _)| d.tiles.chunks_exact(TILE_VALUES)) {
        for ((sum, squares), &v) in sums.iter_mut().zip(tile) {
            *sum += f64::from(v);
            *squares += f64::from(v) * f64::from(v);
        }
        count += 1.0;
    }
    let count = count.max(1.0);
    sums.iter()
        .map(|(sum, squares)| {
            let mean = sum / count;
            let deviation = (squares / count - mean * mean).max(0.0).sqrt();
            (mean as f32, if deviation > 1e-6 { (1.0 / deviation) as f32 } else { 0.0 })
        })
        .unzip()
}

fn fit(
    class: usize,
    pictures: &[Shown<'_>],
    scaled: &[Vec<f32>],
    marked: &[Vec<(usize, Vec<f32>)>],
    stop: &(dyn Fn() -> bool + Sync),
) -> Plane {
    let others: usize =
        pictures.iter().zip(scaled).filter(|((_, c), _)| *c != class).map(|(_, s)| s.len()).sum();
    let step = (others / TILE_VALUES / MOST_TILES).max(1);
    let mut plane: Option<Plane> = None;
    for _ in 0..TURNS {
        if stop() {
            break;
        }
        let mut rows: Vec<(&[f32], f64, bool)> = Vec::new();
        for (((_, own), tiles), marked) in pictures.iter().zip(scaled).zip(marked) {
            let boxes: Vec<&[f32]> =
                marked.iter().filter(|(c, _)| *c == class).map(|(_, v)| &v[..]).collect();
            if !boxes.is_empty() {
                rows.extend(boxes.iter().map(|row| (*row, 1.0 / boxes.len() as f64, true)));
            } else if *own == class {
                let mut found: Vec<&[f32]> = tiles.chunks_exact(TILE_VALUES).collect();
                if let Some(plane) = &plane {
                    found.sort_by(|a, b| plane.value(b).total_cmp(&plane.value(a)));
                    found.truncate(LOUDEST);
                }
                let weight = 1.0 / found.len().max(1) as f64;
                rows.extend(found.into_iter().map(|row| (row, weight, true)));
            } else {
                rows.extend(tiles.chunks_exact(TILE_VALUES).step_by(step).map(|row| (row, 1.0, false)));
            }
        }
        let sum = |side: bool| rows.iter().filter(|r| r.2 == side).map(|r| r.1).sum::<f64>().max(1e-9);
        let (positive, negative) = (sum(true), sum(false));
        rows.iter_mut().for_each(|row| row.1 /= if row.2 { positive } else { negative });
        plane = Some(Plane::fit(TILE_VALUES, &rows));
    }
    plane.unwrap_or(Plane { weights: vec![0.0; TILE_VALUES], offset: 0.0 })
}
