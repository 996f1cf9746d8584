//! The standard profile: finds the panel, models its light and paint, and measures what departs from both.
//!
//! Everything is relative to the surroundings of a pixel and to the local noise, in perceptual units (ΔE 1976), on a
//! work image of at most 1600 pixels. The same picture always gives the same figures; nothing is learned, nothing is
//! random, one thread is used. It cannot tell a defect from a sticker, and it says with `confidence`, not with
//! silence, that a photograph is unfit. The meaning of the figures is in `docs/measuring.md`.

mod background;
mod blocks;
mod capture;
mod classify;
mod components;
mod confidence;
mod defects;
mod faint;
mod film;
mod glare;
mod grain;
mod grid;
mod halves;
mod indices;
mod lines;
mod panel;
mod runs;
mod score;
mod specks;
mod tally;
mod thresholds;
mod work_image;

use crate::{Capture, Judgement, Picture, Profile, Region, RegionMap, Sensitivity};
use background::Background;
use blocks::Blocks;
use defects::Scene;
use panel::{Panel, Part};
use tally::Tally;
use thresholds::Thresholds;
use work_image::{BLOCK, GLARE, WorkImage};

/// Measures one picture.
///
/// Never fails: an empty, tiny, blown-out or structured picture gets figures with a low `confidence`.
#[must_use]
pub fn judge(picture: &Picture, sensitivity: Sensitivity) -> Judgement {
    judge_observed(picture, sensitivity, &mut |_| {})
}

