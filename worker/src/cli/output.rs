//! Words for people on a terminal and for programs behind a pipe. A closed pipe is no error: `jobs list | head` is
//! usual.

use std::io::{IsTerminal, Write};

use forgeos_core::error::in_one_line;
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

/// The last column is cut to the terminal, unless less than this would be left of it.
const LEAST_LAST: usize = 24;

/// Rows under headings. A heading that starts with `>` is for numbers, which stand right. On a terminal the last column
/// is cut where a line would wrap; where next to nothing of it fits, it stands on a line of its own. Elsewhere nothing is
/// cut.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) {
    let (heading, lines) = layout(headings, rows, terminal_width());
    text(&bold(&heading));
    lines.iter().for_each(|line| text(line));
}

/// Characters in a line of the terminal; none when stdout is none.
fn terminal_width() -> Option<usize> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let columns = rustix::termios::tcgetwinsize(&stdout).ok()?.ws_col;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

fn layout<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
    limit: Option<usize>,
) -> (String, Vec<String>) {
    let names = headings.map(|heading| heading.trim_start_matches('>'));
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([names[column].chars().count()]).max().unwrap_or_default()
    });
    let before_last: usize = widths.iter().take(N.saturating_sub(1)).map(|width| width + 2).sum();
    let last_width = widths.last().copied().unwrap_or_default();
    let room = limit.map_or(last_width, |limit| limit.saturating_sub(before_last));
    let below = room < last_width.min(LEAST_LAST);
    let line = |cells: &[&str; N]| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let (is_last, width) = (column + 1 == N, widths[column]);
            if is_last && below {
                break;
            }
            let cell = if is_last { short(cell, room) } else { (*cell).to_owned() };
            line.push_str(&if headings[column].starts_with('>') {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            });
        }
        line.trim_end().to_owned()
    };
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let cells: [&str; N] = std::array::from_fn(|column| row[column].as_str());
        lines.push(line(&cells));
        if below && let Some(last) = row.last().filter(|last| !last.is_empty()) {
            lines.push(format!("    {}", short(last, limit.unwrap_or(usize::MAX).saturating_sub(4).max(8))));
        }
    }
    (line(&names), lines)
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
    in_one_line(text, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> [[String; 3]; 2] {
        [["a", "1", "a long note that says very much about a"], ["bb", "22", ""]]
            .map(|row| row.map(str::to_owned))
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let headings = ["NAME", ">N", "NOTE"];
        let (heading, lines) = layout(headings, &rows(), None);
        assert_eq!(heading, "NAME   N  NOTE");
        assert_eq!(lines, ["a      1  a long note that says very much about a", "bb    22"]);
        let (_, lines) = layout(headings, &rows(), Some(40));
        assert_eq!(lines[0], "a      1  a long note that says very mu…");
        let (heading, lines) = layout(headings, &rows(), Some(30));
        assert_eq!(heading, "NAME   N");
        assert_eq!(lines, ["a      1", "    a long note that says ver…", "bb    22"]);
    }
}
