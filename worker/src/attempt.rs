//! One attempt in its slot: runs the handler under its time limit, catches panics, decides the outcome and hands it to
//! settling. A tower service, so that apalis' layers fit around it.

use std::{
    convert::Infallible,
    ops::Not,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis_core::task::Task;
use forgeos_core::{ClaimedJob, ErrorCode, JobContext, JobError, Remedy, StopReason, compute::panic_text};
use futures::future::BoxFuture;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower::Service;
use tracing::{Instrument, error, info, info_span, warn};

use crate::{
    environment::Environment,
    outcome::{self, Settlement},
    queue::{
        away::StoreWord,
        lanes::Lane,
        leases::HeldJob,
        settle::Settler,
        sweep::MAX_CRASHES,
        turns::{NoTurn, Turns},
    },
    registry::{HandlerResult, JobType},
    runtime::HealthState,
};

/// The span of an attempt. It carries `job.id`, `job.type` and `job.attempt`.
pub const JOB_SPAN: &str = "job";

/// A handler that was told to stop has this long to return before its slot is given up.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// After this many stuck handlers the process ends, so that its supervisor starts a fresh one.
const STUCK_LIMIT: usize = 3;
/// Pause for a job that must run alone and found no quiet moment here, in seconds.
const NO_TURN_DELAY_SECONDS: f64 = 15.0;

/// Runs the jobs of one lane.
#[derive(Debug, Clone)]
pub struct AttemptService {
    /// The job type.
    pub job_type: Arc<JobType>,
    /// Its lane.
    pub lane: Arc<Lane>,
    /// What handlers work with.
    pub environment: Environment,
    /// Where outcomes go.
    pub settler: Settler,
    /// Who runs beside whom.
    pub turns: Arc<Turns>,
    /// Handlers of this process that ignored their stop signal.
    pub stuck: Arc<Stuck>,
    /// Where it notes that the object store is away.
    pub health: Arc<HealthState>,
}

/// Counts handlers that ignored their stop signal: each may still hold a thread.
#[derive(Debug, Default)]
pub struct Stuck {
    count: AtomicUsize,
    too_many: CancellationToken,
}

impl Stuck {
    /// Resolves when the process has had enough of them.
    pub async fn wait_for_too_many(&self) {
        self.too_many.cancelled().await;
    }

    fn add(&self) {
        if self.count.fetch_add(1, Ordering::AcqRel) + 1 >= STUCK_LIMIT {
            self.too_many.cancel();
        }
    }
}

impl Service<Task<HeldJob>> for AttemptService {
    type Response = ();
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<HeldJob>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            service.attempt(task.args).await;
            Ok(())
        })
    }
}

impl AttemptService {
    async fn attempt(&self, held: HeldJob) {
        let HeldJob { job, progress, stop } = held;
        let mut slot = Slot::enter(&self.lane);
        let lease = job.lease;
        if stop.reason() == Some(StopReason::Cancelled) {
            // Called off while it waited in the buffer.
            let cancelled = Err(JobError::transient(ErrorCode::Internal, "cancelled before it started"));
            self.settler.send(lease, outcome::settle(&job, cancelled, stop.reason(), 0.5));
            return;
        }
        if let Some(spent) = budget_spent(&job) {
            report("failed", Duration::ZERO, Some((spent.code, spent.message.clone())));
            self.settler.send(lease, outcome::fail(&job, spent));
            return;
        }
        let alone = job.crashes > 0;
        let turn = match alone {
            false => self.turns.shared().ok_or(NoTurn::AnotherIsAlone),
            true => tokio::select! {
                turn = self.turns.alone() => turn,
                () = stop.wait() => Err(NoTurn::NoQuiet),
            },
        };
        let _turn = match (turn, stop.reason()) {
            (Ok(turn), _) => turn,
            (Err(_), Some(_)) => {
                let stopped = Err(JobError::transient(ErrorCode::Internal, "stopped before it started"));
                self.settler.send(lease, outcome::settle(&job, stopped, stop.reason(), 0.5));
                return;
            }
            (Err(NoTurn::AnotherIsAlone), None) => {
                self.settler.send(lease, outcome::put_back(&job, 0.0));
                return;
            }
            (Err(NoTurn::NoQuiet), None) => {
                self.settler.send(lease, outcome::put_back(&job, NO_TURN_DELAY_SECONDS));
                return;
            }
        };
        if alone {
            self.settler.others_are_settled(lease).await;
        }
        let span = info_span!(JOB_SPAN, job.id = %lease.job, job.type = job.job_type, job.attempt = lease.attempt,
                              job.traceparent = job.traceparent);
        let began = Instant::now();
        let how_far = progress.clone();
        let result = self
            .run(JobContext {
                job: Arc::clone(&job),
                db: self.environment.handlers.clone(),
                storage: self.environment.storage.clone(),
                compute: self.environment.compute.clone(),
                resources: self.environment.resources.clone(),
                progress,
                stop: stop.clone(),
            })
            .instrument(span.clone())
            .await;
        let ran = began.elapsed();
        self.hear_of_the_store(store_word(&result));
        let refused = matches!(&result, Err(error) if error.code == ErrorCode::BadParams);
        let failure = result.as_ref().err().map(|e| (e.code, words_for_the_log(e)));
        let settlement = outcome::settle(&job, result, stop.reason(), fastrand::f64());
        let waits = matches!(settlement, Settlement::Wait(_));
        if !waits {
            metrics::histogram!(crate::metrics::JOB_RUN_SECONDS, "job_type" => self.job_type.name)
                .record(ran.as_secs_f64());
        }
        span.in_scope(|| report(settlement.word(), ran, failure));
        self.settler.send(lease, settlement.with_progress(how_far.current()));
        // Params that were refused, and a look at another job, say nothing of how long a job takes.
        slot.ran = (refused || waits).not().then_some(ran);
    }