/// As [`judge`]; calls `passed` with the name of every stage when it ends, for measurements of time.
#[must_use]
pub fn judge_observed(
    picture: &Picture,
    sensitivity: Sensitivity,
    passed: &mut dyn FnMut(&'static str),
) -> Judgement {
    if picture.pixels() == 0 {
        return nothing(picture);
    }
    let thresholds = Thresholds::of(sensitivity);
    let mut image = WorkImage::of(picture);
    passed("work image");
    glare::widen(&mut image);
    passed("glare");
    let blocks = Blocks::of(&image);
    passed("blocks");
    let panel = panel::find(&blocks);
    passed("panel");
    let background = Background::of(&blocks, &panel);
    passed("background");
    let scores = score::score(&image, &panel, &background, &thresholds);
    passed("score");
    let scene =
        Scene { image: &image, blocks: &blocks, panel: &panel, background: &background, scores: &scores };
    let found = defects::find(&scene, &thresholds, sensitivity);
    passed("defects");

    let mut cells = base_regions(&image, &panel);
    for (runs, region) in found.painted() {
        for run in runs {
            let row = run.y as usize * image.width;
            cells[row + run.start as usize..row + run.end as usize].fill(region);
        }
    }
    passed("regions");
    let tally = Tally::of(&image, &panel.parts, &cells);
    let valid = tally.valid().max(1);
    let percent = |pixels: f32| 100.0 * f64::from(pixels) / valid as f64;
    let sigma = middle(&background.sigma[0].values, &panel, 0.5);
    let coverage = indices::coverage(tally.sound(), tally.valid());
    let evidence = indices::Evidence {
        coverage,
        edge_ratio: edge_ratio(&tally),
        defect_area: found.defects.iter().map(|d| percent(d.area)).sum(),
        largest: found.defects.iter().map(|d| percent(d.area)).fold(0.0, f64::max),
        largest_rust: found.largest_rust().map_or(0.0, percent),
        uncovered: 100.0 * tally.uncovered as f64 / valid as f64,
        count: found.defects.len(),
        longest_crack: f64::from(found.longest_crack() / image.long_side()),
        delta_e_p95: delta_e_p95(&cells, image.width, &scores),
        sigma_lightness: sigma,
        lightness_range: middle(&background.colour[0].values, &panel, 0.98)
            - middle(&background.colour[0].values, &panel, 0.02),
    };
    let judged = tally.judged.max(1) as f64;
    let light = panel.parts.iter().filter(|p| **p == Part::Light).count() as f64;
    let judged_blocks = panel.parts.iter().filter(|p| p.judged()).count().max(1) as f64;
    let detail = detail(&blocks, &panel);
    let doubts = confidence::Doubts {
        clipped: tally.clipped as f64 / judged,
        detail,
        variation: detail + variation(&blocks, &panel),
        pixels: picture.pixels(),
        doubtful: found.doubtful as f64 / judged,
        deviating: found.deviating as f64 / judged,
        valid: tally.valid() as f64 / judged,
        light: light / judged_blocks,
        clarity: f64::from(panel.clarity),
        sigma_lightness: sigma,
        aligned: f64::from(found.aligned),
        undecided: found.undecided,
        grain: grain::direction(&image, &panel),
    };
    let capture = capture::capture(&tally, &doubts, evidence.lightness_range);
    passed("figures");
    Judgement {
        profile: Profile::Standard,
        width: picture.width,
        height: picture.height,
        cvi: indices::cvi(&evidence),
        cqi: indices::cqi(&evidence),
        coverage_percent: coverage,
        edge_coverage_ratio: evidence.edge_ratio,
        defects_detected: evidence.count as u32,
        severity: indices::severity(&evidence),
        confidence: confidence::confidence(&doubts),
        roi_percent: 100.0 * tally.judged as f64 / cells.len() as f64,
        capture,
        defects: found.list(picture, &image, valid),
        regions: RegionMap { width: image.width as u32, height: image.height as u32, cells },
    }
}

fn nothing(picture: &Picture) -> Judgement {
    Judgement {
        profile: Profile::Standard,
        width: picture.width,
        height: picture.height,
        cvi: 0.0,
        cqi: 0.0,
        coverage_percent: 0.0,
        edge_coverage_ratio: 0.0,
        defects_detected: 0,
        severity: crate::Severity::Low,
        confidence: 0.0,
        roi_percent: 0.0,
        capture: Capture::default(),
        defects: Vec::new(),
        regions: RegionMap { width: 0, height: 0, cells: Vec::new() },
    }
}

/// Outside, coat and glare; defects are painted over it later.
fn base_regions(image: &WorkImage, panel: &Panel) -> Vec<Region> {
    let columns = image.block_columns();
    let mut cells = vec![Region::Outside; image.width * image.height];
    for (y, row) in cells.chunks_mut(image.width).enumerate() {
        let parts = &panel.parts[y / BLOCK * columns..];
        let flags = image.flags[y * image.width..].chunks(BLOCK);
        for ((cells, part), flags) in row.chunks_mut(BLOCK).zip(parts).zip(flags) {
            if part.judged() {
                for (cell, flag) in cells.iter_mut().zip(flags) {
                    *cell = if flag & GLARE == 0 { Region::Coat } else { Region::Glare };
                }
            }
        }
    }
    cells
}

/// Coverage of the margin over that of the interior; 1 when either is missing.
fn edge_ratio(tally: &Tally) -> f64 {
    let share = |zone: tally::Zone| (zone.valid > 0).then(|| zone.sound as f64 / zone.valid as f64);
    match (share(tally.margin), share(tally.interior)) {
        (Some(margin), Some(interior)) if interior > 0.0 => (margin / interior).clamp(0.0, 1.0),
        _ => 1.0,
    }
}

/// A quantile of a block map over the panel; 0 without a panel.
fn middle(values: &[f32], panel: &Panel, quantile: f32) -> f64 {
    let mut kept: Vec<f32> =
        values.iter().zip(&panel.parts).filter(|(_, p)| **p == Part::Panel).map(|(v, _)| *v).collect();
    if kept.is_empty() {
        return 0.0;
    }
    let place = ((kept.len() - 1) as f32 * quantile).round() as usize;
    f64::from(*kept.select_nth_unstable_by(place, f32::total_cmp).1)
}

/// Median variance of the fine detail of the panel's blocks.
fn detail(blocks: &Blocks, panel: &Panel) -> f64 {
    let values: Vec<f32> = blocks.cells.iter().map(|b| b.detail).collect();
    middle(&values, panel, 0.5).powi(2)
}

/// Median variance of L* within the panel's blocks after the 3x3 mean.
fn variation(blocks: &Blocks, panel: &Panel) -> f64 {
    let values: Vec<f32> = blocks.cells.iter().map(|b| b.spread[0] * background::TO_SIGMA).collect();
    middle(&values, panel, 0.5).powi(2)
}

/// 95th percentile of ΔE over the valid pixels of every fourth row.
fn delta_e_p95(cells: &[Region], width: usize, scores: &score::Scores) -> f64 {
    let mut histogram = [0u32; 256];
    for (cells, values) in cells.chunks(width).zip(scores.delta_e.chunks(width)).step_by(4) {
        for (cell, &value) in cells.iter().zip(values) {
            if !matches!(cell, Region::Outside | Region::Glare) {
                histogram[usize::from(value)] += 1;
            }
        }
    }
    let total: u32 = histogram.iter().sum();
    let mut left = total - total / 20;
    for (value, &count) in histogram.iter().enumerate() {
        if count >= left {
            return value as f64 / f64::from(score::DELTA_E_STEPS);
        }
        left -= count;
    }
    0.0
}
