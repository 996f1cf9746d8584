//! Job types that only tests and load tests register.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use forgeos_core::{ErrorCode, Job, JobContext, JobError, JobId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A job that does nothing: what is left is the queue's own cost.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Noop {}

impl Job for Noop {
    const NAME: &'static str = "noop";
    type Results = ();

    async fn run(&self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

/// What a [`Scripted`] job does.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Completes.
    Succeed,
    /// A fault of the moment, every time.
    FailTransiently,
    /// A fault of the moment until this attempt.
    SucceedAtAttempt(i32),
    /// Nothing helps.
    FailForGood,
    /// Something that it needs is away.
    ReportOutage,
    /// Panics.
    Panic,
    /// Runs until it is told to stop, then answers how far it was.
    RunUntilStopped,
    /// Never returns by itself and does not listen either.
    IgnoreEverything,
    /// Waits for so many milliseconds, whatever it is told.
    Wait(u64),
    /// Blocks its thread for so many milliseconds.
    BlockThread(u64),
    /// Counts how many of its group run at once, for a moment.
    CountTogether(String),
    /// Results that PostgreSQL cannot store.
    ReturnNul,
    /// A message that PostgreSQL cannot store.
    FailWithNul,
    /// Reports progress, then runs until it is told to stop.
    Progress(u64, u64),
}

/// A job that does what its params say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    act: Act,
    /// Something to carry along.
    #[serde(default)]
    number: Option<f64>,
}

/// How often each job was started in this process.
static RUNS: LazyLock<Mutex<HashMap<JobId, u32>>> = LazyLock::new(Mutex::default);

/// How often a scripted job was started in this process.
#[must_use]
pub fn runs_of(job: uuid::Uuid) -> u32 {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner).get(&JobId(job)).copied().unwrap_or(0)
}

/// Jobs of a group that run now, and the most that ever did.
static TOGETHER: LazyLock<Mutex<HashMap<String, (i32, i32)>>> = LazyLock::new(Mutex::default);

fn count(group: &str, change: i32) {
    let mut groups = TOGETHER.lock().unwrap_or_else(PoisonError::into_inner);
    let (now, most) = groups.entry(group.to_owned()).or_default();
    *now += change;
    *most = (*most).max(*now);
}

/// The most jobs of a group that ran at once in this process.
#[must_use]
pub fn most_together(group: &str) -> i32 {
    TOGETHER.lock().unwrap_or_else(PoisonError::into_inner).get(group).map_or(0, |(_, most)| *most)
}

impl Job for Scripted {
    const NAME: &'static str = "scripted";
    type Results = Value;

    async fn run(&self, ctx: &JobContext) -> Result<Value, JobError> {
        *RUNS.lock().unwrap_or_else(PoisonError::into_inner).entry(ctx.job.lease.job).or_default() += 1;
        let attempt = ctx.job.lease.attempt;
        let moment = || JobError::transient(ErrorCode::Internal, "a fault of the moment");
        match &self.act {
            Act::Succeed => Ok(json!({ "attempt": attempt })),
            Act::FailTransiently => Err(moment().because("what lies below")),
            Act::SucceedAtAttempt(n) if attempt >= *n => Ok(json!({ "attempt": attempt })),
            Act::SucceedAtAttempt(_) => Err(moment()),
            Act::FailForGood => Err(JobError::permanent(ErrorCode::NothingToDo, "nothing to do it on")),
            Act::ReportOutage => Err(JobError::outage(ErrorCode::StorageUnavailable, "the store is away")),
            Act::Panic => panic!("a scripted panic"),
            Act::RunUntilStopped => Err(until_stopped(ctx).await),
            Act::Progress(done, total) => {
                ctx.progress.set("scripted", *done, *total);
                Err(until_stopped(ctx).await)
            }
            Act::IgnoreEverything => std::future::pending().await,
            Act::Wait(ms) => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                Ok(json!({ "attempt": attempt }))
            }
            Act::BlockThread(ms) => {
                // What a handler must not do, done on purpose.
                #[allow(clippy::disallowed_methods)]
                std::thread::sleep(Duration::from_millis(*ms));
                Ok(json!({ "attempt": attempt }))
            }
            Act::CountTogether(group) => {
                count(group, 1);
                tokio::time::sleep(Duration::from_millis(20)).await;
                count(group, -1);
                Ok(json!({ "attempt": attempt }))
            }
            Act::ReturnNul => Ok(json!({ "text": "a\u{0}b" })),
            Act::FailWithNul => Err(JobError::permanent(ErrorCode::Internal, "a\u{0}b")),
        }
    }
}

async fn until_stopped(ctx: &JobContext) -> JobError {
    ctx.stop.wait().await;
    JobError::transient(ErrorCode::Internal, "told to stop").with_results(json!({ "partial": true }))
}
