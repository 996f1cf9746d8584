//! Listens to what is said inside the span of an attempt.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use forgeos_core::db::job_logs::LogLine;
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};
use uuid::Uuid;

use super::{LENGTH, LINES_OF_AN_ATTEMPT, say};
use crate::{attempt::JOB_SPAN, telemetry::AskedEachTime};

/// The layer with its filter: words of this project at info and above.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let ours =
        filter_fn(|metadata| metadata.target().starts_with("forgeos") && *metadata.level() <= Level::INFO);
    JobLogLayer.with_filter(AskedEachTime(ours.with_max_level_hint(Level::INFO)))
}

struct JobLogLayer;

/// Kept with the span of an attempt.
struct Attempt {
    job_id: Uuid,
    attempt: i32,
    lines: AtomicU32,
}

impl<S> Layer<S> for JobLogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != JOB_SPAN {
            return;
        }
        let mut said = Said::default();
        attributes.record(&mut said);
        let job_id = said.fields.get("job.id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let attempt = said.fields.get("job.attempt").and_then(Value::as_i64);
        if let (Some(job_id), Some(attempt), Some(span)) = (job_id, attempt, context.span(id)) {
            let attempt = i32::try_from(attempt).unwrap_or(i32::MAX);
            span.extensions_mut().insert(Attempt { job_id, attempt, lines: AtomicU32::new(0) });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_scope(event).and_then(|mut scope| scope.find(is_attempt)) else {
            return;
        };
        let extensions = span.extensions();
        let Some(attempt) = extensions.get::<Attempt>() else { return };
        let before = attempt.lines.fetch_add(1, Ordering::Relaxed);
        if before > LINES_OF_AN_ATTEMPT {
            return;
        }
        let mut said = Said::default();
        if before == LINES_OF_AN_ATTEMPT {
            said.message = format!("there are more than {LINES_OF_AN_ATTEMPT} lines; the rest is left out");
        } else {
            event.record(&mut said);
        }
        say(said.into_line(attempt, event.metadata()));
    }
}

fn is_attempt<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> bool {
    span.extensions().get::<Attempt>().is_some()
}

/// The fields of a span or an event.
#[derive(Default)]
struct Said {
    message: String,
    step: Option<String>,
    fields: Map<String, Value>,
}

impl Said {
    fn into_line(self, attempt: &Attempt, metadata: &Metadata<'_>) -> LogLine {
        let fields = (!self.fields.is_empty()).then(|| Value::Object(self.fields).to_string());
        LogLine {
            job_id: attempt.job_id,
            attempt: attempt.attempt,
            said: Instant::now(),
            level: match *metadata.level() {
                Level::ERROR => "error",
                Level::WARN => "warn",
                _ => "info",
            },
            message: fit(self.message),
            step: self.step.map(fit),
            // Half an object is none.
            fields: fields.filter(|fields| fields.len() <= LENGTH),
        }
    }

    fn take(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("error", _) => {}
            ("message", Value::String(words)) => self.message = words,
            ("step", Value::String(step)) => self.step = Some(step),
            (name, Value::String(words)) => {
                self.fields.insert(name.to_owned(), Value::String(fit(words)));
            }
            (name, value) => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Said {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.into());
    }
    fn record_error(&mut self, _: &Field, _: &(dyn std::error::Error + 'static)) {}
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}").into());
    }
}

/// Without NUL, which PostgreSQL's text cannot hold, and not longer than a line may be.
fn fit(words: String) -> String {
    let mut words = if words.contains('\0') { words.replace('\0', "\u{fffd}") } else { words };
    if words.len() > LENGTH {
        words.truncate(words.floor_char_boundary(LENGTH - '…'.len_utf8()));
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_nul_and_an_end() {
        assert_eq!(fit("a\0b".to_owned()), "a\u{fffd}b");
        let long = fit("ø".repeat(LENGTH));
        assert!(long.len() <= LENGTH && long.ends_with('…'));
    }
}
