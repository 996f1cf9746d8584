//! What can go wrong when a report is set, in words that name file and line.

use std::path::PathBuf;

use crate::rules::RulesError;
use typst::diag::SourceDiagnostic;
use typst::{World, WorldExt};

/// A setter could not be made: a file of the operator's own is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum SetterError {
    /// A file or folder could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A template is not UTF-8 text.
    #[error("`{}` is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A font file holds no font.
    #[error("`{}` holds no font", path.display())]
    NotAFont {
        /// The file.
        path: PathBuf,
    },
    /// The file of rules is wrong.
    #[error("rules in `{}` are wrong", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// Which rule, and why.
        #[source]
        source: RulesError,
    },
    /// A template does not compile.
    #[error("templates in `{}` cannot be used", dir.display())]
    Template {
        /// The operator's folder.
        dir: PathBuf,
        /// File, line and reason.
        #[source]
        source: PdfError,
    },
}

/// A report could not be set.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// A template does not compile with this report.
    #[error("template is wrong: {0}")]
    Template(String),
    /// The PDF standard asked for does not exist in this build.
    #[error("pdf standard is not available: {0}")]
    Standard(String),
    /// A part of a large report is not as typst is known to write it.
    #[error("parts of the report cannot be joined: {0}")]
    Join(&'static str),
    /// The same, in the words of whoever read it.
    #[error("parts of the report cannot be read")]
    Unread(#[source] lopdf::Error),
    /// The data could not be put into JSON.
    #[error("report data cannot be written as json")]
    Data(#[source] serde_json::Error),
}

/// The first error as `file:line: message (hint)`.
pub(super) fn describe(world: &dyn World, errors: &[SourceDiagnostic]) -> String {
    let Some(error) = errors.first() else { return "no error was named".to_owned() };
    let place = error.span.id().map(|id| {
        let file = id.get().vpath().get_without_slash().to_owned();
        let line = world
            .range(error.span)
            .zip(world.source(id).ok())
            .and_then(|(range, source)| source.lines().byte_to_line(range.start));
        match line {
            Some(line) => format!("{file}:{}: ", line + 1),
            None => format!("{file}: "),
        }
    });
    let hint = error.hints.first().map(|hint| format!(" ({})", hint.v)).unwrap_or_default();
    format!("{}{}{hint}", place.unwrap_or_default(), error.message)
}
