//! The verdict on one analysis: from its severity, and only when the photograph carries it.

use serde::Serialize;

use crate::{
    language::words,
    model::{Language, Metrics},
};

/// Below this confidence the figures carry no verdict (see `docs/measuring.md`).
pub const LOW_CONFIDENCE: f64 = 0.5;

/// What the figures of one photograph say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing that calls for action.
    Pass,
    /// To be watched or touched up.
    Watch,
    /// To be repaired.
    Repair,
    /// The photograph is too weak, or no severity was recorded.
    Uncertain,
}

impl Verdict {
    /// In the order in which reports list them.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Watch, Self::Repair, Self::Uncertain];

    /// A stable word; its words in a language are `verdict.{word}.name` and `.sentence`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Watch => "watch",
            Self::Repair => "repair",
            Self::Uncertain => "uncertain",
        }
    }

    /// Its name: `Pass`, `Uten anmerkning`.
    #[must_use]
    pub fn name(self, language: Language) -> &'static str {
        words(language).find(&format!("verdict.{}.name", self.as_str())).unwrap_or(self.as_str())
    }
}

/// Severity `low`, `medium`, `high` give pass, watch, repair; a confidence below [`LOW_CONFIDENCE`] or a severity that
/// is missing or of another word gives `Uncertain`. A confidence that was not recorded raises no doubt.
#[must_use]
pub fn verdict(metrics: &Metrics) -> Verdict {
    if is_doubtful(metrics) {
        return Verdict::Uncertain;
    }
    match metrics.severity.as_deref() {
        Some("low") => Verdict::Pass,
        Some("medium") => Verdict::Watch,
        Some("high") => Verdict::Repair,
        _ => Verdict::Uncertain,
    }
}

/// The verdict in a sentence, which tells a weak photograph from a severity that is missing, and what a model says from
/// what was measured.
#[must_use]
pub fn verdict_sentence(metrics: &Metrics, language: Language) -> String {
    let key = match verdict(metrics) {
        Verdict::Uncertain if !is_doubtful(metrics) => "verdict.unrated.sentence".to_owned(),
        Verdict::Uncertain => "verdict.uncertain.sentence".to_owned(),
        verdict if overruled(metrics).is_some() => format!("verdict.by_model.{}", verdict.as_str()),
        verdict => format!("verdict.{}.sentence", verdict.as_str()),
    };
    words(language).get(&key).to_owned()
}

/// The measured severity, where a model has set another one.
pub(super) fn overruled(metrics: &Metrics) -> Option<&str> {
    let measured = metrics.measured.as_ref()?.severity.as_deref()?;
    (metrics.severity.as_deref() != Some(measured)).then_some(measured)
}

fn is_doubtful(metrics: &Metrics) -> bool {
    metrics.confidence.is_some_and(is_low)
}

/// Whether the measured figures are too weak to recommend anything by. Where a model was heard, `confidence` speaks of
/// its label, and the figures have one of their own.
pub(crate) fn figures_are_doubtful(metrics: &Metrics) -> bool {
    match &metrics.measured {
        Some(measured) => measured.confidence.is_some_and(is_low),
        None => is_doubtful(metrics),
    }
}

fn is_low(confidence: f64) -> bool {
    confidence.is_nan() || confidence < LOW_CONFIDENCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Measured;

    fn of(severity: Option<&str>, confidence: Option<f64>) -> Metrics {
        Metrics { severity: severity.map(str::to_owned), confidence, ..Metrics::default() }
    }

    #[test]
    fn severity_decides_unless_the_photograph_is_weak() {
        for (severity, confidence, expected) in [
            (Some("low"), Some(0.5), Verdict::Pass),
            (Some("medium"), Some(0.9), Verdict::Watch),
            (Some("high"), None, Verdict::Repair),
            (Some("high"), Some(0.499), Verdict::Uncertain),
            (Some("low"), Some(f64::NAN), Verdict::Uncertain),
            (Some("critical"), Some(0.9), Verdict::Uncertain),
            (None, None, Verdict::Uncertain),
        ] {
            assert_eq!(verdict(&of(severity, confidence)), expected, "{severity:?} {confidence:?}");
        }
    }

    #[test]
    fn a_sure_model_does_not_make_weak_figures_sure() {
        let measured = |confidence| Some(Measured { severity: None, confidence: Some(confidence) });
        let with_model =
            |confidence| Metrics { measured: measured(confidence), ..of(Some("low"), Some(0.95)) };
        assert_eq!(verdict(&with_model(0.1)), Verdict::Pass);
        assert!(figures_are_doubtful(&with_model(0.1)) && !figures_are_doubtful(&with_model(0.8)));
        assert!(figures_are_doubtful(&of(Some("low"), Some(0.1))));
    }

    #[test]
    fn a_sound_coating_is_not_said_to_show_defects_because_a_model_says_so() {
        let with_model = |severity, measured: &str| Metrics {
            measured: Some(Measured { severity: Some(measured.to_owned()), confidence: Some(0.9) }),
            ..of(Some(severity), Some(0.9))
        };
        for (severity, measured, said) in [
            ("high", "low", "By the trained model, the coating calls for repair."),
            ("low", "high", "The trained model sees nothing in this photograph that calls for action."),
            ("high", "high", "The coating shows defects in this photograph that call for repair."),
        ] {
            assert_eq!(verdict_sentence(&with_model(severity, measured), Language::En), said);
        }
    }

    #[test]
    fn a_missing_severity_is_not_blamed_on_the_photograph() {
        let unrated = verdict_sentence(&of(None, Some(0.9)), Language::En);
        let weak = verdict_sentence(&of(None, Some(0.1)), Language::En);
        assert!(unrated.contains("No severity was recorded") && weak.contains("the figures are weak"));
    }
}
