//! How well scores put pictures of a label before the others.

/// Scores of one label, in order.
pub(super) struct Ranking {
    /// Which picture, its score, and whether it has the label; lowest score first.
    order: Vec<(usize, f64, bool)>,
}

impl Ranking {
    pub(super) fn of(scored: &[(f64, bool)]) -> Self {
        let mut order: Vec<_> = scored.iter().enumerate().map(|(i, &(score, hit))| (i, score, hit)).collect();
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        Self { order }
    }

    /// The area under the receiver's curve: the chance that a picture of the label has a higher score than another one;
    /// equal scores count half (Mann and Whitney). Pictures count as `weights` say. `None` when one side is empty.
    pub(super) fn area(&self, weights: &[f64]) -> Option<f64> {
        let (mut won, mut hits_in_all, mut others_below) = (0.0, 0.0, 0.0);
        for same in self.order.chunk_by(|a, b| a.1 == b.1) {
            let sum = |side: bool| same.iter().filter(|s| s.2 == side).map(|s| weights[s.0]).sum::<f64>();
            let (hits, others) = (sum(true), sum(false));
            won += hits * (others_below + others / 2.0);
            hits_in_all += hits;
            others_below += others;
        }
        (hits_in_all > 0.0 && others_below > 0.0).then(|| won / (hits_in_all * others_below))
    }
}

/// Average precision: precision at every picture of the label, from the highest score down, averaged.
pub(crate) fn average_precision(scored: &[(f64, bool)]) -> Option<f64> {
    let mut order: Vec<&(f64, bool)> = scored.iter().collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positive = scored.iter().filter(|s| s.1).count() as f64;
    if positive == 0.0 {
        return None;
    }
    let (mut found, mut seen, mut sum, mut at) = (0.0, 0.0, 0.0, 0);
    while at < order.len() {
        let same = order[at..].iter().take_while(|s| s.0 == order[at].0).count();
        let hits = order[at..at + same].iter().filter(|s| s.1).count() as f64;
        (found, seen) = (found + hits, seen + same as f64);
        sum += hits * found / seen;
        at += same;
    }
    Some(sum / positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_counted_by_hand() {
        let scored = [(0.9, true), (0.8, false), (0.7, true), (0.1, false)];
        let area = |scored: &[(f64, bool)], weights: &[f64]| Ranking::of(scored).area(weights);
        assert_eq!(area(&scored, &[1.0; 4]), Some(0.75));
        assert_eq!(area(&scored, &[1.0, 0.0, 1.0, 1.0]), Some(1.0));
        let precision = average_precision(&scored);
        assert!(precision.is_some_and(|p| (p - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12), "{precision:?}");
        assert_eq!(area(&[(0.5, true), (0.5, false)], &[1.0; 2]), Some(0.5));
        assert_eq!(area(&[(0.5, true)], &[1.0]), None);
        assert_eq!(average_precision(&[(0.5, false)]), None);
    }
}
