//! Puts the layers over each other, and remembers where each value came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{
    error::SettingsError,
    keys::{allowed_beside, is_section, kind_of},
};

/// Where settings come from. Tests fill it by hand; [`SettingsSources::of_process`] takes the real surroundings.
#[derive(Debug, Clone, Default)]
pub struct SettingsSources {
    /// The folder with `{FORGEOS_ENV}.toml`.
    pub config_dir: Option<PathBuf>,
    /// The file of `--config`.
    pub config_file: Option<PathBuf>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// `(flag as typed, dotted key, value)`.
    pub flags: Vec<(String, String, String)>,
}

impl SettingsSources {
    /// `./config`, the environment of this process, no flags.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            config_dir: Some(PathBuf::from("config")),
            config_file: None,
            // A variable that is not UTF-8 cannot be one of ours.
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            flags: Vec::new(),
        }
    }

    /// An environment variable; an empty one counts as not set.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, value)| value.as_str())
    }
}

const DEFAULTS: &str = include_str!("../../../config/default.toml");
pub(super) const DEFAULTS_ORIGIN: &str = "the defaults";

/// Variables that other programs use too, and the settings they stand for.
const USUAL_VARIABLES: &[(&str, &str)] = &[("DATABASE_URL", "database.url"), ("RUST_LOG", "log.filter")];

/// The merged values, each with its origin.
#[derive(Debug, Default)]
pub(super) struct Layers {
    values: BTreeMap<String, (Value, String)>,
}

impl Layers {
    pub(super) fn read(sources: &SettingsSources) -> Result<Self, SettingsError> {
        let mut layers = Self::default();
        layers.add_text(DEFAULTS, DEFAULTS_ORIGIN, Path::new("config/default.toml"))?;

        let named = sources.variable("FORGEOS_ENV").unwrap_or("development");
        let file = sources.config_dir.as_ref().map(|folder| folder.join(format!("{named}.toml")));
        match file.filter(|file| file.is_file()) {
            Some(file) => layers.add_file(&file)?,
            // A slip of the pen must not turn production into development.
            None if !matches!(named, "development" | "production") => {
                return Err(SettingsError::UnknownEnvironment { name: named.to_owned() });
            }
            None => {}
        }
        if let Some(file) = &sources.config_file {
            layers.add_file(file)?;
        }

        for (variable, key) in USUAL_VARIABLES {
            if let Some(value) = sources.variable(variable) {
                layers.set(key, value, variable)?;
            }
        }
        for (name, value) in &sources.environment {
            if let Some(path) = name.strip_prefix("FORGEOS__") {
                layers.set(&path.to_lowercase().replace("__", "."), value, name)?;
            }
        }
        for (flag, key, value) in &sources.flags {
            layers.set(key, value, flag)?;
        }
        Ok(layers)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        self.add_text(&text, &path.display().to_string(), path)
    }

    fn add_text(&mut self, text: &str, origin: &str, path: &Path) -> Result<(), SettingsError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| SettingsError::NotToml {
            path: path.to_owned(),
            position: error.span().map_or_else(
                || "an unknown place".to_owned(),
                |span| format!("line {}", text[..span.start.min(text.len())].matches('\n').count() + 1),
            ),
            message: error.message().to_owned(),
        })?;
        self.add_table("", table, origin)
    }

    fn add_table(&mut self, prefix: &str, table: Table, origin: &str) -> Result<(), SettingsError> {
        for (name, value) in table {
            let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match (kind_of(&key), value) {
                (Some(kind), value) => {
                    kind.check(&value).map_err(|problem| SettingsError::BadValue {
                        key: key.clone(),
                        origin: origin.to_owned(),
                        problem,
                    })?;
                    self.values.insert(key, (value, origin.to_owned()));
                }
                (None, Value::Table(inner)) if is_section(&key) => self.add_table(&key, inner, origin)?,
                (None, _) => {
                    return Err(SettingsError::UnknownKey {
                        allowed: allowed_beside(&key),
                        key,
                        origin: origin.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, text: &str, origin: &str) -> Result<(), SettingsError> {
        let kind = kind_of(key).ok_or_else(|| SettingsError::UnknownKey {
            key: key.to_owned(),
            origin: origin.to_owned(),
            allowed: allowed_beside(key),
        })?;
        let value = kind.parse(text).map_err(|problem| SettingsError::BadValue {
            key: key.to_owned(),
            origin: origin.to_owned(),
            problem,
        })?;
        self.values.insert(key.to_owned(), (value, origin.to_owned()));
        Ok(())
    }

    /// Where a value came from.
    pub(super) fn origin(&self, key: &str) -> &str {
        self.values.get(key).map_or(DEFAULTS_ORIGIN, |(_, origin)| origin.as_str())
    }

    /// An error about a value that only its reader understands.
    pub(super) fn bad(&self, key: &str, problem: impl Into<String>) -> SettingsError {
        SettingsError::BadValue {
            key: key.to_owned(),
            origin: self.origin(key).to_owned(),
            problem: problem.into(),
        }
    }

    /// A text; an empty one counts as not set.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(|(value, _)| value.as_str()).filter(|text| !text.is_empty())
    }

    /// A whole number. Every number has a default, and its range was checked, so 0 is never made up.
    pub(super) fn whole(&self, key: &str) -> u32 {
        let number = self.values.get(key).and_then(|(value, _)| value.as_integer()).unwrap_or_default();
        u32::try_from(number).unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.values.get(key).and_then(|(value, _)| value.as_bool())
    }

    pub(super) fn words(&self, key: &str) -> Vec<String> {
        let list = self.values.get(key).and_then(|(value, _)| value.as_array());
        list.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// The numbers below a section: `worker.slots`.
    pub(super) fn numbers_below(&self, section: &str) -> BTreeMap<String, usize> {
        let prefix = format!("{section}.");
        self.values
            .iter()
            .filter_map(|(key, (value, _))| {
                let name = key.strip_prefix(&prefix)?;
                Some((name.to_owned(), usize::try_from(value.as_integer()?).ok()?))
            })
            .collect()
    }

    /// The names below a section whose keys are tables: `schedules`.
    pub(super) fn names_below(&self, section: &str) -> BTreeSet<String> {
        let prefix = format!("{section}.");
        let names = self.values.keys().filter_map(|key| key.strip_prefix(&prefix)?.split('.').next());
        names.map(str::to_owned).collect()
    }
}
