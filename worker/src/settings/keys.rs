//! Every setting that exists, and what its value may be. One row a key; files, environment and flags are all checked
//! against this table, so that each error can say what would have been right.

use toml::Value;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// true or false.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of words; in the environment separated by commas.
    Words,
}

/// A key, dotted. A part `*` stands for any word.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("data_dir", Kind::Text),
    ("database.url", Kind::Text),
    ("database.listen_url", Kind::Text),
    ("database.pooler", Kind::Choice(&["auto", "none", "transaction"])),
    ("database.max_connections", Kind::Whole(1, 1000)),
    ("storage.url", Kind::Text),
    ("storage.endpoint", Kind::Text),
    ("storage.region", Kind::Text),
    ("storage.access_key_id", Kind::Text),
    ("storage.secret_access_key", Kind::Text),
    ("storage.session_token", Kind::Text),
    ("storage.path_style", Kind::Flag),
    ("storage.public_url", Kind::Text),
    ("worker.job_types", Kind::Words),
    ("worker.slots.*", Kind::Whole(0, 10_000)),
    ("worker.lease_seconds", Kind::Whole(2, 3600)),
    ("worker.shutdown_grace_seconds", Kind::Whole(0, 3600)),
    ("worker.poll_interval_ms", Kind::Whole(10, 600_000)),
    ("worker.memory_budget_mb", Kind::Whole(0, 4_000_000)),
    ("worker.compute_threads", Kind::Whole(0, 1024)),
    ("reporting.templates_dir", Kind::Text),
    ("reporting.rules_file", Kind::Text),
    ("reporting.fonts_dir", Kind::Text),
    ("retention.automatic", Kind::Flag),
    ("retention.completed_days", Kind::Whole(0, 36_500)),
    ("retention.failed_days", Kind::Whole(0, 36_500)),
    ("retention.log_days", Kind::Whole(0, 36_500)),
    ("schedules.*.cron", Kind::Text),
    ("schedules.*.job_type", Kind::Text),
    ("schedules.*.params", Kind::Text),
    ("http.listen", Kind::Text),
    ("http.public_url", Kind::Text),
    ("http.files", Kind::Choice(&["signed", "public", "off"])),
    ("log.format", Kind::Choice(&["text", "json"])),
    ("log.filter", Kind::Text),
];

/// The kind of a dotted key; `None` when there is no such key.
pub(super) fn kind_of(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(known, _)| parts_fit(known, key) == Some(0)).map(|(_, kind)| *kind)
}

/// Whether the parts of `key` are the first of `known`; then how many more `known` has.
fn parts_fit(known: &str, key: &str) -> Option<usize> {
    let mut parts = known.split('.');
    for part in key.split('.') {
        let wanted = parts.next()?;
        if part.is_empty() || (wanted != "*" && wanted != part) {
            return None;
        }
    }
    Some(parts.count())
}

/// Whether a key is a table of others.
pub(super) fn is_section(key: &str) -> bool {
    KEYS.iter().any(|(known, _)| parts_fit(known, key).is_some_and(|more| more > 0))
}

/// What exists beside an unknown key, as a sentence.
pub(super) fn allowed_beside(key: &str) -> String {
    let section = key.rsplit_once('.').map_or("", |(section, _)| section);
    let section = if section.is_empty() || is_section(section) { section } else { "" };
    let mut names: Vec<&str> = KEYS
        .iter()
        .filter_map(|(known, _)| match section {
            "" => Some(*known),
            section => {
                parts_fit(known, section).filter(|more| *more > 0)?;
                known.splitn(section.split('.').count() + 1, '.').last()
            }
        })
        .map(|rest| rest.split('.').next().unwrap_or(rest))
        .collect();
    names.dedup();
    let place = if section.is_empty() { "at the top".to_owned() } else { format!("in [{section}]") };
    format!("allowed {place}: {}", names.join(", "))
}

impl Kind {
    /// Reads a value out of an environment variable or a flag. The error says what is allowed, never the value.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Text | Self::Choice(_) => Value::String(text.to_owned()),
            Self::Whole(..) => Value::Integer(text.trim().parse().map_err(|_| self.wanted())?),
            Self::Flag => match text.trim() {
                "true" | "1" => Value::Boolean(true),
                "false" | "0" => Value::Boolean(false),
                _ => return Err(self.wanted()),
            },
            Self::Words => Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                    .map(|word| Value::String(word.to_owned()))
                    .collect(),
            ),
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Whether a value of a file is of this kind.
    pub(super) fn check(self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Flag, Value::Boolean(_)) => true,
            (Self::Whole(low, high), Value::Integer(n)) => (low..=high).contains(n),
            (Self::Choice(words), Value::String(text)) => words.contains(&text.as_str()),
            (Self::Words, Value::Array(list)) => list.iter().all(Value::is_str),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.wanted()) }
    }

    fn wanted(self) -> String {
        match self {
            Self::Text => "it must be a text".to_owned(),
            Self::Whole(low, high) => format!("it must be a whole number from {low} to {high}"),
            Self::Flag => "it must be true or false".to_owned(),
            Self::Choice(words) => format!("it must be one of {}", words.join(", ")),
            Self::Words => "it must be a list of words".to_owned(),
        }
    }
}
