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

impl Curve {
    /// Takes scores as they are.
    pub(crate) const PLAIN: Self = Self { slope: 1.0, offset: 0.0 };

    /// Fits the curve to scores and whether each was right.
    pub(crate) fn fit(scores: &[(f64, bool)]) -> Self {
        let positive = scores.iter().filter(|(_, right)| *right).count() as f64;
        let negative = scores.len() as f64 - positive;
        if positive < 1.0 || negative < 1.0 {
            return Self::PLAIN;
        }
        let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
        let points: Vec<(f64, f64)> =
            scores.iter().map(|&(s, right)| (logit(s), if right { high } else { low })).collect();
        let loss = |curve: &Self| {
            points
                .iter()
                .map(|&(x, t)| {
                    let v = curve.slope * x + curve.offset;
                    // -t ln(p) - (1-t) ln(1-p), written so that nothing overflows.
                    let soft = if v >= 0.0 { (-v).exp().ln_1p() } else { v.exp().ln_1p() - v };
                    soft + (1.0 - t) * v
                })
                .sum::<f64>()
        };
        let mut curve = Self::PLAIN;
        let mut current = loss(&curve);
        for _ in 0..100 {
            let (mut gs, mut go, mut hss, mut hso, mut hoo) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
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
            Self { slope: 1e-3, offset: (positive / negative).ln() }
        }
    }

    /// The probability for a score.
    pub(crate) fn apply(&self, score: f64) -> f64 {
        logistic(self.slope * logit(score) + self.offset)
    }
}
