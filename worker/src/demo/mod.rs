//! `demo`: everything at work, from a plain SQL insert to pictures with their defects drawn in, a report to print, rows
//! for other programs and a model that judges the next pictures, on a machine where nothing has been set up. It always uses
//! the embedded database and a local folder, whatever the settings say, so that it never writes into somebody's real
//! database.

mod export;
mod files;
mod report;
mod results;
mod training;

use std::{path::Path, time::Duration};

use anyhow::Context;
use forgeos_core::{
    JobId, UserId,
    db::{
        Db,
        console::{self, JobState},
    },
    storage::{Bucket, Key, StorageSettings},
};
use forgeos_samples::Sample;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    cli::{
        output::{bold, note, text},
        watch::Bar,
    },
    environment::Environment,
    registry::Registry,
    runtime::{Runtime, Shutdown},
    settings::Settings,
};

/// The owner of the demo's pictures and jobs.
const USER: UserId = UserId(Uuid::from_u128(0xf0f0_f0f0_0000_4000_8000_0000_0000_de70));

/// A demo that takes longer than this has gone wrong.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A sample and the id under which a job asks for it.
struct Picture {
    id: Uuid,
    sample: Sample,
}

/// Runs the demo; false when something came out otherwise than it should, which has been said then.
pub async fn run(settings: &Settings) -> anyhow::Result<bool> {
    let mut settings = settings.clone();
    if settings.database.url.take().is_some() {
        note("DATABASE_URL is set; the demo leaves that database alone and uses its own");
    }
    settings.production = false;
    settings.storage = StorageSettings::default();
    settings.worker.job_types.clear();
    settings.worker.poll_interval_ms = settings.worker.poll_interval_ms.min(1000);

    text(&format!("{}\n", bold("ForgeOS Worker, a demo")));
    let environment = Environment::open(&settings).await?;
    let outcome = tokio::select! {
        outcome = with_environment(&environment, &settings) => outcome,
        _ = tokio::signal::ctrl_c() => Ok(false),
    };
    environment.close().await;
    outcome
}

async fn with_environment(environment: &Environment, settings: &Settings) -> anyhow::Result<bool> {
    for line in environment.database.embedded().into_iter().flat_map(|embedded| embedded.notes()) {
        text(&format!("  {line}"));
    }
    // Drawing takes a moment of pure computing.
    let samples = tokio::task::spawn_blocking(forgeos_samples::demo_set)
        .await
        .context("the sample pictures could not be drawn")?;
    let pictures: Vec<Picture> = samples
        .into_iter()
        .map(|sample| Picture { id: Uuid::new_v5(&USER.0, sample.name.as_bytes()), sample })
        .collect();
    let folder = settings.data_dir.join("storage/images").join(USER.to_string());
    put_pictures(environment, &pictures).await?;
    text(&format!("  {} sample pictures drawn into {}\n", pictures.len(), shown_path(&folder)));

    let ids: Vec<String> = pictures.iter().map(|picture| picture.id.to_string()).collect();
    let params = serde_json::json!({ "image_ids": ids });
    text("  A job is a row. Whatever can write to the database can enqueue one:\n");
    text("    insert into jobs (job_type, params, user_id) values (");
    text("      'batch_analysis',");
    text(&format!("      '{{\"image_ids\": [\"{}\", … {} more]}}',", ids[0], ids.len() - 1));
    text(&format!("      '{USER}');\n"));

    let runtime = Runtime::new(environment.clone(), settings.worker.clone(), Registry::product());
    let stop = Shutdown { soft: CancellationToken::new(), hard: CancellationToken::new() };
    let worker = tokio::spawn(runtime.run(stop.clone()));
    let surprises = run_jobs(environment, settings, &pictures, &params).await;
    stop.soft.cancel();
    worker.await.context("the worker panicked")??;
    let surprises = surprises?;
    for surprise in &surprises {
        note(&format!("error: {surprise}"));
    }
    Ok(surprises.is_empty())
}

