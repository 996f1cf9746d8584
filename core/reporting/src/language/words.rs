//! The words of a language, by key.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use super::integer;
use crate::model::Language;

/// All words of one language. A key is `group.name` or deeper: `verdict.pass.sentence`.
#[derive(Debug)]
pub struct Words {
    language: Language,
    tree: Value,
    flat: BTreeMap<String, String>,
}

/// One entry of the glossary or of the list of standards.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Term {
    /// The word or the standard's number.
    pub name: String,
    /// What it means, in a sentence or two.
    pub meaning: String,
}

static ENGLISH: LazyLock<Words> =
    LazyLock::new(|| Words::parse(Language::En, include_str!("../../assets/words/en.toml")));
static NORWEGIAN: LazyLock<Words> =
    LazyLock::new(|| Words::parse(Language::No, include_str!("../../assets/words/no.toml")));

/// The words of a language; read once.
#[must_use]
pub fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::No => &NORWEGIAN,
    }
}

/// The glossary, in the order of the language's alphabet.
#[must_use]
pub fn glossary(language: Language) -> Vec<Term> {
    let mut terms = words(language).terms("glossary");
    terms.sort_by_key(|term| alphabetical(&term.name));
    terms
}

/// The standards that reports speak of, by number.
#[must_use]
pub fn standards(language: Language) -> Vec<Term> {
    words(language).terms("standard")
}

/// How the figures come about, one paragraph an entry, in order.
#[must_use]
pub fn method(language: Language) -> Vec<Term> {
    words(language).terms("method")
}

/// Lower case; the letters after z keep their Norwegian order æ, ø, å, and marks on others do not count.
fn alphabetical(word: &str) -> String {
    word.to_lowercase()
        .chars()
        .map(|letter| match letter {
            'æ' => '{',
            'ø' => '|',
            'å' => '}',
            'é' | 'è' | 'ê' => 'e',
            other => other,
        })
        .collect()
}

impl Words {
    /// The files are part of the program: a broken one gives no words, and a test sees it.
    fn parse(language: Language, text: &str) -> Self {
        let tree = toml::from_str(text).unwrap_or(Value::Null);
        let mut flat = BTreeMap::new();
        flatten("", &tree, &mut flat);
        Self { language, tree, flat }
    }

    /// The language that these are of.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// The words for a key, or the key itself when there are none: a report with an odd word in it is better than none.
    #[must_use]
    pub fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.find(key).unwrap_or(key)
    }

    /// The words for a key, if there are any.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&str> {
        self.flat.get(key).map(String::as_str)
    }

    /// The words for `group.word`, where `word` comes from data (a class, a code); the data's own word when there are
    /// none.
    #[must_use]
    pub fn of<'a>(&'a self, group: &str, word: &'a str) -> &'a str {
        self.find(&format!("{group}.{word}")).unwrap_or(word)
    }

    /// The words for a key with `{name}` replaced by its value. Values are not looked into again.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.get(key), |name| {
            values.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        })
    }

    /// The words for a number of things: `key.one` or `key.other`, `{count}` replaced by the number.
    #[must_use]
    pub fn count(&self, key: &str, count: u64) -> String {
        let form = if count == 1 { "one" } else { "other" };
        self.fill(&format!("{key}.{form}"), &[("count", &integer(self.language, count))])
    }

    /// All words as nested JSON objects, for templates.
    #[must_use]
    pub fn to_json(&self) -> &Value {
        &self.tree
    }

    /// Every key with its words.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.flat.iter().map(|(key, word)| (key.as_str(), word.as_str()))
    }

    fn terms(&self, group: &str) -> Vec<Term> {
        let Some(Value::Object(entries)) = self.tree.get(group) else { return Vec::new() };
        let text = |entry: &Value, field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
        entries
            .values()
            .filter_map(|entry| Some(Term { name: text(entry, "name")?, meaning: text(entry, "meaning")? }))
            .collect()
    }
}

/// `text` with each `{name}` replaced by what `value` gives for it; a name that has no value stays as it is. `{{` and `}}`
/// are one brace.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => match value(name) {
                Some(value) => filled.push_str(&value),
                None => filled.extend(["{", name, "}"]),
            },
        }
    }
    filled
}

