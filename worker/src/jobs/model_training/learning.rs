//! Trains on threads of its own, watched: progress goes out, the word to stop and the time limit come in.

use std::time::{Duration, Instant};

use forgeos_core::{
    ErrorCode, JobContext, JobError, compute::ComputeError, error::in_one_line, progress::Progress,
};
use forgeos_learning::{Options, Phase, Sample, TrainError, Trained, Watch};

use super::{gallery::Picture, params::TrainingOptions};

/// Memory that training takes a picture: its description, and its share of what the learners make of it.
const BYTES_PER_PICTURE: u64 = 64 << 10;
/// Besides, for each pair of pictures: the distances that a kernel machine keeps.
const BYTES_PER_PAIR: u64 = 4;
/// Share of the job's own time that may be spent before the model is written.
const SHARE_OF_TIMEOUT: f64 = 0.95;

/// Until when a training may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    begun: Instant,
    limit: Duration,
    /// Whether the params ask for it; otherwise it is the job's own time limit that draws near.
    asked_for: bool,
}

impl Deadline {
    /// Counts from now.
    pub(super) fn of(ctx: &JobContext, options: &TrainingOptions) -> Self {
        let timeout = Duration::from_secs(u64::try_from(ctx.job.timeout_seconds).unwrap_or(1).max(1));
        let own = timeout.mul_f64(SHARE_OF_TIMEOUT);
        let asked = options.time_limit_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let limit = asked.map_or(own, |asked| asked.min(own));
        Self { begun: Instant::now(), limit, asked_for: asked.is_some_and(|asked| asked <= own) }
    }

    /// What is left.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.begun.elapsed())
    }

    /// Trying again would take as long.
    pub(super) fn missed(&self, what: &str) -> JobError {
        let seconds = self.limit.as_secs();
        let remedy = if self.asked_for {
            "raise `options.time_limit_seconds`, or train on fewer images"
        } else {
            "raise job_types.timeout_seconds, or train on fewer images"
        };
        JobError::permanent(
            ErrorCode::TimedOut,
            format!("the time limit of {seconds} s was over before {what}; {remedy}"),
        )
    }
}

/// Trains. Dropping the future abandons the work, which ends soon after the stop signal.
pub(super) async fn train(
    ctx: &JobContext,
    options: &TrainingOptions,
    pictures: Vec<Picture>,
    deadline: Deadline,
) -> Result<Trained, JobError> {
    let count = pictures.len() as u64;
    // Held for minutes: the pictures of other jobs must still find room.
    let wanted = (count * BYTES_PER_PICTURE + count * count * BYTES_PER_PAIR)
        .min(ctx.compute.memory_budget_bytes() / 2);
    let memory = ctx.compute.reserve_memory(wanted).await.map_err(broke_down)?;
    let left = deadline.left();
    let options = Options {
        seed: options.seed,
        test_fraction: options.test_fraction,
        folds: options.folds as usize,
        time_limit: Some(left),
    };
    let watch = Watcher { progress: ctx.progress.clone(), stop: ctx.stop.clone() };
    let trained = ctx
        .compute
        .run_beside(move || {
            let _held = memory;
            let samples: Vec<Sample> = pictures.into_iter().map(sample).collect();
            forgeos_learning::train(&samples, &options, &watch)
        })
        .await
        .map_err(broke_down)?;
    trained.map_err(|error| match error {
        TrainError::Stopped => ctx
            .check_stop()
            .err()
            .unwrap_or_else(|| JobError::transient(ErrorCode::Internal, "the training was stopped")),
        TrainError::TimeLimit => deadline.missed("the model was trained"),
        refusal => JobError::bad_params(refusal.to_string()),
    })
}

fn sample(picture: Picture) -> Sample {
    let Picture { entry, name, description } = picture;
    Sample { description, label: entry.label, group: entry.group, name, captured_at: None }
}

fn broke_down(error: ComputeError) -> JobError {
    match &error {
        ComputeError::Panicked(words) => {
            tracing::error!(error = in_one_line(words, 300), "training panicked");
            JobError::permanent(ErrorCode::Panicked, "the training broke down; please report it")
        }
        ComputeError::Gone => {
            JobError::transient(ErrorCode::Internal, "the worker's compute threads are gone")
        }
    }
    .because(error)
}

struct Watcher {
    progress: Progress,
    stop: forgeos_core::Stop,
}

impl Watch for Watcher {
    fn progress(&self, phase: Phase, done: usize, total: usize) {
        self.progress.set(phase.as_str(), done as u64, total as u64);
    }

    fn should_stop(&self) -> bool {
        self.stop.requested()
    }
}
