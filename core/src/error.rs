//! Why a job did not complete, and what that means for its next attempt.

use std::fmt;

use serde_json::Value;

/// The stable word in `jobs.error_code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The params are not what the job type takes.
    BadParams,
    /// A thing that the params name does not exist, or is somebody else's.
    NotFound,
    /// A file of a kind that is not read.
    UnsupportedFormat,
    /// Over a limit.
    TooLarge,
    /// A picture that cannot be decoded.
    DamagedImage,
    /// There was nothing that the job could be done on.
    NothingToDo,
    /// What the job waited for did not come about.
    DependencyFailed,
    /// Over its time limit.
    TimedOut,
    /// The worker died or lost its lease.
    WorkerLost,
    /// The object store cannot be reached.
    StorageUnavailable,
    /// The database cannot be reached.
    DatabaseUnavailable,
    /// The handler panicked.
    Panicked,
    /// A registered job type that this version does not carry out yet.
    NotImplemented,
    /// A fault of the worker itself.
    Internal,
}

impl ErrorCode {
    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadParams => "bad_params",
            Self::NotFound => "not_found",
            Self::UnsupportedFormat => "unsupported_format",
            Self::TooLarge => "too_large",
            Self::DamagedImage => "damaged_image",
            Self::NothingToDo => "nothing_to_do",
            Self::DependencyFailed => "dependency_failed",
            Self::TimedOut => "timed_out",
            Self::WorkerLost => "worker_lost",
            Self::StorageUnavailable => "storage_unavailable",
            Self::DatabaseUnavailable => "database_unavailable",
            Self::Panicked => "panicked",
            Self::NotImplemented => "not_implemented",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing that the worker can do: the job fails at once.
    None,
    /// Another attempt, after a pause; counts against `max_attempts`.
    Retry,
    /// Waiting until the database or the store is back; counts against nothing.
    Wait,
}

/// Why a job, or one item of it, did not complete.
///
/// `message` is one line that a user may read: what happened and what to do. The technical cause stands in
/// [`std::error::Error::source`] only.
#[derive(Debug)]
pub struct JobError {
    /// The stable word.
    pub code: ErrorCode,
    /// What happened and what to do, in one line.
    pub message: String,
    /// What may help.
    pub remedy: Remedy,
    /// What was done before, for `jobs.results`.
    pub partial_results: Option<Value>,
    /// The technical cause.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl JobError {
    fn new(code: ErrorCode, remedy: Remedy, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy, partial_results: None, cause: None }
    }

    /// An error that another attempt cannot mend.
    #[must_use]
    pub fn permanent(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, Remedy::None, message)
    }

    /// A fault of the moment.
    #[must_use]
    pub fn transient(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, Remedy::Retry, message)
    }

    /// Something that the job needs cannot be reached.
    #[must_use]
    pub fn outage(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, Remedy::Wait, message)
    }

    /// Params that the job type does not take.
    #[must_use]
    pub fn bad_params(message: impl Into<String>) -> Self {
        Self::permanent(ErrorCode::BadParams, message)
    }

    /// A thing that does not exist for this job's user.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::permanent(ErrorCode::NotFound, message)
    }

    /// Adds the technical cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what was done before.
    #[must_use]
    pub fn with_results(mut self, results: Value) -> Self {
        self.partial_results = Some(results);
        self
    }

    /// The message and every cause below it, outermost first, each in one line.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut chain = vec![self.message.clone()];
        let mut next: Option<&(dyn std::error::Error + 'static)> = self.cause.as_ref().map(|c| &**c as _);
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        chain
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JobError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|c| &**c as _)
    }
}
