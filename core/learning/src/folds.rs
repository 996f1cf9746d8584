//! Parts pictures for tests: whole groups only, labels spread as evenly as the groups allow.

/// Puts every picture into one of `folds` parts. Groups are taken largest first (equals in a random order) and go where
/// the spread of the labels over the parts grows least, as scikit-learn's `StratifiedGroupKFold` does.
pub(crate) fn assign(
    classes: &[usize],
    class_count: usize,
    groups: &[usize],
    folds: usize,
    seed: u64,
) -> Vec<usize> {
    let group_count = groups.iter().max().map_or(0, |&g| g + 1);
    let mut counts = vec![vec![0f64; class_count]; group_count];
    let mut totals = vec![0f64; class_count];
    for (&class, &group) in classes.iter().zip(groups) {
        counts[group][class] += 1.0;
        totals[class] += 1.0;
    }
    let mut order: Vec<usize> = (0..group_count).filter(|&g| counts[g].iter().any(|&n| n > 0.0)).collect();
    fastrand::Rng::with_seed(seed ^ 0x666f_6c64).shuffle(&mut order);
    let weight = |group: usize| {
        counts[group].iter().zip(&totals).map(|(n, total)| n / total.max(1.0)).fold(0f64, f64::max)
    };
    order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
    let mut held = vec![vec![0f64; class_count]; folds];
    let mut fold_of = vec![0usize; group_count];
    for group in order {
        let cost = |fold: usize| {
            let mut spread = 0.0;
            for class in 0..class_count {
                let share = |f: usize| {
                    let added = if f == fold { counts[group][class] } else { 0.0 };
                    (held[f][class] + added) / totals[class].max(1.0)
                };
                let mean = (0..folds).map(share).sum::<f64>() / folds as f64;
                spread += (0..folds).map(|f| (share(f) - mean).powi(2)).sum::<f64>();
            }
            (spread, held[fold].iter().sum::<f64>())
        };
        let best = (0..folds)
            .map(|fold| (cost(fold), fold))
            .min_by(|a, b| a.0.0.total_cmp(&b.0.0).then(a.0.1.total_cmp(&b.0.1)).then(a.1.cmp(&b.1)))
            .map_or(0, |(_, fold)| fold);
        held[best].iter_mut().zip(&counts[group]).for_each(|(h, n)| *h += n);
        fold_of[group] = best;
    }
    groups.iter().map(|&g| fold_of[g]).collect()
}

/// The parts that a cross-validation can have: as many as wished, but no more than the groups of the rarest label.
pub(crate) fn possible(classes: &[usize], class_count: usize, groups: &[usize], wished: usize) -> usize {
    (0..class_count).map(|class| groups_of(classes, groups, class)).min().unwrap_or(0).min(wished)
}

/// How many groups hold pictures of a class.
pub(crate) fn groups_of(classes: &[usize], groups: &[usize], class: usize) -> usize {
    let mut own: Vec<usize> =
        classes.iter().zip(groups).filter(|(c, _)| **c == class).map(|(_, &g)| g).collect();
    own.sort_unstable();
    own.dedup();
    own.len()
}
