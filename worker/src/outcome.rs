//! What becomes of a job after an attempt: the one place where results, errors, stop reasons and budgets meet.

use std::time::Duration;

use forgeos_core::{
    ClaimedJob, ErrorCode, JobError, Remedy, StopReason,
    db::queue::{Completion, Ending},
    progress::ProgressSnapshot,
};

use crate::{
    registry::HandlerResult,
    retry::{OUTAGE_PATIENCE, outage_delay, retry_delay},
};

/// What is to be written.
#[derive(Debug, Clone)]
pub enum Settlement {
    /// The job is done.
    Complete(Completion),
    /// This attempt did not complete it.
    End(Ending),
    /// The job waits for another one: it goes back, and there is nothing to tell of it.
    Wait(Ending),
    /// The lease is lost: nothing may be written.
    Nothing,
}

/// The word of the outcome for logs and metrics.
impl Settlement {
    /// `completed`, `failed`, `retried`, `released`, `waiting`, `cancelled` or `lost`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Complete(_) => "completed",
            Self::Wait(_) => "waiting",
            Self::Nothing => "lost",
            Self::End(ending) => match (ending.status, ending.outcome) {
                ("failed", _) => "failed",
                ("cancelled", _) => "cancelled",
                _ if ending.forgiven => "released",
                _ => "retried",
            },
        }
    }

    /// Keeps how far the handler came: a heartbeat need not have been between its last word and its end.
    #[must_use]
    pub fn with_progress(self, progress: Option<ProgressSnapshot>) -> Self {
        match self {
            Self::Complete(completion) => Self::Complete(Completion { progress, ..completion }),
            Self::Wait(ending) => Self::Wait(Ending { progress, ..ending }),
            Self::End(ending) => Self::End(Ending { progress, ..ending }),
            Self::Nothing => Self::Nothing,
        }
    }
}

/// Decides. `random` (0 to 1) spreads the pauses.
#[must_use]
pub fn settle(job: &ClaimedJob, result: HandlerResult, stop: Option<StopReason>, random: f64) -> Settlement {
    if stop == Some(StopReason::LeaseLost) {
        return Settlement::Nothing;
    }
    if stop.is_none() && matches!(&result, Err(error) if error.code == ErrorCode::WorkerLost) {
        // A fenced write was refused before the heartbeat knew.
        return Settlement::Nothing;
    }
    match result {
        Ok(results) => {
            Settlement::Complete(Completion { lease: job.lease, results: Some(results), progress: None })
        }
        Err(error) => match stop {
            Some(StopReason::Cancelled) => last_words(job, error),
            Some(StopReason::ShuttingDown) => release(job, 0.0, None),
            Some(StopReason::TimedOut) => {
                let message = format!(
                    "the job ran longer than the {} s that its type allows; split it or raise job_types.timeout_seconds",
                    job.timeout_seconds
                );
                let timed_out = JobError {
                    cause: error.cause,
                    partial_results: error.partial_results,
                    ..JobError::transient(ErrorCode::TimedOut, message)
                };
                failed_attempt(job, timed_out, "timed_out", random)
            }
            _ => match error.remedy {
                Remedy::Wait if !patience_is_over(job) => {
                    let delay = outage_delay(job.lease.attempt - job.attempts_used, random).as_secs_f64();
                    release(job, delay, Some(error))
                }
                Remedy::Later(pause) => wait(job, pause),
                _ => failed_attempt(job, error, "failed", random),
            },
        },
    }
}

/// Gives back a job that was claimed and never started: nothing is to be told of it.
#[must_use]
pub fn put_back(job: &ClaimedJob, delay_seconds: f64) -> Settlement {
    Settlement::End(Ending { outcome: None, ..released(job, delay_seconds, None) })
}

/// Ends a job that is not to be run at all.
#[must_use]
pub fn fail(job: &ClaimedJob, error: JobError) -> Settlement {
    failed_attempt(job, error, "failed", 0.5)
}

/// Gives the job back without counting the attempt.
#[must_use]
pub fn release(job: &ClaimedJob, delay_seconds: f64, error: Option<JobError>) -> Settlement {
    Settlement::End(released(job, delay_seconds, error))
}

/// No attempt is noted: a day of waiting would write thousands.
fn wait(job: &ClaimedJob, pause: Duration) -> Settlement {
    Settlement::Wait(Ending { outcome: None, ..released(job, pause.as_secs_f64(), None) })
}

fn released(job: &ClaimedJob, delay_seconds: f64, error: Option<JobError>) -> Ending {
    Ending {
        lease: job.lease,
        status: "pending",
        outcome: Some("released"),
        forgiven: true,
        delay_seconds,
        results: None,
        error_code: error.as_ref().map(|e| e.code.as_str()),
        error_message: error.as_ref().map(|e| e.message.clone()),
        error_chain: error.map(|e| e.chain()).unwrap_or_default(),
        started_at: Some(job.claimed_at),
        progress: None,
    }
}

fn last_words(job: &ClaimedJob, error: JobError) -> Settlement {
    Settlement::End(Ending {
        lease: job.lease,
        status: "cancelled",
        outcome: None,
        forgiven: false,
        delay_seconds: 0.0,
        results: error.partial_results.map(|r| r.to_string()),
        error_code: None,
        error_message: None,
        error_chain: Vec::new(),
        started_at: Some(job.claimed_at),
        progress: None,
    })
}

