//! `loadtest`: jobs by the thousand, as an API would enqueue them, carried out by the workers that run. It starts none: what
//! is measured is the deployment as it stands. Everything belongs to a user of its own, and is erased at the end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use forgeos_core::{
    db::{
        Db, console,
        loadtest::{self, Counts, Figures},
    },
    ids::UserId,
    storage::{Bucket, Key},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Failure, Outcome, arguments::Loadtest, erase, output};
use crate::{environment::open_storage, settings::Settings};

const JOB_TYPE: &str = "batch_analysis";
/// Different drawings; further pictures have the same bytes under another name.
const DRAWINGS: u64 = 8;
/// Jobs of one insert.
const CHUNK: u32 = 1_000;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A worker that was silent for longer is none.
const SILENCE_SECONDS: f64 = 60.0;

#[derive(Serialize)]
struct Report {
    user: UserId,
    jobs: u32,
    pictures: u64,
    enqueue_seconds: f64,
    enqueued_per_second: f64,
    #[serde(flatten)]
    counts: Counts,
    jobs_per_second: Option<f64>,
    pictures_per_second: Option<f64>,
    #[serde(flatten)]
    figures: Figures,
}

pub(super) async fn loadtest(db: &Db, settings: &Settings, arguments: &Loadtest) -> Outcome {
    let workers = console::workers(db).await?;
    if !workers.iter().any(|one| one.silent_seconds < SILENCE_SECONDS && one.slots.get(JOB_TYPE).is_some()) {
        return Err(Failure::Failed(anyhow::anyhow!(
            "no running worker takes `{JOB_TYPE}`; start one with `forgeos-worker run`, on the same database and store"
        )));
    }
    let user = UserId(Uuid::new_v4());
    output::note(&format!(
        "user {user} is made up for this test; if it is interrupted, `forgeos-worker erase --user {user} --yes` clears up"
    ));
    let pictures = put_pictures(db, settings, user, arguments.pictures).await?;
    let (report, outcome) = measure(db, arguments, user, &pictures).await?;
    if !arguments.keep {
        erase::everything_of(db, settings, user, false).await?;
    }
    if arguments.json {
        output::json(&report);
    } else {
        print(&report);
    }
    outcome
}

/// The drawn pictures of the test, in the store where the workers look for them.
async fn put_pictures(db: &Db, settings: &Settings, user: UserId, count: u32) -> Result<Vec<Uuid>, Failure> {
    let storage = open_storage(settings, db).await?;
    let drawn = tokio::task::spawn_blocking(|| {
        (1..=DRAWINGS).map(|seed| forgeos_samples::variant(seed).bytes.into()).collect::<Vec<Bytes>>()
    })
    .await?;
    let count = u64::from(count).max(DRAWINGS);
    let mut ids = Vec::new();
    for (number, bytes) in (0..count).zip(drawn.iter().cycle()) {
        let id = Uuid::new_v5(&user.0, &number.to_be_bytes());
        let key = Key::in_folder_of(user, &format!("{id}.jpg"))?;
        storage.put(Bucket::Images, &key, bytes.clone(), "image/jpeg").await?;
        ids.push(id);
    }
    Ok(ids)
}

/// The report, and whether every job has completed.
async fn measure(
    db: &Db,
    arguments: &Loadtest,
    user: UserId,
    pictures: &[Uuid],
) -> Result<(Report, Outcome), Failure> {
    let begun = Instant::now();
    let mut next = pictures.iter().cycle();
    let mut left = arguments.jobs;
    while left > 0 {
        let chunk = left.min(CHUNK);
        let params: Vec<Value> = (0..chunk)
            .map(|_| {
                let ids: Vec<&Uuid> = next.by_ref().take(arguments.pictures as usize).collect();
                json!({ "image_ids": ids, "options": { "include_visualization": arguments.visualization } })
            })
            .collect();
        loadtest::enqueue(db, user, JOB_TYPE, &params).await?;
        left -= chunk;
    }
    let enqueue_seconds = begun.elapsed().as_secs_f64();
    let (counts, in_time) = wait(db, user, arguments).await?;
    let figures = loadtest::figures(db, user).await?;
    let per_second =
        figures.seconds.filter(|seconds| *seconds > 0.0).map(|seconds| counts.completed as f64 / seconds);
    let report = Report {
        user,
        jobs: arguments.jobs,
        pictures: u64::from(arguments.jobs) * u64::from(arguments.pictures),
        enqueue_seconds,
        enqueued_per_second: f64::from(arguments.jobs) / enqueue_seconds.max(1e-6),
        counts,
        jobs_per_second: per_second,
        pictures_per_second: per_second.map(|jobs| jobs * f64::from(arguments.pictures)),
        figures,
    };
    let outcome = if !in_time {
        Err(Failure::Failed(anyhow::anyhow!(
            "no job has ended for {} s; see `forgeos-worker jobs stats` and `workers list`",
            arguments.patience
        )))
    } else if counts.completed != i64::from(arguments.jobs) {
        let why = report.figures.first_error.as_deref().unwrap_or("somebody cancelled or deleted them");
        Err(Failure::Failed(anyhow::anyhow!("not every job completed: {why}")))
    } else {
        Ok(())
    };
    Ok((report, outcome))
}

/// Waits until all have ended, or until none has for too long.
async fn wait(db: &Db, user: UserId, arguments: &Loadtest) -> Result<(Counts, bool), Failure> {
    let bar = ProgressBar::new(arguments.jobs.into());
    if let Ok(style) = ProgressStyle::with_template("  {bar:32} {pos} of {len} jobs  {elapsed}") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    let (mut ended, mut since) = (0, Instant::now());
    loop {
        let asked = Instant::now();
        let counts = loadtest::counts(db, user).await?;
        // Counting a million rows is work, too: it must not be what is measured.
        let pause = LOOK_EVERY.max(asked.elapsed() * 20);
        if counts.ended() > ended {
            (ended, since) = (counts.ended(), Instant::now());
            bar.set_position(u64::try_from(ended).unwrap_or_default());
        }
        let over = counts.pending == 0 && counts.running == 0;
        if over || since.elapsed().as_secs() >= arguments.patience {
            bar.finish_and_clear();
            return Ok((counts, over));
        }
        tokio::time::sleep(pause).await;
    }
}

fn print(report: &Report) {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
    let seconds = |seconds: Option<f64>| {
        seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{:.1}", seconds * 1000.0))
    };
    let (counts, figures) = (&report.counts, &report.figures);
    let line = |what: &str, value: String| [what.to_owned(), value];
    output::table(
        ["JOBS", ">"],
        &[
            line("enqueued", format!("{} ({:.0} /s)", report.jobs, report.enqueued_per_second)),
            line("completed", counts.completed.to_string()),
            line(
                "failed, cancelled, left",
                format!("{}, {}, {}", counts.failed, counts.cancelled, counts.pending + counts.running),
            ),
            line("jobs /s", rate(report.jobs_per_second)),
            line("pictures /s", rate(report.pictures_per_second)),
            line("further attempts", figures.further_attempts.to_string()),
        ],
    );
    output::text("");
    output::table(
        ["MILLISECONDS", ">P50", ">P95", ">P99", ">LONGEST"],
        &[
            [
                "insert to start".to_owned(),
                seconds(figures.wait_p50),
                seconds(figures.wait_p95),
                seconds(figures.wait_p99),
                seconds(figures.wait_max),
            ],
            [
                "start to end".to_owned(),
                seconds(figures.run_p50),
                seconds(figures.run_p95),
                seconds(figures.run_p99),
                seconds(figures.run_max),
            ],
        ],
    );
}