/// All jobs, one after the other, each with its results; what came out otherwise than it should.
async fn run_jobs(
    environment: &Environment,
    settings: &Settings,
    pictures: &[Picture],
    params: &serde_json::Value,
) -> anyhow::Result<Vec<String>> {
    let db = &environment.handlers;
    let batch = console::insert_job(db, "batch_analysis", params, USER).await?;
    let (state, seconds) = to_its_end(db, batch).await?;
    let judged = results::judge(pictures, &console::analyses_of(db, batch).await?);
    text(&format!(
        "  {} after {seconds:.1} s: {} pictures judged, {} refused\n",
        state.status,
        judged.iter().filter(|one| one.completed).count(),
        judged.iter().filter(|one| !one.completed).count(),
    ));
    results::show(&judged);
    results::show_files(&judged, environment);
    let mut surprises = results::surprises(&judged, &state);

    if state.status == "completed" {
        let report = report::ask_for(db, batch).await?;
        let (state, seconds) = to_its_end(db, report).await?;
        report::show(&state, seconds, environment);
        surprises.extend(report::surprises(&state));

        let export = export::ask_for(db, batch).await?;
        let (state, seconds) = to_its_end(db, export).await?;
        export::show(&state, seconds, environment);
        surprises.extend(export::surprises(&state, pictures.len()));
    }
    surprises.extend(training::run(environment).await?);
    what_next(environment, settings, batch);
    Ok(surprises)
}

/// How a job ended, and after how many seconds.
async fn to_its_end(db: &Db, job: JobId) -> anyhow::Result<(JobState, f64)> {
    let begun = std::time::Instant::now();
    let Ok(state) = tokio::time::timeout(TIME_LIMIT, follow(db, job)).await else {
        let why = console::explain(db, job).await?;
        let why: Vec<String> = why.into_iter().map(|(_, detail)| detail).collect();
        anyhow::bail!("the job did not end within {} s: {}", TIME_LIMIT.as_secs(), why.join("; "));
    };
    Ok((state?, begun.elapsed().as_secs_f64()))
}

async fn put_pictures<'a>(
    environment: &Environment,
    pictures: impl IntoIterator<Item = &'a Picture>,
) -> anyhow::Result<()> {
    for picture in pictures {
        let extension = picture.sample.extension;
        let key = Key::in_folder_of(USER, &format!("{}.{extension}", picture.id))
            .context("a sample has an odd name")?;
        let mime = if extension == "jpg" { "image/jpeg".to_owned() } else { format!("image/{extension}") };
        environment.storage.put(Bucket::Images, &key, picture.sample.bytes.clone().into(), &mime).await?;
    }
    Ok(())
}

async fn follow(db: &Db, job: JobId) -> anyhow::Result<JobState> {
    let bar = Bar::new();
    loop {
        let state = console::state(db, job).await?.context("the job has vanished")?;
        bar.show(&state);
        if matches!(state.status.as_str(), "completed" | "failed" | "cancelled") {
            bar.clear();
            return Ok(state);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn what_next(environment: &Environment, settings: &Settings, job: JobId) {
    let program = std::env::args().next().unwrap_or_else(|| "forgeos-worker".to_owned());
    let program = shown_path(Path::new(&program));
    text(&format!("  {}", bold("What to try next")));
    // Without it the program looks for `.forgeos` where it is started.
    let folder = match shown_path(&settings.data_dir) {
        usual if usual == ".forgeos" => String::new(),
        other => format!("--data-dir {other} "),
    };
    let command = |arguments: &str| format!("{program} {folder}{arguments}");
    let ideas = [
        (command(&format!("jobs show {job}")), "all about this job"),
        (command("run"), "take jobs until Ctrl-C"),
        (command("jobs list"), "what was done"),
        (command("schema batch_analysis"), "what a job takes and answers"),
        (environment.database.shown().to_owned(), "by hand, while `run` is up"),
    ];
    let width = ideas.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    for (command, meaning) in ideas {
        text(&format!("    {command:<width$}   {meaning}"));
    }
}

/// A path as one would type it here.
fn shown_path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
