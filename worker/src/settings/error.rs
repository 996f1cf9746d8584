//! What is wrong with a setting: which one, where it came from, what is allowed. Never a value that may be a secret.

use std::path::PathBuf;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key that does not exist.
    #[error("unknown setting `{key}` in {origin}; {allowed}")]
    UnknownKey {
        /// The key, dotted.
        key: String,
        /// File, environment variable or flag.
        origin: String,
        /// What exists beside it.
        allowed: String,
    },
    /// A value of the wrong kind or outside its range.
    #[error("setting `{key}` in {origin} is not usable: {problem}")]
    BadValue {
        /// The key, dotted.
        key: String,
        /// File, environment variable or flag.
        origin: String,
        /// What is allowed.
        problem: String,
    },
    /// A file that cannot be read.
    #[error("cannot read the settings file {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not TOML.
    #[error("{} is not valid TOML at {position}: {message}", .path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// `line 3`.
        position: String,
        /// What the parser says; never the line itself, which may hold a secret.
        message: String,
    },
    /// FORGEOS_ENV names nothing.
    #[error(
        "FORGEOS_ENV=`{name}` is neither `development` nor `production`, and there is no config/{name}.toml here"
    )]
    UnknownEnvironment {
        /// Its value.
        name: String,
    },
}