fn failed_attempt(job: &ClaimedJob, error: JobError, outcome: &'static str, random: f64) -> Settlement {
    let again = error.remedy == Remedy::Retry && job.attempts_used < job.max_attempts;
    Settlement::End(Ending {
        lease: job.lease,
        status: if again { "pending" } else { "failed" },
        outcome: Some(outcome),
        forgiven: false,
        delay_seconds: if again { retry_delay(job.attempts_used, random).as_secs_f64() } else { 0.0 },
        results: error.partial_results.as_ref().map(ToString::to_string),
        error_code: Some(error.code.as_str()),
        error_chain: error.chain(),
        error_message: Some(error.message),
        started_at: Some(job.claimed_at),
        progress: None,
    })
}

fn patience_is_over(job: &ClaimedJob) -> bool {
    (job.claimed_at - job.first_started_at).num_seconds() >= OUTAGE_PATIENCE.as_secs() as i64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chrono::{TimeDelta, Utc};
    use forgeos_core::{JobId, Lease, WorkerId};

    fn job(attempts_used: i32) -> ClaimedJob {
        ClaimedJob {
            lease: Lease {
                job: JobId(uuid::Uuid::nil()),
                attempt: attempts_used,
                worker: WorkerId::random(),
            },
            job_type: "noop".into(),
            params: None,
            user_id: None,
            attempts_used,
            max_attempts: 3,
            timeout_seconds: 60,
            crashes: 0,
            created_at: Utc::now(),
            first_started_at: Utc::now(),
            claimed_at: Utc::now(),
            waited_seconds: 0.0,
            traceparent: None,
        }
    }

    fn ending(settlement: Settlement) -> Ending {
        match settlement {
            Settlement::End(ending) => ending,
            other => panic!("not an ending: {other:?}"),
        }
    }

    #[test]
    fn a_permanent_error_fails_at_once_and_a_transient_one_within_its_budget() {
        let permanent = ending(settle(&job(1), Err(JobError::bad_params("x")), None, 0.5));
        assert_eq!((permanent.status, permanent.outcome), ("failed", Some("failed")));
        let moment = || JobError::transient(ErrorCode::Internal, "x");
        let first = ending(settle(&job(1), Err(moment()), None, 0.5));
        assert_eq!((first.status, first.forgiven), ("pending", false));
        assert!(first.delay_seconds > 0.0);
        assert_eq!(ending(settle(&job(3), Err(moment()), None, 0.5)).status, "failed");
    }

    #[test]
    fn an_outage_costs_no_attempt_for_a_day() {
        let away = || JobError::outage(ErrorCode::StorageUnavailable, "x");
        let first = ending(settle(&job(3), Err(away()), None, 0.5));
        assert_eq!((first.status, first.forgiven, first.outcome), ("pending", true, Some("released")));
        let mut old = job(3);
        old.first_started_at = Utc::now() - TimeDelta::hours(25);
        assert_eq!(ending(settle(&old, Err(away()), None, 0.5)).status, "failed");
    }

    #[test]
    fn a_job_that_waits_for_another_goes_back_and_no_attempt_is_noted() {
        let not_yet = || JobError::later(Duration::from_secs(7), "x");
        let half = ProgressSnapshot { phase: "waiting".into(), done: 1, total: 2, percent: 50 };
        let settlement = settle(&job(3), Err(not_yet()), None, 0.5).with_progress(Some(half.clone()));
        assert_eq!(settlement.word(), "waiting");
        let Settlement::Wait(waiting) = settlement else { panic!("{settlement:?}") };
        assert_eq!((waiting.status, waiting.outcome, waiting.forgiven), ("pending", None, true));
        assert_eq!((waiting.delay_seconds, waiting.progress), (7.0, Some(half)));
        assert_eq!((waiting.error_code, waiting.error_message), (None, None));
        let cancelled = ending(settle(&job(1), Err(not_yet()), Some(StopReason::Cancelled), 0.5));
        assert_eq!(cancelled.status, "cancelled");
    }

    #[test]
    fn a_lost_lease_writes_nothing_and_a_shutdown_gives_back() {
        assert!(matches!(
            settle(&job(1), Ok("{}".into()), Some(StopReason::LeaseLost), 0.5),
            Settlement::Nothing
        ));
        let stopped = JobError::transient(ErrorCode::Internal, "x");
        let given_back = ending(settle(&job(3), Err(stopped), Some(StopReason::ShuttingDown), 0.5));
        assert_eq!((given_back.status, given_back.forgiven), ("pending", true));
        let done = settle(&job(3), Ok("{}".into()), Some(StopReason::ShuttingDown), 0.5);
        assert_eq!(done.word(), "completed", "what was finished in time counts");
    }

    #[test]
    fn a_cancelled_job_keeps_its_partial_results() {
        let stopped =
            JobError::transient(ErrorCode::Internal, "x").with_results(serde_json::json!({"processed": 2}));
        let words = ending(settle(&job(1), Err(stopped), Some(StopReason::Cancelled), 0.5));
        assert_eq!((words.status, words.outcome), ("cancelled", None));
        assert_eq!(words.results.as_deref(), Some(r#"{"processed":2}"#));
    }
}
