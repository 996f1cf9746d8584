//! A support vector machine with a Gaussian kernel, one against the rest.
//!
//! Training is sequential minimal optimisation with second-order choice of the pair (Fan, Chen, Lin 2005, as in
//! LIBSVM), with costs weighed so that every class counts the same. Distances are exact integers; the kernel matrix is
//! held whole, so more than [`MOST_ROWS`] rows are thinned by the caller.

use rayon::prelude::*;

use super::emphasis;
use super::scaling::{Rows, STEPS};

/// Rows that are trained on at most: a kernel matrix of 100 MB.
pub(crate) const MOST_ROWS: usize = 5000;

/// Cost of a row on the wrong side, before weighing.
const COST: f64 = 4.0;
/// Violation of the optimality conditions at which training ends; LIBSVM's.
const TOLERANCE: f64 = 1e-3;
/// Steps of training at most, for each row.
const STEPS_PER_ROW: usize = 200;

/// A trained machine: the rows that matter, and their weights in each of its functions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KernelMachine {
    /// The kernel is `exp(-width * squared distance in steps)`.
    pub kernel_width: f32,
    /// How much each value counts, 0 to 1.
    pub emphasis: Vec<f32>,
    /// Rows that are already weighed.
    pub support: Rows,
    /// For every function one weight a support row.
    pub weights: Vec<Vec<f32>>,
    /// One a function.
    pub offsets: Vec<f32>,
}

impl KernelMachine {
    /// Trains on rows whose values count as `emphasis` says. One function for two
    /// classes (positive means the second), else one a class. `stop` is asked now and
    /// then; when it says yes the result is worth nothing.
    pub(crate) fn train(
        rows: &Rows,
        classes: &[usize],
        class_count: usize,
        emphasis: Vec<f32>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Self {
        let count = rows.count();
        // One over the mean squared length of a row, as scikit-learn's `scale`.
        let varying: f32 = emphasis.iter().map(|w| w * w).sum();
        let kernel_width = 1.0 / (varying.max(1.0) * STEPS * STEPS);
        let rows = Rows {
            width: rows.width,
            values: (0..count).flat_map(|i| emphasis::weighed(rows.row(i), &emphasis)).collect(),
        };
        let wide: Vec<i16> = rows.values.iter().map(|&v| i16::from(v)).collect();
        let row = |i: usize| &wide[i * rows.width..(i + 1) * rows.width];
        let lengths: Vec<i32> = (0..count).map(|i| dot(row(i), row(i))).collect();
        let mut kernel = vec![0f32; count * count];
        kernel.par_chunks_mut(count.max(1)).enumerate().for_each(|(i, out)| {
            if stop() {
                return;
            }
            for (j, out) in out.iter_mut().enumerate() {
                let distance = lengths[i] + lengths[j] - 2 * dot(row(i), row(j));
                *out = (-kernel_width * distance as f32).exp();
            }
        });
        let functions: Vec<usize> = if class_count == 2 { vec![1] } else { (0..class_count).collect() };
        let trained: Vec<(Vec<f32>, f32)> = functions
            .par_iter()
            .map(|&positive| {
                let signs: Vec<f64> =
                    classes.iter().map(|&c| if c == positive { 1.0 } else { -1.0 }).collect();
                optimise(&kernel, &signs, stop)
            })
            .collect();
        let kept: Vec<usize> =
            (0..count).filter(|&i| trained.iter().any(|(weights, _)| weights[i] != 0.0)).collect();
        let weights = trained.iter().map(|(w, _)| kept.iter().map(|&i| w[i]).collect()).collect();
        let offsets = trained.iter().map(|(_, offset)| *offset).collect();
        Self { kernel_width, emphasis, support: rows.picked(&kept), weights, offsets }
    }

    /// The value of every function for a row; ±1 is the margin.
    pub(crate) fn values(&self, row: &[i8]) -> Vec<f32> {
        let row = emphasis::weighed(row, &self.emphasis);
        let mut values = self.offsets.clone();
        for index in 0..self.support.count() {
            let similarity = (-self.kernel_width * distance(&row, self.support.row(index)) as f32).exp();
            for (value, weights) in values.iter_mut().zip(&self.weights) {
                *value += weights[index] * similarity;
            }
        }
        values
    }

    /// A score for every class, adding up to 1: the values through a fixed curve, where the margin is 0.88.
    pub(crate) fn scores(&self, row: &[i8]) -> Vec<f32> {
        let mut scores: Vec<f32> = self.values(row).iter().map(|v| 1.0 / (1.0 + (-2.0 * v).exp())).collect();
        if let [positive] = scores[..] {
            return vec![1.0 - positive, positive];
        }
        let total: f32 = scores.iter().sum::<f32>().max(1e-6);
        scores.iter_mut().for_each(|s| *s /= total);
        scores
    }
}

#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn distance(a: &[i8], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| {
            let d = i32::from(i16::from(a) - i16::from(b));
            d * d
        })
        .sum()
}

