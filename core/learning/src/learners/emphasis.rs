//! How much each value counts in a distance between pictures.
//!
//! A kernel machine looks at all values at once, and with few pictures the many that say nothing drown the few that do.
//! Each value is weighed by how much of the difference between its class means is more than chance: the positive part
//! of `1 - 2 / F`, `F` from the analysis of variance (the shrinkage of James and Stein 1961, value by value).

use super::scaling::Rows;

/// A weight from 0 to 1 for every value.
pub(crate) fn of(rows: &Rows, classes: &[usize], class_count: usize) -> Vec<f32> {
    let mut counts = vec![0f64; class_count];
    classes.iter().for_each(|&class| counts[class] += 1.0);
    let mut means = vec![0f64; class_count * rows.width];
    let own = |class: usize| class * rows.width..(class + 1) * rows.width;
    for (index, &class) in classes.iter().enumerate() {
        for (mean, &v) in means[own(class)].iter_mut().zip(rows.row(index)) {
            *mean += f64::from(v) / counts[class];
        }
    }
    let mut within = vec![0f64; rows.width];
    for (index, &class) in classes.iter().enumerate() {
        for ((sum, &v), mean) in within.iter_mut().zip(rows.row(index)).zip(&means[own(class)]) {
            *sum += (f64::from(v) - mean) * (f64::from(v) - mean);
        }
    }
    let total = classes.len() as f64;
    let kept = counts.iter().filter(|&&n| n > 0.0).count() as f64;
    let weigh = |value: usize| {
        let shares = || counts.iter().enumerate().map(|(class, n)| (means[class * rows.width + value], *n));
        let middle = shares().map(|(mean, n)| mean * n).sum::<f64>() / total;
        let between = shares().map(|(mean, n)| n * (mean - middle) * (mean - middle)).sum::<f64>();
        let between = between / (kept - 1.0).max(1.0);
        let within = within[value] / (total - kept).max(1.0);
        if between <= 2.0 * within { 0.0 } else { (1.0 - 2.0 * within / between).sqrt() as f32 }
    };
    let weights: Vec<f32> = (0..rows.width).map(weigh).collect();
    // When nothing parts the classes by itself, everything counts the same.
    if weights.iter().all(|&w| w == 0.0) { vec![1.0; rows.width] } else { weights }
}

/// Weighs one row.
pub(crate) fn weighed(row: &[i8], emphasis: &[f32]) -> Vec<i8> {
    row.iter().zip(emphasis).map(|(&v, &w)| (f32::from(v) * w).round() as i8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_parts_the_classes_counts_and_noise_does_not() {
        let mut random = fastrand::Rng::with_seed(3);
        let classes: Vec<usize> = (0..60).map(|i| i % 2).collect();
        let mut rows = Rows { width: 20, values: Vec::new() };
        for &class in &classes {
            rows.values.push(if class == 1 { 16 } else { -16 } + random.i8(-8..8));
            rows.values.extend((1..20).map(|_| random.i8(-16..16)));
        }
        let weights = of(&rows, &classes, 2);
        assert!(weights[0] > 0.98, "{weights:?}");
        assert!(weights[1..].iter().sum::<f32>() < 19.0 * 0.4, "{weights:?}");
        assert_eq!(weighed(&[100, 7], &[0.5, 1.0]), [50, 7]);
    }
}
