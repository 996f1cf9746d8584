//! The points of the curves that a report draws.

use super::figures::Judged;

/// A point, both between 0 and 1.
pub(crate) type Point = (f64, f64);

/// Pictures from the highest score of a class down, in steps of equal scores: how many of the class, how many others.
fn steps(judged: &[Judged], class: usize) -> Vec<(f64, f64)> {
    let mut order: Vec<(f64, bool)> =
        judged.iter().map(|j| (j.probabilities[class], j.class == class)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut misses) = (0.0, 0.0);
    let mut out = Vec::new();
    for (i, &(score, hit)) in order.iter().enumerate() {
        if hit {
            hits += 1.0
        } else {
            misses += 1.0
        }
        if order.get(i + 1).is_none_or(|next| next.0 != score) {
            out.push((hits, misses));
        }
    }
    out
}

/// False alarms across, found pictures up.
pub(crate) fn receiver(judged: &[Judged], class: usize) -> Vec<Point> {
    let steps = steps(judged, class);
    let Some(&(hits, misses)) = steps.last() else { return Vec::new() };
    if hits == 0.0 || misses == 0.0 {
        return Vec::new();
    }
    std::iter::once((0.0, 0.0)).chain(steps.iter().map(|(h, m)| (m / misses, h / hits))).collect()
}

/// Found pictures across, precision up.
pub(crate) fn precision_recall(judged: &[Judged], class: usize) -> Vec<Point> {
    let steps = steps(judged, class);
    let Some(&(hits, _)) = steps.last() else { return Vec::new() };
    if hits == 0.0 {
        return Vec::new();
    }
    let points: Vec<Point> = steps.iter().map(|(h, m)| (h / hits, h / (h + m))).collect();
    points.first().map(|first| (0.0, first.1)).into_iter().chain(points.iter().copied()).collect()
}

/// Mean probability across, share that was right up, over bins with pictures; and how many they hold.
pub(crate) fn reliability(judged: &[Judged], class: usize) -> Vec<(Point, usize)> {
    const BINS: usize = 10;
    let mut bins = [(0.0, 0.0, 0usize); BINS];
    for one in judged {
        let p = one.probabilities[class];
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(one.class == class));
        bin.2 += 1;
    }
    let filled = bins.into_iter().filter(|bin| bin.2 > 0);
    filled.map(|(p, right, n)| ((p / n as f64, right / n as f64), n)).collect()
}
