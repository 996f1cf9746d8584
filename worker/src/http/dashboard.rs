//! The page at `/`: what waits, what runs, who works, why jobs failed. It needs no script, changes nothing, and shows no
//! job, no params and no user, since whoever reaches the port may read it. However many look at it, the database is asked
//! once every few seconds at most, and not at all when nobody looks.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use forgeos_core::db::{
    Db,
    console::{StatsLine, WorkerLine},
    dashboard::{self, FailureLine, Look},
};
use tokio::sync::Mutex;
use tracing::warn;

use crate::{
    cli::{one_line, output::duration},
    environment::Environment,
    health::Health,
};

/// How old what is shown may be, and how often a page that is open asks anew.
const FRESH: Duration = Duration::from_secs(5);
/// A process that was silent for longer is marked.
const SILENT_SECONDS: f64 = 60.0;
/// How long connections may take to come back at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

const STYLE: &str = include_str!("dashboard.css");

/// When somebody looked last, and what was seen or why nothing was.
type Last = Option<(Instant, Result<Look, String>)>;

/// The last look, and the way to the next one; clones share both.
#[derive(Debug, Clone)]
pub struct Dashboard {
    db: Db,
    last: Arc<Mutex<Last>>,
}

impl Dashboard {
    /// A dashboard with a connection of its own, opened when somebody looks.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self { db: environment.database.pool(1), last: Arc::default() }
    }

    /// Gives the connection back.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(CLOSE_PATIENCE, self.db.close()).await;
    }

    /// The page.
    pub(super) async fn page(&self, health: &Health) -> String {
        // Held while the database is asked: who comes meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if last.as_ref().is_none_or(|(at, _)| at.elapsed() > FRESH) {
            let look = dashboard::look(&self.db).await.map_err(|error| {
                let error = one_line(&error.into());
                warn!("the dashboard cannot be filled: {error}");
                "the database does not answer now".to_owned()
            });
            *last = Some((Instant::now(), look));
        }
        let look = last.as_ref().map(|(_, look)| look.clone());
        drop(last);
        let body = match look {
            Some(Ok(look)) => body(&look),
            Some(Err(reason)) => format!("<p class=bad>{}</p>", escaped(&reason)),
            None => String::new(),
        };
        format!(
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>ForgeOS Worker</title>\
             <meta name=viewport content=\"width=device-width\"><meta http-equiv=refresh content={}>\
             <style>{STYLE}</style></head><body><h1>ForgeOS Worker <small>{}</small></h1>{}{body}\
             <footer><a href=healthz>healthz</a> <a href=readyz>readyz</a> <a href=metrics>metrics</a></footer>\
             </body></html>\n",
            FRESH.as_secs(),
            env!("CARGO_PKG_VERSION"),
            this_process(health),
        )
    }
}

fn this_process(health: &Health) -> String {
    let state = match health.ready() {
        Ok(()) => "takes jobs".to_owned(),
        Err(reason) => format!("<b class=bad>takes no jobs: {}</b>", escaped(&reason)),
    };
    let wakeup = match health.wakeup_mode() {
        "listen" => "is woken by new jobs",
        _ => "looks for new jobs by itself",
    };
    format!("<p>This process {state} and {wakeup}. Under way in it: {}.</p>", health.running())
}

fn body(look: &Look) -> String {
    let mut page = String::new();
    section(
        &mut page,
        "Queue",
        &["type", "waiting", "oldest", "running", "later", "leases run out", "failed in the last hour", ""],
        look.types.iter().map(type_row),
        "There are no job types.",
    );
    section(
        &mut page,
        "Workers",
        &["host", "version", "up", "last seen", "slots", "address"],
        look.workers.iter().map(worker_row),
        "No worker is registered.",
    );
    section(
        &mut page,
        "Failures of the last hour",
        &["type", "reason", "jobs"],
        look.failures.iter().map(failure_row),
        "None.",
    );
    if let Some((holder, seconds)) = &look.xmin_holder
        && seconds.is_none_or(|seconds| seconds > SILENT_SECONDS)
    {
        let since = seconds.map(|seconds| format!(" for {}", duration(seconds))).unwrap_or_default();
        let _ = write!(page, "<p class=bad>Vacuum is held back by {}{since}.</p>", escaped(holder));
    }
    page
}

