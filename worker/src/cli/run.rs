//! `run`: a worker process from start to end.

use forgeos_core::storage::Storage;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Failure, Outcome};
use crate::{
    environment::Environment,
    http::{Dashboard, Files, Server},
    metrics,
    registry::Registry,
    runtime::{Runtime, Shutdown},
    settings::Settings,
};

/// What is wrong with the settings of a worker, as far as it shows without a database.
pub(super) fn check(settings: &Settings) -> Outcome {
    let registry = Registry::product();
    let wanted = settings.worker.job_types.iter().map(|name| ("worker.job_types".to_owned(), name));
    let slots = settings.worker.slots.keys().map(|name| (format!("worker.slots.{name}"), name));
    for (setting, name) in wanted.chain(slots) {
        if registry.get(name).is_none() {
            let known = registry.names().join(", ");
            return Err(Failure::WrongUse(format!(
                "setting `{setting}`: unknown job type `{name}`; allowed: {known}"
            )));
        }
    }
    // Whether a folder without buckets may become a store shows only in the database.
    if Storage::unmade_folder(&settings.storage, &settings.data_dir).is_some() {
        return Ok(());
    }
    // Opening contacts nobody.
    Storage::open(&settings.storage, &settings.data_dir, None)
        .map(drop)
        .map_err(|error| Failure::WrongUse(super::one_line(&error.into())))
}

pub(super) async fn run(settings: &Settings) -> Outcome {
    // Before any counter counts.
    metrics::install();
    let shutdown = shutdown_on_signals()?;
    let server = Server::bind(&settings.http).await?;
    if let (Some(server), Some(wanted)) = (&server, settings.http.listen)
        && server.address() != wanted
        && wanted.port() != 0
    {
        info!("{wanted} is taken; the HTTP server listens on {} instead", server.address());
    }
    let opened = tokio::select! {
        opened = Environment::open(settings) => opened?,
        () = shutdown.hard.cancelled() => return Err(Failure::Said),
    };
    let mut environment = opened;
    if let Some(embedded) = environment.database.embedded() {
        embedded.notes().iter().for_each(|note| info!("{note}"));
    }
    environment.http_address = server.as_ref().map(|server| server.address().to_string());
    info!(
        version = env!("CARGO_PKG_VERSION"),
        database = environment.database.shown(),
        storage = environment.storage.kind(),
        http = environment.http_address.as_deref().unwrap_or("off"),
        "starting"
    );

    let runtime = Runtime::new(environment.clone(), settings.worker.clone(), Registry::product())
        .with_upkeep(settings.retention, settings.schedules.clone());
    let http_stop = CancellationToken::new();
    let files = server.as_ref().and_then(|_| Files::of(&environment, &settings.http));
    let dashboard = Dashboard::of(&environment);
    let http = server.map(|server| {
        let served = server.serve(runtime.health(), dashboard.clone(), files.clone(), http_stop.clone());
        tokio::spawn(served)
    });
    let result = runtime.run(shutdown).await;

    // Probes see "shutting down" until the very end.
    http_stop.cancel();
    if let Some(http) = http {
        http.abort();
    }
    dashboard.close().await;
    if let Some(files) = files {
        files.close().await;
    }
    environment.close().await;
    info!("stopped");
    Ok(result?)
}

/// The first SIGTERM or Ctrl-C asks to stop, the second insists.
fn shutdown_on_signals() -> std::io::Result<Shutdown> {
    let shutdown = Shutdown::default();
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let signals = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            if signals.soft.is_cancelled() {
                warn!("second signal: running jobs are given back at once");
                signals.hard.cancel();
            } else {
                info!("stopping: no new jobs; a second signal gives running ones back at once");
                signals.soft.cancel();
            }
        }
    });
    Ok(shutdown)
}
