//! Brings values to a common scale, in steps of a sixteenth of their spread.
//!
//! The steps are finer than what photographs of the same thing differ by; as single bytes the rows are compared by
//! integer arithmetic, and a model file stays small.

/// Steps of one standard deviation.
pub(crate) const STEPS: f32 = 16.0;

/// Rows of scaled values, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub width: usize,
    pub values: Vec<i8>,
}

impl Rows {
    pub(crate) fn count(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    pub(crate) fn row(&self, index: usize) -> &[i8] {
        &self.values[index * self.width..(index + 1) * self.width]
    }

    pub(crate) fn picked(&self, indices: &[usize]) -> Self {
        Self { width: self.width, values: indices.iter().flat_map(|&i| self.row(i)).copied().collect() }
    }
}

/// Mean and inverse spread of every value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaling {
    pub means: Vec<f32>,
    /// [`STEPS`] over the standard deviation; 0 for a value that never changes.
    pub factors: Vec<f32>,
}

impl Scaling {
    /// Measures rows of equal length; there is at least one.
    pub(crate) fn of(rows: &[&[f32]]) -> Self {
        let width = rows.first().map_or(0, |row| row.len());
        let count = rows.len().max(1) as f64;
        let mut means = vec![0f64; width];
        for row in rows {
            means.iter_mut().zip(*row).for_each(|(m, &v)| *m += f64::from(v));
        }
        means.iter_mut().for_each(|m| *m /= count);
        let mut squares = vec![0f64; width];
        for row in rows {
            for ((s, &v), m) in squares.iter_mut().zip(*row).zip(&means) {
                *s += (f64::from(v) - m) * (f64::from(v) - m);
            }
        }
        let factor = |&s: &f64| {
            let spread = (s / count).sqrt();
            if spread > 1e-6 { STEPS / spread as f32 } else { 0.0 }
        };
        Self {
            factors: squares.iter().map(factor).collect(),
            means: means.iter().map(|&m| m as f32).collect(),
        }
    }

    /// Values that change at all.
    pub(crate) fn varying(&self) -> usize {
        self.factors.iter().filter(|&&f| f > 0.0).count()
    }

    /// Scales one row onto the end of `out`.
    pub(crate) fn scale_into(&self, row: &[f32], out: &mut Vec<i8>) {
        let scaled = row.iter().zip(&self.means).zip(&self.factors);
        // `as` holds what is beyond a byte at its ends and makes 0 of what is no number.
        out.extend(scaled.map(|((&v, &m), &f)| ((v - m) * f).round().clamp(-127.0, 127.0) as i8));
    }

    /// Scales many rows.
    pub(crate) fn scale(&self, rows: &[&[f32]]) -> Rows {
        let mut values = Vec::with_capacity(rows.len() * self.means.len());
        rows.iter().for_each(|row| self.scale_into(row, &mut values));
        Rows { width: self.means.len(), values }
    }
}

impl Scaling {
    /// Root of the mean squared distance from the middle, in standard deviations; single values count up to eight.
    pub(crate) fn distance(&self, row: &[f32]) -> f32 {
        let mut scaled = Vec::with_capacity(row.len());
        self.scale_into(row, &mut scaled);
        let squares: i64 = scaled.iter().map(|&v| i64::from(v) * i64::from(v)).sum();
        (squares as f32 / self.varying().max(1) as f32).sqrt() / STEPS
    }
}