/// Weights with signs and the offset of one function.
fn optimise(kernel: &[f32], signs: &[f64], stop: &(dyn Fn() -> bool + Sync)) -> (Vec<f32>, f32) {
    let count = signs.len();
    let positive = signs.iter().filter(|&&s| s > 0.0).count();
    let cost = |sign: f64| {
        let own = if sign > 0.0 { positive } else { count - positive };
        COST * count as f64 / (2.0 * own.max(1) as f64)
    };
    let costs: Vec<f64> = signs.iter().map(|&s| cost(s)).collect();
    let mut alphas = vec![0f64; count];
    let mut gradient = vec![-1f64; count];
    let row = |i: usize| &kernel[i * count..(i + 1) * count];
    for step in 0..count * STEPS_PER_ROW {
        if step % 64 == 0 && stop() {
            break;
        }
        let Some((i, j)) = choose(&alphas, &gradient, signs, &costs, row) else { break };
        let (ki, kj) = (row(i), row(j));
        let curve = (2.0 - 2.0 * f64::from(ki[j])).max(1e-12);
        // The pair moves along the line that keeps the sum of signed weights.
        let (up, down) = (-signs[i] * gradient[i], -signs[j] * gradient[j]);
        let mut change = (up - down) / curve;
        let room_i = if signs[i] > 0.0 { costs[i] - alphas[i] } else { alphas[i] };
        let room_j = if signs[j] > 0.0 { alphas[j] } else { costs[j] - alphas[j] };
        change = change.min(room_i).min(room_j);
        let settle = |alpha: f64, cost: f64| {
            if alpha < cost * 1e-12 {
                0.0
            } else if alpha > cost * (1.0 - 1e-12) {
                cost
            } else {
                alpha
            }
        };
        let (old_i, old_j) = (alphas[i], alphas[j]);
        alphas[i] = settle(alphas[i] + signs[i] * change, costs[i]);
        alphas[j] = settle(alphas[j] - signs[j] * change, costs[j]);
        let (di, dj) = (signs[i] * (alphas[i] - old_i), signs[j] * (alphas[j] - old_j));
        for (((g, &s), &a), &b) in gradient.iter_mut().zip(signs).zip(ki).zip(kj) {
            *g += s * (di * f64::from(a) + dj * f64::from(b));
        }
    }
    let offset = offset(&alphas, &gradient, signs, &costs);
    (alphas.iter().zip(signs).map(|(a, s)| (a * s) as f32).collect(), offset as f32)
}

/// The pair that violates the conditions most, by the second-order rule; `None` when all hold.
fn choose<'a>(
    alphas: &[f64],
    gradient: &[f64],
    signs: &[f64],
    costs: &[f64],
    row: impl Fn(usize) -> &'a [f32],
) -> Option<(usize, usize)> {
    let can_rise = |i: usize| if signs[i] > 0.0 { alphas[i] < costs[i] } else { alphas[i] > 0.0 };
    let can_fall = |i: usize| if signs[i] > 0.0 { alphas[i] > 0.0 } else { alphas[i] < costs[i] };
    let mut first = None;
    let mut highest = f64::NEG_INFINITY;
    for i in (0..signs.len()).filter(|&i| can_rise(i)) {
        let value = -signs[i] * gradient[i];
        if value > highest {
            (first, highest) = (Some(i), value);
        }
    }
    let first = first?;
    let kernel = row(first);
    let mut second = None;
    let (mut lowest, mut best) = (f64::INFINITY, f64::INFINITY);
    for j in (0..signs.len()).filter(|&j| can_fall(j)) {
        let value = -signs[j] * gradient[j];
        lowest = lowest.min(value);
        let gap = highest - value;
        if gap > 0.0 {
            let gain = -gap * gap / (2.0 - 2.0 * f64::from(kernel[j])).max(1e-12);
            if gain < best {
                (second, best) = (Some(j), gain);
            }
        }
    }
    if highest - lowest < TOLERANCE { None } else { second.map(|second| (first, second)) }
}

/// The offset: the mean over rows between the bounds, else the middle of what the bounds allow.
fn offset(alphas: &[f64], gradient: &[f64], signs: &[f64], costs: &[f64]) -> f64 {
    let (mut sum, mut free) = (0.0, 0usize);
    let (mut upper, mut lower) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 0..signs.len() {
        let value = signs[i] * gradient[i];
        if alphas[i] > 0.0 && alphas[i] < costs[i] {
            sum += value;
            free += 1;
        } else if (alphas[i] <= 0.0) == (signs[i] > 0.0) {
            upper = upper.min(value);
        } else {
            lower = lower.max(value);
        }
    }
    if free > 0 {
        return -sum / free as f64;
    }
    match (upper.is_finite(), lower.is_finite()) {
        (true, true) => -(upper + lower) / 2.0,
        (true, false) => -upper,
        (false, true) => -lower,
        (false, false) => 0.0,
    }
}
