//! 95 % intervals.
//!
//! Groups are drawn with replacement, as often as there are groups, and the figure is taken anew (a bootstrap by groups:
//! pictures of one group fail together, so drawing pictures would pretend to know more). With few groups, or none that
//! failed, that is too narrow; for shares of pictures (accuracy, precision, recall) Wilson's interval (1927) is joined to it.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::figures::{Interval, Judged};

const DRAWS: u64 = 1000;
const Z: f64 = 1.959_963_984_540_054;

/// The intervals of some figures under a bootstrap by groups; `None` for one that cannot be taken on most draws.
/// `figures` is given how often each picture was drawn.
pub(super) fn bootstrap<const N: usize>(
    judged: &[Judged],
    seed: u64,
    figures: impl Fn(&[f64]) -> [Option<f64>; N] + Sync,
) -> [Option<Interval>; N] {
    let numbers: BTreeSet<usize> = judged.iter().map(|one| one.group).collect();
    let numbers: BTreeMap<usize, usize> = numbers.into_iter().zip(0..).collect();
    let group_of: Vec<usize> = judged.iter().map(|one| numbers[&one.group]).collect();
    if numbers.is_empty() {
        return [None; N];
    }
    let found: Vec<[Option<f64>; N]> = (0..DRAWS)
        .into_par_iter()
        .map(|draw| {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(DRAWS) ^ draw ^ 0x626f_6f74);
            let mut drawn = vec![0f64; numbers.len()];
            (0..numbers.len()).for_each(|_| drawn[random.usize(..numbers.len())] += 1.0);
            let weights: Vec<f64> = group_of.iter().map(|&group| drawn[group]).collect();
            figures(&weights)
        })
        .collect();
    std::array::from_fn(|which| {
        let mut values: Vec<f64> = found.iter().filter_map(|draw| draw[which]).collect();
        if (values.len() as u64) < DRAWS / 2 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        Some(Interval { low: at(0.025), high: at(0.975) })
    })
}

/// Wilson's interval of a share.
pub(super) fn wilson(right: usize, count: usize) -> Interval {
    let n = count.max(1) as f64;
    let p = right as f64 / n;
    let denominator = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / denominator;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / denominator;
    Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_published_values() {
        // Newcombe 1998, table I, method 3.
        for ((right, count), (low, high)) in [((81, 263), (0.2553, 0.3662)), ((0, 20), (0.0, 0.1611))] {
            let interval = wilson(right, count);
            assert!((interval.low - low).abs() < 1e-4 && (interval.high - high).abs() < 1e-4, "{interval:?}");
        }
    }
}
