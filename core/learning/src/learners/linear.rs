//! Logistic regression with weighed rows, by Newton's method: a plane between tiles that speak for a label and the rest.
//!
//! Small on purpose: some dozens of values, a fixed penalty, a fixed number of steps.

/// Penalty on the squared weights, for rows whose weights add up to 1 and values with spread 1.
const PENALTY: f64 = 3e-3;
const NEWTON_STEPS: usize = 8;

/// A plane; positive values speak for what it was trained on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plane {
    pub weights: Vec<f32>,
    pub offset: f32,
}

impl Plane {
    /// The logarithm of the odds for a row.
    pub(crate) fn value(&self, row: &[f32]) -> f32 {
        self.offset + self.weights.iter().zip(row).map(|(w, v)| w * v).sum::<f32>()
    }

    /// Fits rows of `width` values with their weights and sides.
    pub(crate) fn fit(width: usize, rows: &[(&[f32], f64, bool)]) -> Self {
        let size = width + 1;
        let mut solution = vec![0f64; size];
        let total: f64 = rows.iter().map(|(_, weight, _)| weight).sum::<f64>().max(f64::MIN_POSITIVE);
        for _ in 0..NEWTON_STEPS {
            let mut gradient = vec![0f64; size];
            let mut curvature = vec![0f64; size * size];
            let mut extended = vec![1f64; size];
            for &(row, weight, side) in rows {
                extended.iter_mut().zip(row).for_each(|(e, &v)| *e = f64::from(v));
                let value: f64 = solution.iter().zip(&extended).map(|(s, e)| s * e).sum();
                let p = super::calibration::logistic(value);
                let weight = weight / total;
                let slope = weight * (p - f64::from(u8::from(side)));
                let bend = weight * (p * (1.0 - p)).max(1e-4);
                for (i, &e) in extended.iter().enumerate() {
                    gradient[i] += slope * e;
                    let scaled = bend * e;
                    for (c, &other) in curvature[i * size..=i * size + i].iter_mut().zip(&extended) {
                        *c += scaled * other;
                    }
                }
            }
            for i in 0..width {
                gradient[i] += PENALTY * solution[i];
                curvature[i * size + i] += PENALTY;
            }
            curvature[size * size - 1] += 1e-9;
            let step = solve(size, &mut curvature, &gradient);
            solution.iter_mut().zip(&step).for_each(|(s, d)| *s -= d);
            if step.iter().all(|d| d.abs() < 1e-5) {
                break;
            }
        }
        Self {
            offset: solution[width] as f32,
            weights: solution[..width].iter().map(|&v| v as f32).collect(),
        }
    }
}

/// Solves a symmetric positive system given by its lower half (Cholesky).
fn solve(size: usize, matrix: &mut [f64], right: &[f64]) -> Vec<f64> {
    for i in 0..size {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let rest = matrix[i * size + j] - sum;
            matrix[i * size + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / matrix[j * size + j] };
        }
    }
    let mut out = right.to_vec();
    for i in 0..size {
        let sum: f64 = (0..i).map(|k| matrix[i * size + k] * out[k]).sum();
        out[i] = (out[i] - sum) / matrix[i * size + i];
    }
    for i in (0..size).rev() {
        let sum: f64 = (i + 1..size).map(|k| matrix[k * size + i] * out[k]).sum();
        out[i] = (out[i] - sum) / matrix[i * size + i];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clouds_are_parted_between_their_middles() {
        let mut random = fastrand::Rng::with_seed(7);
        let points: Vec<([f32; 2], bool)> = (0..400)
            .map(|i| {
                let side = i % 2 == 0;
                ([random.f32() + if side { 2.0 } else { 0.0 }, random.f32()], side)
            })
            .collect();
        let rows: Vec<_> = points.iter().map(|(p, side)| (&p[..], 1.0, *side)).collect();
        let plane = Plane::fit(2, &rows);
        assert!(points.iter().all(|(p, side)| (plane.value(p) > 0.0) == *side));
        assert!(plane.weights[0] > 5.0 * plane.weights[1].abs(), "{plane:?}");
        assert!((plane.value(&[1.5, 0.5])).abs() < 0.5, "{plane:?}");
    }
}
