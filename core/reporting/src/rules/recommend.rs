//! Which rules hold for one analysis, most urgent first.

use serde::{Deserialize, Serialize};

use super::{Figure, Rules, Verdict, condition::Condition, verdict, verdict::figures_are_doubtful};
use crate::{
    language::{NOT_MEASURED, fill},
    model::{Language, Metrics},
};

/// More would not be read.
const MOST: usize = 6;

/// How soon something should be done; the words are `label.urgent`, `label.soon`, `label.advice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Without delay.
    Urgent,
    /// At next maintenance.
    Soon,
    /// When it suits.
    Advice,
}

impl Priority {
    /// A stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Soon => "soon",
            Self::Advice => "advice",
        }
    }
}

/// Where a recommendation comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its number: `ASTM D610`.
    pub standard: String,
    /// Clause or table, in the report's language.
    pub clause: Option<String>,
    /// What it says there, in the report's language.
    pub threshold: Option<String>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// The rule's id.
    pub id: String,
    /// How soon.
    pub priority: Priority,
    /// What, in the report's language.
    pub text: String,
    /// `None` for good practice that no standard asks for: reports say so.
    pub source: Option<Source>,
}

/// A text in every language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a text in `en` and one in `no`")]
pub(super) struct Texts {
    pub en: String,
    pub no: String,
}

impl Texts {
    pub(super) fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::No => &self.no,
        }
    }
}

/// One rule, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub id: String,
    pub priority: Priority,
    pub when_uncertain: bool,
    pub conditions: Vec<Condition>,
    pub text: Texts,
    pub source: Option<RuleSource>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSource {
    pub standard: String,
    pub clause: Option<Texts>,
    pub threshold: Option<Texts>,
}

impl Rule {
    fn holds(&self, metrics: &Metrics, uncertain: bool) -> bool {
        (self.when_uncertain || !uncertain)
            && self.conditions.iter().all(|condition| condition.holds(metrics))
    }

    fn recommendation(&self, metrics: &Metrics, language: Language) -> Recommendation {
        let figure = |name: &str| {
            let figure = Figure::named(name)?;
            let value = figure.of(metrics).map(|value| figure.written(language, value));
            Some(value.unwrap_or_else(|| NOT_MEASURED.to_owned()))
        };
        let text = |texts: &Option<Texts>| texts.as_ref().map(|texts| texts.get(language).to_owned());
        let source = self.source.as_ref().map(|source| Source {
            standard: source.standard.clone(),
            clause: text(&source.clause),
            threshold: text(&source.threshold),
        });
        Recommendation {
            id: self.id.clone(),
            priority: self.priority,
            text: fill(self.text.get(language), figure),
            source,
        }
    }
}

impl Rules {
    /// What should be done, most urgent first, within one priority in the order of the file; nothing twice, at most
    /// six. Where the verdict is uncertain, or what was measured, only rules that allow for it speak.
    #[must_use]
    pub fn recommend(&self, metrics: &Metrics, language: Language) -> Vec<Recommendation> {
        let uncertain = verdict(metrics) == Verdict::Uncertain || figures_are_doubtful(metrics);
        let mut holding: Vec<_> = self.rules.iter().filter(|rule| rule.holds(metrics, uncertain)).collect();
        holding.sort_by_key(|rule| rule.priority);
        let mut chosen: Vec<Recommendation> = Vec::new();
        for rule in holding {
            let next = rule.recommendation(metrics, language);
            if chosen.len() < MOST && chosen.iter().all(|earlier| earlier.text != next.text) {
                chosen.push(next);
            }
        }
        chosen
    }
}
