//! Faults on the way of one report, by whom they concern: the report alone, or the whole job.

use forgeos_core::{
    ErrorCode, JobError, compute::ComputeError, db::DbError, error::in_one_line, storage::StorageError,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::results::ReportError;

/// Most characters of what an analysis says of its own failure.
const SHOWN: usize = 300;

/// Why there is no report of one analysis, however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportFailure {
    pub(super) code: ErrorCode,
    /// One line that its owner may read.
    pub(super) message: String,
}

impl ReportFailure {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same words for an analysis that is somebody else's and for one that does not exist.
    pub(super) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no analysis with this id")
    }

    /// Of an analysis that is not completed: its status, and the reason when it failed.
    pub(super) fn of_status(status: &str, metrics: Option<&Value>) -> Self {
        let status = in_one_line(status, 30);
        match status.as_str() {
            "failed" => {
                let error = metrics.and_then(|metrics| metrics.get("error"));
                let text = |key| error.and_then(|error| error.get(key)).and_then(Value::as_str);
                let code = text("code")
                    .and_then(|word| ANALYSIS_CODES.into_iter().find(|code| code.as_str() == word))
                    .unwrap_or(ErrorCode::DependencyFailed);
                Self::new(
                    code,
                    match text("message") {
                        Some(why) => format!("the analysis is `failed`: {}", in_one_line(why, SHOWN)),
                        None => "the analysis is `failed`; no reason was noted".to_owned(),
                    },
                )
            }
            "pending" => Self::new(
                ErrorCode::DependencyFailed,
                "the analysis is `pending`: it has not begun; ask again when it is `completed`",
            ),
            "processing" => Self::new(
                ErrorCode::DependencyFailed,
                "the analysis is `processing`: it is under way; ask again when it is `completed`",
            ),
            "" => Self::new(
                ErrorCode::DependencyFailed,
                "the analysis has no status; only a `completed` one is reported on",
            ),
            other => Self::new(
                ErrorCode::DependencyFailed,
                format!("the analysis is `{other}`; only a `completed` one is reported on"),
            ),
        }
    }

    /// `{"code", "message"}`, as it stands in the item.
    pub(super) fn to_json(&self) -> Value {
        json!({"code": self.code.as_str(), "message": self.message})
    }

    pub(super) fn of_analysis(&self, analysis_id: Uuid) -> ReportError {
        ReportError { analysis_id, code: self.code.as_str().to_owned(), message: self.message.clone() }
    }
}

/// The codes that an analysis may have failed with, and a report may.
pub(super) const ANALYSIS_CODES: [ErrorCode; 10] = [
    ErrorCode::NotFound,
    ErrorCode::UnsupportedFormat,
    ErrorCode::TooLarge,
    ErrorCode::DamagedImage,
    ErrorCode::DependencyFailed,
    ErrorCode::TimedOut,
    ErrorCode::WorkerLost,
    ErrorCode::Panicked,
    ErrorCode::StorageUnavailable,
    ErrorCode::Internal,
];

/// A fault on the way of one report.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The report fails alone.
    Report(ReportFailure),
    /// The job cannot go on.
    Job(JobError),
}

impl From<ReportFailure> for Trouble {
    fn from(failure: ReportFailure) -> Self {
        Self::Report(failure)
    }
}

impl From<JobError> for Trouble {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Job(error.into())
    }
}

impl From<ComputeError> for Trouble {
    fn from(error: ComputeError) -> Self {
        match &error {
            ComputeError::Panicked(_) => {
                tracing::error!(error = %error, "setting a report panicked");
                Self::Report(ReportFailure::new(
                    ErrorCode::Panicked,
                    "the setting of this report broke down; please report it",
                ))
            }
            ComputeError::Gone => Self::Job(threads_are_gone(error)),
        }
    }
}

pub(super) fn threads_are_gone(error: ComputeError) -> JobError {
    JobError::transient(ErrorCode::Internal, "the worker's compute threads are gone").because(error)
}

/// A fault in writing a report: what the store refuses for one it refuses for all.
pub(super) fn in_writing(error: StorageError) -> JobError {
    match error {
        StorageError::Denied(_) | StorageError::NotFound => JobError::outage(
            ErrorCode::StorageUnavailable,
            "the object store does not let the worker write to bucket `reports`; the job will go on when an operator \
             has mended it",
        )
        .because(error),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_analysis_passes_its_own_reason_on() {
        let metrics = json!({"error": {"code": "damaged_image", "message": "the file\nends early"}});
        let failure = ReportFailure::of_status("failed", Some(&metrics));
        assert_eq!(failure.code, ErrorCode::DamagedImage);
        assert_eq!(failure.message, "the analysis is `failed`: the file ends early");
    }

    #[test]
    fn what_somebody_else_wrote_into_a_row_makes_no_new_codes() {
        let metrics = json!({"error": {"code": "my_own", "message": 7}});
        let failure = ReportFailure::of_status("failed", Some(&metrics));
        assert_eq!(failure.code, ErrorCode::DependencyFailed);
        assert!(
            ReportFailure::of_status("processing", None).message.contains("`processing`: it is under way")
        );
        assert!(
            ReportFailure::of_status("paused", None).message.contains("is `paused`; only a `completed` one")
        );
        assert!(ReportFailure::of_status("", None).message.contains("has no status; only a `completed` one"));
    }
}
