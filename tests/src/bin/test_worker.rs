//! The worker with the tests' own job types: the same engine and the same jobs as `forgeos-worker run`, and handlers
//! that go wrong, which the product must not carry. Told everything through its environment.

use forgeos_tests::{Faulty, Noop, Scripted};
use forgeos_worker::{
    environment::Environment,
    registry::Registry,
    runtime::{Runtime, Shutdown},
    settings::{Settings, SettingsSources},
    telemetry,
};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::load(SettingsSources::of_process())?;
    telemetry::init(&settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run(&settings));
    // A handler that does not return must not keep the process.
    runtime.shutdown_background();
    ended
}

async fn run(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    let shutdown = Shutdown::default();
    let mut term = signal(SignalKind::terminate())?;
    let word = shutdown.clone();
    tokio::spawn(async move {
        term.recv().await;
        word.soft.cancel();
        term.recv().await;
        word.hard.cancel();
    });
    let environment = Environment::open(settings).await?;
    let registry = Registry::product().with::<Noop>(4).with::<Scripted>(4).with::<Faulty>(4);
    let worker = Runtime::new(environment.clone(), settings.worker.clone(), registry)
        .with_upkeep(settings.retention, settings.schedules.clone());
    let ended = worker.run(shutdown).await;
    environment.close().await;
    Ok(ended?)
}