/// A cell, and whether it needs looking at.
type Cell = (String, bool);

fn section(
    page: &mut String,
    title: &str,
    headings: &[&str],
    rows: impl ExactSizeIterator<Item = Vec<Cell>>,
    none: &str,
) {
    let _ = write!(page, "<h2>{title}</h2>");
    if rows.len() == 0 {
        let _ = write!(page, "<p>{none}</p>");
        return;
    }
    page.push_str("<table><thead><tr>");
    for heading in headings {
        let _ = write!(page, "<th>{heading}");
    }
    page.push_str("</thead><tbody>");
    for row in rows {
        page.push_str("<tr>");
        for (text, bad) in row {
            let _ = write!(page, "<td{}>{}", if bad { " class=bad" } else { "" }, escaped(&text));
        }
    }
    page.push_str("</tbody></table>");
}

fn type_row(line: &StatsLine) -> Vec<Cell> {
    let number = |n: Option<i64>| n.unwrap_or_default();
    let fine = |text: String| (text, false);
    let waiting = number(line.waiting);
    let oldest = if waiting > 0 { line.oldest_waiting_seconds.map(duration) } else { None };
    let mut notes = Vec::new();
    if line.paused == Some(true) {
        notes.push("paused".to_owned());
    }
    if number(line.not_adopted) > 0 {
        notes.push(format!("{} wait for `jobs adopt`", number(line.not_adopted)));
    }
    vec![
        fine(line.job_type.clone().unwrap_or_default()),
        fine(waiting.to_string()),
        fine(oldest.unwrap_or_default()),
        fine(number(line.running).to_string()),
        fine(number(line.scheduled).to_string()),
        (number(line.expired_leases).to_string(), number(line.expired_leases) > 0),
        (number(line.failed_last_hour).to_string(), number(line.failed_last_hour) > 0),
        (notes.join(", "), !notes.is_empty()),
    ]
}

fn worker_row(line: &WorkerLine) -> Vec<Cell> {
    let slots: Vec<String> = line
        .slots
        .as_object()
        .map(|slots| slots.iter().map(|(name, count)| format!("{name} {count}")).collect())
        .unwrap_or_default();
    vec![
        (line.host.clone().unwrap_or_default(), false),
        (line.version.clone().unwrap_or_default(), false),
        (duration(line.up_seconds), false),
        (format!("{} ago", duration(line.silent_seconds.max(0.0))), line.silent_seconds > SILENT_SECONDS),
        (slots.join(", "), false),
        (line.http_address.clone().unwrap_or_default(), false),
    ]
}

fn failure_row(line: &FailureLine) -> Vec<Cell> {
    vec![(line.job_type.clone(), false), (line.error_code.clone(), false), (line.jobs.to_string(), false)]
}

/// Text that stays text between tags and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_and_types_are_text() {
        let look = Look {
            types: Vec::new(),
            workers: vec![WorkerLine {
                id: uuid::Uuid::nil(),
                host: Some("<script>alert('x')</script>".to_owned()),
                version: None,
                slots: serde_json::json!({ "a&b": 2 }),
                http_address: None,
                up_seconds: 5.0,
                silent_seconds: 300.0,
            }],
            failures: Vec::new(),
            xmin_holder: Some(("pid 7 (\"o\", idle in transaction)".to_owned(), Some(600.0))),
        };
        let page = body(&look);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("a&amp;b 2") && page.contains("There are no job types."), "{page}");
        assert!(page.contains("<td class=bad>5 min ago"), "{page}");
        assert!(
            page.contains("Vacuum is held back by pid 7 (&quot;o&quot;, idle in transaction) for 10 min."),
            "{page}"
        );
    }
}