    /// Runs the handler on a task of its own, so that a panic, a blocked thread or a handler that ignores its stop
    /// signal costs this slot and nothing else.
    async fn run(&self, context: JobContext) -> HandlerResult {
        let limit = Duration::from_secs(u64::try_from(context.job.timeout_seconds).unwrap_or(1).max(1));
        let stop = context.stop.clone();
        let mut handler = AbortOnDropHandle::new(tokio::spawn(self.job_type.run(context).in_current_span()));
        let returned = tokio::select! {
            returned = &mut handler => returned,
            () = tokio::time::sleep(limit) => {
                stop.request(StopReason::TimedOut);
                match tokio::time::timeout(STOP_GRACE, &mut handler).await {
                    Ok(returned) => returned,
                    Err(_ignored) => return Err(self.give_up(&handler)),
                }
            }
            () = stop.wait() => {
                match tokio::time::timeout(STOP_GRACE, &mut handler).await {
                    Ok(returned) => returned,
                    Err(_ignored) => return Err(self.give_up(&handler)),
                }
            }
        };
        match returned {
            Ok(result) => result,
            Err(failure) => {
                let words = failure.try_into_panic().map_or_else(|e| e.to_string(), |p| panic_text(&*p));
                Err(JobError::transient(
                    ErrorCode::Panicked,
                    "the job hit a fault of the worker and will be tried again",
                )
                .because(format!("panicked: {words}")))
            }
        }
    }

    fn hear_of_the_store(&self, word: StoreWord) {
        let job_type = self.job_type.name;
        let Some(away) = self.lane.hear_of_the_store(word) else { return };
        self.health.note_store(job_type, away);
        match away {
            true => warn!(job.type = job_type, "the object store is away: these jobs wait until it is back"),
            false => info!(job.type = job_type, "the object store is back"),
        }
    }

    fn give_up(&self, handler: &AbortOnDropHandle<HandlerResult>) -> JobError {
        handler.abort();
        self.stuck.add();
        error!(job.type = self.job_type.name, "the handler ignored its stop signal; its slot is given up");
        JobError::transient(ErrorCode::TimedOut, "the job did not stop when it was told to")
    }
}

/// What the queue itself never leaves pending: somebody has set the counters by hand, or lowered `max_attempts` since.
fn budget_spent(job: &ClaimedJob) -> Option<JobError> {
    if job.crashes >= MAX_CRASHES {
        let words =
            format!("the job was lost with its worker {} times; retry it to try it again", job.crashes);
        return Some(JobError::permanent(ErrorCode::WorkerLost, words));
    }
    (job.attempts_used > job.max_attempts).then(|| {
        let words =
            format!("all {} attempts of the job are spent; retry it to try it again", job.max_attempts);
        JobError::permanent(ErrorCode::Internal, words)
    })
}

/// Params that were refused, an outage of the database and a look at another job tell nothing of the store.
fn store_word(result: &HandlerResult) -> StoreWord {
    match result {
        Ok(_) => StoreWord::There,
        Err(error) => match (error.remedy, error.code) {
            (Remedy::Wait, ErrorCode::StorageUnavailable) => StoreWord::Away,
            (Remedy::Wait | Remedy::Later(_), _) | (_, ErrorCode::BadParams) => StoreWord::Silent,
            _ => StoreWord::There,
        },
    }
}

/// Frees the slot, whatever happens to the attempt.
struct Slot<'a> {
    lane: &'a Lane,
    ran: Option<Duration>,
}

impl<'a> Slot<'a> {
    fn enter(lane: &'a Lane) -> Self {
        metrics::gauge!(crate::metrics::JOBS_RUNNING, "job_type" => lane.job_type).increment(1);
        Self { lane, ran: None }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        metrics::gauge!(crate::metrics::JOBS_RUNNING, "job_type" => self.lane.job_type).decrement(1);
        self.lane.release(self.ran);
    }
}

/// The error and its causes; of refused params the field alone, because the rest repeats what the caller wrote.
fn words_for_the_log(error: &JobError) -> String {
    if error.code == ErrorCode::BadParams {
        let first = error.message.split([':', ' ', ',']).next().unwrap_or_default();
        let field = if first.starts_with("params.") { first } else { "params" };
        return format!("{field}: refused, jobs.error_message says why");
    }
    error.chain().join(": ")
}

/// What a stopped job says is not an error; its stop reason stands in the word.
fn report(word: &str, ran: Duration, failure: Option<(ErrorCode, String)>) {
    let duration_ms = ran.as_millis() as u64;
    match (word, failure) {
        ("failed", Some((code, error))) => warn!(duration_ms, %code, error, "failed"),
        ("retried", Some((code, error))) => info!(duration_ms, %code, error, "failed, will be tried again"),
        ("released", Some((code, error))) if code != ErrorCode::Internal => {
            info!(duration_ms, %code, error, "given back, will be tried again")
        }
        ("completed", _) => tracing::debug!(duration_ms, "completed"),
        ("waiting", _) => tracing::debug!(duration_ms, "waits for another job"),
        _ => info!(duration_ms, "{word}"),
    }
}
