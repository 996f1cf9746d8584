//! How well scores put pictures of a label before the others.

/// The area under the receiver's curve: the chance that a picture of the label has a higher score than another one;
/// equal scores count half (Mann and Whitney). `None` when one side is empty.
pub(crate) fn area_under_curve(scored: &[(f64, bool)]) -> Option<f64> {
    let mut order: Vec<&(f64, bool)> = scored.iter().collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let same = order[at..].iter().take_while(|s| s.0 == order[at].0).count();
        let rank = at as f64 + (same as f64 + 1.0) / 2.0;
        rank_sum += rank * order[at..at + same].iter().filter(|s| s.1).count() as f64;
        at += same;
    }
    let positive = scored.iter().filter(|s| s.1).count() as f64;
    let negative = scored.len() as f64 - positive;
    if positive == 0.0 || negative == 0.0 {
        return None;
    }
    Some((rank_sum - positive * (positive + 1.0) / 2.0) / (positive * negative))
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
        assert_eq!(area_under_curve(&scored), Some(0.75));
        assert!((average_precision(&scored).unwrap() - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        assert_eq!(area_under_curve(&[(0.5, true), (0.5, false)]), Some(0.5));
        assert_eq!(area_under_curve(&[(0.5, true)]), None);
        assert_eq!(average_precision(&[(0.5, false)]), None);
    }
}
