//! 95 % intervals.
//!
//! Groups are drawn with replacement, as often as there are groups, and the figure is taken anew (a bootstrap by groups:
//! pictures of one group fail together, so drawing pictures would pretend to know more). With few groups, or none that
//! failed, that is too narrow; for accuracy Wilson's interval (1927) for the number of pictures is joined to it.

use super::figures::{Interval, Judged};

const DRAWS: usize = 1000;
const Z: f64 = 1.959_963_984_540_054;

/// The interval of a figure under a bootstrap by groups; `None` when it cannot be taken on most draws.
pub(super) fn bootstrap(
    judged: &[Judged],
    seed: u64,
    figure: impl Fn(&[&Judged]) -> Option<f64>,
) -> Option<Interval> {
    let mut groups: Vec<Vec<&Judged>> = Vec::new();
    let mut numbers = std::collections::BTreeMap::new();
    for one in judged {
        let at = *numbers.entry(one.group).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(one);
    }
    if groups.is_empty() {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(seed ^ 0x626f_6f74);
    let mut found: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let drawn: Vec<&Judged> = (0..groups.len())
                .flat_map(|_| groups[random.usize(..groups.len())].iter().copied())
                .collect();
            figure(&drawn)
        })
        .collect();
    if found.len() < DRAWS / 2 {
        return None;
    }
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found[((found.len() - 1) as f64 * share).round() as usize];
    Some(Interval { low: at(0.025), high: at(0.975) })
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