/// The names in braces, in order.
pub(crate) fn placeholders(text: &str) -> Vec<&str> {
    let name = |piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    };
    pieces(text).into_iter().filter_map(name).collect()
}

/// A part of a text: as it stands, or a name in braces.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(brace);
        pieces.push(Piece::Text(before));
        let (one, after) = from.split_at(1);
        rest = if let Some(after) = after.strip_prefix(one) {
            pieces.push(Piece::Text(one));
            after
        } else if let Some((name, after)) = after.split_once('}').filter(|_| one == "{") {
            pieces.push(Piece::Name(name));
            after
        } else {
            pieces.push(Piece::Text(one));
            after
        };
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn flatten(prefix: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            for (name, entry) in entries {
                let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&key, entry, flat);
            }
        }
        Value::String(word) => {
            flat.insert(prefix.to_owned(), word.clone());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let mut names = placeholders(text);
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let (english, norwegian) = (words(Language::En), words(Language::No));
        assert!(english.flat.len() > 150, "the words were not read: {}", english.flat.len());
        let keys = |words: &Words| words.flat.keys().cloned().collect::<Vec<_>>();
        let missing = |from: &Words, other: &Words| {
            keys(from).into_iter().filter(|key| other.find(key).is_none()).collect::<Vec<_>>()
        };
        assert_eq!(missing(english, norwegian), Vec::<String>::new(), "not in no.toml");
        assert_eq!(missing(norwegian, english), Vec::<String>::new(), "not in en.toml");
        for (key, word) in english.entries() {
            assert_eq!(names(word), names(norwegian.get(key)), "placeholders of {key}");
        }
    }

    #[test]
    fn no_word_is_empty_or_of_odd_spacing() {
        for language in [Language::En, Language::No] {
            for (key, word) in words(language).entries() {
                assert!(!word.is_empty() && word.trim() == word && !word.contains("  "), "{key}: {word:?}");
            }
        }
    }

    #[test]
    fn every_class_severity_verdict_and_place_has_words() {
        for language in [Language::En, Language::No] {
            for class in ["rust", "crack", "blister", "flake", "streak", "bead"] {
                for field in ["name", "plural", "meaning"] {
                    assert!(
                        words(language).find(&format!("defect.{class}.{field}")).is_some(),
                        "{class} {field}"
                    );
                }
            }
            for key in ["severity.low", "severity.medium", "severity.high"] {
                assert!(words(language).find(key).is_some(), "{key}");
            }
            for verdict in ["pass", "watch", "repair", "uncertain", "unrated"] {
                assert!(words(language).find(&format!("verdict.{verdict}.sentence")).is_some(), "{verdict}");
            }
            assert!(!glossary(language).is_empty() && !standards(language).is_empty());
            assert!(method(language).len() >= 5);
        }
    }

    #[test]
    fn values_are_filled_in_once_and_unknown_names_stay() {
        let value = |name: &str| (name == "a").then(|| "{b}".to_owned());
        assert_eq!(fill("{a} and {b} and {", value), "{b} and {b} and {");
    }

    #[test]
    fn a_doubled_brace_is_one_and_begins_no_name() {
        let value = |name: &str| (name == "a").then(|| "7".to_owned());
        assert_eq!(fill("{{a}} {a} {{{a}}} }} }", value), "{a} 7 {7} } }");
        assert_eq!(placeholders("{{x}} {a} {{{b}}}"), ["a", "b"]);
    }

    #[test]
    fn one_and_many_have_their_own_forms() {
        assert_eq!(words(Language::En).count("count.defects", 1), "1 defect");
        assert_eq!(words(Language::En).count("count.defects", 0), "0 defects");
        assert_eq!(words(Language::No).count("count.pictures", 1), "1 bilde");
        assert_eq!(words(Language::No).count("count.pictures", 1200), "1\u{a0}200 bilder");
    }

    #[test]
    fn an_unknown_word_is_shown_as_it_is() {
        assert_eq!(words(Language::No).of("severity", "critical"), "critical");
        assert_eq!(words(Language::No).get("nothing.here"), "nothing.here");
    }
}
