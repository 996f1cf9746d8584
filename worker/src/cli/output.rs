//! Words for people on a terminal and for programs behind a pipe. A closed pipe is no error: `jobs list | head` is
//! usual.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// A line to stdout.
pub(crate) fn text(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A remark to stderr.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// An error to stderr.
pub(crate) fn error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {line}");
}

/// A value as indented JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) {
    if let Ok(line) = serde_json::to_string_pretty(value) {
        text(&line);
    }
}

/// `text` in bold where that shows.
pub(crate) fn bold(text: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[1m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Rows under headings. A heading that starts with `>` is for numbers, which stand right.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) {
    let names = headings.map(|heading| heading.trim_start_matches('>'));
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([names[column].chars().count()]).max()
    };
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let line = |cells: &[&str; N]| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let width = widths[column];
            if headings[column].starts_with('>') {
                line.push_str(&format!("{cell:>width$}  "));
            } else {
                line.push_str(&format!("{cell:<width$}  "));
            }
        }
        line.trim_end().to_owned()
    };
    text(&bold(&line(&names)));
    for row in rows {
        text(&line(&std::array::from_fn(|column| row[column].as_str())));
    }
}

/// Seconds as a person says them: `4.2 s`, `12 min`, `3 h`, `9 d`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// At most `limit` characters, in one line.
pub(crate) fn short(text: &str, limit: usize) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.chars().count() <= limit {
        return text;
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}
