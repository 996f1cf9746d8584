//! Logs: to stderr, as text for people or JSON for machines. Never params, file names of users or URLs with secrets.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogSettings};

/// Starts logging for this process. A second call changes nothing.
pub fn init(settings: &LogSettings) {
    let Ok(filter) = settings.filter.parse::<EnvFilter>() else { return };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // An error means that somebody, a test for instance, has started it before.
    let _ = match settings.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
}
