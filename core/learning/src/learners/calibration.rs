//! From scores to probabilities that mean what they say.
//!
//! A logistic curve through scores of pictures that the model had not seen (Platt 1999, with the targets and the
//! Newton steps of Lin, Lin and Weng 2007). It is fitted on few pictures, so it has two parameters and no more.

/// `1 / (1 + exp(-(slope * logit(score) + offset)))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Curve {
    pub slope: f64,
    pub offset: f64,
}

/// The logarithm of the odds of a score, at most about 9 in size.
pub(crate) fn logit(score: f64) -> f64 {
    let p = score.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}

/// The inverse of [`logit`].
pub(crate) fn logistic(value: f64) -> f64 {
    if value >= 0.0 {
        1.0 / (1.0 + (-value).exp())
    } else {
        let e = value.exp();
        e / (1.0 + e)
    }
}

/// How firmly the curve is held where it starts, in observations: a slope of 1 with a standard deviation of 1, and odds
/// as frequent as the labels are with one of a half.
const SLOPE_WEIGHT: f64 = 1.0;
const OFFSET_WEIGHT: f64 = 4.0;

impl Curve {
    /// Takes scores as they are.
    pub(crate) const PLAIN: Self = Self { slope: 1.0, offset: 0.0 };

    /// Fits the curve to scores and whether each was right. `trust`, above 0 and up to 1, is how much of an independent
    /// observation each is: where pictures resemble each other the curve stays nearer to the plain scores.
    pub(crate) fn fit(scores: &[(f64, bool)], trust: f64) -> Self {
        let positive = scores.iter().filter(|(_, right)| *right).count() as f64;
        let negative = scores.len() as f64 - positive;
        if positive < 1.0 || negative < 1.0 {
            return Self::PLAIN;
        }
        let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
        let points: Vec<(f64, f64)> =
            scores.iter().map(|&(s, right)| (logit(s), if right { high } else { low })).collect();
        let start = Self { slope: 1.0, offset: (positive / negative).ln() };
        let loss = |curve: &Self| {
            let (ds, dt) = (curve.slope - start.slope, curve.offset - start.offset);
            let prior = (ds * ds * SLOPE_WEIGHT + dt * dt * OFFSET_WEIGHT) / (2.0 * trust);
            let of_points: f64 = points
                .iter()
                .map(|&(x, t)| {
                    let v = curve.slope * x + curve.offset;
                    // -t ln(p) - (1-t) ln(1-p), written so that nothing overflows.
                    let soft = if v >= 0.0 { (-v).exp().ln_1p() } else { v.exp().ln_1p() - v };
                    soft + (1.0 - t) * v
                })
                .sum();
            prior + of_points
        };
        let mut curve = start;
        let mut current = loss(&curve);
        for _ in 0..100 {
            let (slope_weight, offset_weight) = (SLOPE_WEIGHT / trust, OFFSET_WEIGHT / trust);
            let mut gs = slope_weight * (curve.slope - start.slope);
            let mut go = offset_weight * (curve.offset - start.offset);
            let (mut hss, mut hso, mut hoo) = (slope_weight, 0.0, offset_weight);
            for &(x, t) in &points {
                let p = logistic(curve.slope * x + curve.offset);
                let (d, w) = (p - t, p * (1.0 - p));
                gs += d * x;
                go += d;
                hss += w * x * x;
                hso += w * x;
                hoo += w;
            }
            if gs.abs() < 1e-6 && go.abs() < 1e-6 {
                break;
            }
            let determinant = hss * hoo - hso * hso;
            let (ds, dt) = ((hoo * gs - hso * go) / determinant, (hss * go - hso * gs) / determinant);
            let mut step = 1.0;
            while step > 1e-8 {
                let next = Self { slope: curve.slope - step * ds, offset: curve.offset - step * dt };
                let reached = loss(&next);
                if reached < current {
                    (curve, current) = (next, reached);
                    break;
                }
                step /= 2.0;
            }
            if step <= 1e-8 {
                break;
            }
        }
        // A falling curve would turn the model round on the word of a few pictures.
        if curve.slope.is_finite() && curve.offset.is_finite() && curve.slope > 0.0 {
            curve
        } else {
            Self { slope: 1e-3, ..start }
        }
    }

    /// The probability for a score.
    pub(crate) fn apply(&self, score: f64) -> f64 {
        logistic(self.slope * logit(score) + self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores whose odds are half of what they should be, and what happened.
    fn timid() -> Vec<(f64, bool)> {
        let mut random = fastrand::Rng::with_seed(5);
        let draw = |_| {
            let odds = random.f64() * 8.0 - 4.0;
            (logistic(odds / 2.0), random.f64() < logistic(odds))
        };
        (0..4000).map(draw).collect()
    }

    #[test]
    fn timid_scores_are_stretched_to_what_happened() {
        let curve = Curve::fit(&timid(), 1.0);
        assert!((curve.slope - 2.0).abs() < 0.2 && curve.offset.abs() < 0.2, "{curve:?}");
        assert!((curve.apply(logistic(1.0)) - logistic(2.0)).abs() < 0.03);
    }

    #[test]
    fn few_scores_and_little_trust_leave_them_nearly_as_they_are() {
        let few = &timid()[..20];
        let (trusted, doubted) = (Curve::fit(few, 1.0), Curve::fit(few, 0.05));
        assert!((doubted.slope - 1.0).abs() < (trusted.slope - 1.0).abs(), "{trusted:?} {doubted:?}");
        assert!((doubted.slope - 1.0).abs() < 0.5, "{doubted:?}");
    }

    #[test]
    fn scores_that_point_the_wrong_way_become_the_frequency() {
        let wrong: Vec<(f64, bool)> = timid().into_iter().map(|(score, hit)| (1.0 - score, hit)).collect();
        let curve = Curve::fit(&wrong, 1.0);
        assert!((curve.apply(0.9) - curve.apply(0.1)).abs() < 0.01, "{curve:?}");
    }
}
