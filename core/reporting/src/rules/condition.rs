//! One condition of a rule: a figure and the bounds that it must lie in, or a word and the words that it may be.

use serde::Deserialize;

use super::figures::Figure;
use crate::model::Metrics;

/// Bounds as they stand in the file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `over`, `at_least`, `under`, `at_most` or `is`")]
pub(super) struct Bounds {
    /// More than this.
    pub over: Option<f64>,
    /// This or more.
    pub at_least: Option<f64>,
    /// Less than this.
    pub under: Option<f64>,
    /// This or less.
    pub at_most: Option<f64>,
    /// One of these words.
    pub is: Option<Vec<String>>,
}

impl Bounds {
    pub(super) fn numbers(&self) -> [Option<f64>; 4] {
        [self.over, self.at_least, self.under, self.at_most]
    }

    /// Whether any number at all can lie in them.
    pub(super) fn can_hold(&self) -> bool {
        let lower = self.over.into_iter().chain(self.at_least).fold(f64::NEG_INFINITY, f64::max);
        let upper = self.under.into_iter().chain(self.at_most).fold(f64::INFINITY, f64::min);
        let open = self.over == Some(lower) || self.under == Some(upper);
        lower < upper || (lower == upper && !open)
    }
}

/// What is asked for. A figure that was not measured fulfils nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Number { figure: Figure, bounds: Bounds },
    Word { text: Text, words: Vec<String> },
}

/// A word that a condition may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Severity,
    Profile,
    Sensitivity,
}

impl Text {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "severity" => Some(Self::Severity),
            "profile" => Some(Self::Profile),
            "sensitivity" => Some(Self::Sensitivity),
            _ => None,
        }
    }

    /// The words that it can be.
    pub(super) fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Severity | Self::Sensitivity => &["low", "medium", "high"],
            Self::Profile => &["standard", "reference"],
        }
    }

    fn of(self, metrics: &Metrics) -> Option<&str> {
        match self {
            Self::Severity => metrics.severity.as_deref(),
            Self::Profile => metrics.profile.as_deref(),
            Self::Sensitivity => metrics.sensitivity.as_deref(),
        }
    }
}

impl Condition {
    pub(super) fn holds(&self, metrics: &Metrics) -> bool {
        match self {
            Self::Number { figure, bounds } => figure.of(metrics).is_some_and(|value| {
                bounds.over.is_none_or(|bound| value > bound)
                    && bounds.at_least.is_none_or(|bound| value >= bound)
                    && bounds.under.is_none_or(|bound| value < bound)
                    && bounds.at_most.is_none_or(|bound| value <= bound)
            }),
            Self::Word { text, words } => {
                text.of(metrics).is_some_and(|word| words.iter().any(|wanted| wanted == word))
            }
        }
    }
}
