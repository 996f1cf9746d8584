//! Logs: to stderr, as text for people or JSON for machines. Never params, file names of users or URLs with secrets.

use std::io::IsTerminal;

use tracing::{Metadata, subscriber::Interest};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::LevelFilter,
    layer::{Context, Filter, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{
    job_log,
    settings::{LogFormat, LogSettings},
};

/// Starts logging for this process. A second call changes nothing.
pub fn init(settings: &LogSettings) {
    let Ok(filter) = settings.filter.parse::<EnvFilter>() else { return };
    let process = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let process = match settings.format {
        LogFormat::Text => process.with_target(false).boxed(),
        LogFormat::Json => process.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let subscriber = tracing_subscriber::registry()
        .with(process.with_filter(AskedEachTime(filter)))
        .with(job_log::layer());
    // An error means that somebody, a test for instance, has started it before.
    let _ = subscriber.try_init();
}

/// A filter that is asked for each event, never once for all of a place in the code.
///
/// Filters of single layers keep their last answer in a thread-local until an event takes it. `tracing::enabled!`, which
/// the database driver uses, leaves an answer that no event takes; the next event of a place that is always enabled is
/// not asked for, finds that answer and is lost. An answer that is asked for each time is never an old one.
#[derive(Debug)]
pub(crate) struct AskedEachTime<F>(pub(crate) F);

impl<S, F: Filter<S>> Filter<S> for AskedEachTime<F> {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.0.enabled(metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = self.0.callsite_enabled(metadata);
        if interest.is_never() { interest } else { Interest::sometimes() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::span::Id,
        context: Context<'_, S>,
    ) {
        self.0.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &tracing::span::Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        self.0.on_record(id, values, context);
    }

    fn on_enter(&self, id: &tracing::span::Id, context: Context<'_, S>) {
        self.0.on_enter(id, context);
    }

    fn on_exit(&self, id: &tracing::span::Id, context: Context<'_, S>) {
        self.0.on_exit(id, context);
    }

    fn on_close(&self, id: tracing::span::Id, context: Context<'_, S>) {
        self.0.on_close(id, context);
    }
}
