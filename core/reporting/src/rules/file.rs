//! Reads a file of rules and refuses what it cannot carry out, with the rule, the field and what is allowed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    condition::{Bounds, Condition, Text},
    figures::Figure,
    recommend::{Priority, Rule, RuleSource, Texts},
};
use crate::language::placeholders;

const BUILTIN: &str = include_str!("../../assets/rules/recommendations.toml");

/// A checked file of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
}

/// Why a file of rules is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file is no TOML, or not of the shape `[[rule]]`.
    #[error("the rules file cannot be read")]
    Syntax(#[source] Box<toml::de::Error>),
    /// A rule cannot be carried out.
    #[error("rule `{rule}`, field `{field}`: {reason}")]
    Rule {
        /// Its id, or its place in the file when it has none.
        rule: String,
        /// The field's path within the rule.
        field: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    priority: Priority,
    #[serde(default)]
    when_uncertain: bool,
    when: BTreeMap<String, Bounds>,
    text: Texts,
    source: RawSource,
}

/// `"practice"`, or a table.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawSource {
    Word(String),
    Standard(toml::Table),
}

impl Rules {
    /// The rules that the program brings along. A test reads them; were they broken, there would be none.
    #[must_use]
    pub fn builtin() -> Self {
        Self::from_toml(BUILTIN).unwrap_or(Self { rules: Vec::new() })
    }

    /// Reads rules from TOML: see `docs/recommendations.md`. A file without rules is allowed: it recommends nothing.
    ///
    /// # Errors
    /// [`RulesError`] when the text is no TOML, or names the first rule that cannot be carried out.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        let file: RuleFile = toml::from_str(text).map_err(|error| RulesError::Syntax(Box::new(error)))?;
        let mut seen = BTreeSet::new();
        let mut rules = Vec::with_capacity(file.rule.len());
        for (place, table) in file.rule.into_iter().enumerate() {
            let name = match table.get("id").and_then(toml::Value::as_str) {
                Some(id) if !id.trim().is_empty() => id.to_owned(),
                _ => format!("number {} in the file", place + 1),
            };
            let rule = read(&name, table)?;
            if !seen.insert(rule.id.clone()) {
                return Err(fault(&name, "id", "is the id of an earlier rule too; each must be its own"));
            }
            rules.push(rule);
        }
        Ok(Self { rules })
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn fault(rule: &str, field: impl Into<String>, reason: impl Into<String>) -> RulesError {
    RulesError::Rule { rule: rule.to_owned(), field: field.into(), reason: reason.into() }
}

/// Reads one table, with the path of the field that does not fit.
fn typed<T: serde::de::DeserializeOwned>(
    rule: &str,
    field: &str,
    table: toml::Table,
) -> Result<T, RulesError> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let path = error.path().to_string();
        let path = match (field, path.as_str()) {
            ("", ".") => "rule".to_owned(),
            ("", path) => path.to_owned(),
            (field, ".") => field.to_owned(),
            (field, path) => format!("{field}.{path}"),
        };
        fault(rule, path, error.inner().message())
    })
}

fn read(name: &str, table: toml::Table) -> Result<Rule, RulesError> {
    let raw: RawRule = typed(name, "", table)?;
    if raw.id.trim().is_empty() {
        return Err(fault(name, "id", "must not be empty"));
    }
    if raw.when.is_empty() {
        return Err(fault(name, "when", "must hold at least one condition"));
    }
    let conditions =
        raw.when.into_iter().map(|(key, bounds)| condition(name, &key, bounds)).collect::<Result<_, _>>()?;
    for (field, text) in [("text.en", &raw.text.en), ("text.no", &raw.text.no)] {
        if text.trim().is_empty() {
            return Err(fault(name, field, "must not be empty"));
        }
        if let Some(unknown) = placeholders(text).into_iter().find(|figure| Figure::named(figure).is_none()) {
            let reason = format!("there is no figure `{unknown}`; allowed are {}", Figure::names());
            return Err(fault(name, field, reason));
        }
    }
    let source = match raw.source {
        RawSource::Word(word) if word == "practice" => None,
        RawSource::Word(word) => {
            let reason = format!("`{word}` is neither `practice` nor a table with `standard`");
            return Err(fault(name, "source", reason));
        }
        RawSource::Standard(table) => Some(typed::<RuleSource>(name, "source", table)?),
    };
    Ok(Rule {
        id: raw.id,
        priority: raw.priority,
        when_uncertain: raw.when_uncertain,
        conditions,
        text: raw.text,
        source,
    })
}

fn condition(rule: &str, key: &str, bounds: Bounds) -> Result<Condition, RulesError> {
    let field = format!("when.{key}");
    let numbers = bounds.numbers();
    if let Some(text) = Text::named(key) {
        let allowed = || format!("takes `is` with words of {}", text.allowed().join(", "));
        return match bounds.is {
            Some(words)
                if numbers.iter().all(Option::is_none)
                    && !words.is_empty()
                    && words.iter().all(|word| text.allowed().contains(&word.as_str())) =>
            {
                Ok(Condition::Word { text, words })
            }
            _ => Err(fault(rule, field, allowed())),
        };
    }
    let Some(figure) = Figure::named(key) else {
        let names = Figure::names();
        let reason =
            format!("there is no such figure; allowed are `severity`, `profile`, `sensitivity`, {names}");
        return Err(fault(rule, field, reason));
    };
    if bounds.is.is_some()
        || numbers.iter().all(Option::is_none)
        || numbers.iter().flatten().any(|bound| !bound.is_finite())
    {
        return Err(fault(
            rule,
            field,
            "takes one or two of `over`, `at_least`, `under`, `at_most` with a number",
        ));
    }
    if !bounds.can_hold() {
        return Err(fault(rule, field, "no number lies within these bounds"));
    }
    Ok(Condition::Number { figure, bounds })
}
