//! Why a job did not complete, and what that means for its next attempt.

use std::{fmt, time::Duration};

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
    /// The file of a trained model that cannot be used.
    DamagedModel,
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
            Self::DamagedModel => "damaged_model",
            Self::NothingToDo => "nothing_to_do",
            Self::DependencyFailed => "dependency_failed",
            Self::TimedOut => "timed_out",
            Self::WorkerLost => "worker_lost",
            Self::StorageUnavailable => "storage_unavailable",
            Self::DatabaseUnavailable => "database_unavailable",
            Self::Panicked => "panicked",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Most characters of a message that a user reads. Whatever somebody puts into params must not fill the table or the log.
const MESSAGE_LIMIT: usize = 500;

/// Most characters of one technical cause.
const CAUSE_LIMIT: usize = 2_000;

/// `text` in one line of at most `limit` characters: line breaks and tabs become blanks, other control characters and
/// those that turn the direction of writing are shown escaped, and what is too long is cut with `…`.
#[must_use]
pub fn in_one_line(text: &str, limit: usize) -> String {
    let too_long = text.chars().nth(limit).is_some();
    let kept = if too_long { limit.saturating_sub(1) } else { limit };
    let mut line = String::new();
    for character in text.chars().take(kept) {
        match character {
            '\n' | '\r' | '\t' => line.push(' '),
            // As the database will store it.
            '\0' => line.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() => line.extend(c.escape_unicode()),
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(character.escape_unicode());
            }
            c => line.push(c),
        }
    }
    if too_long {
        line.push('…');
    }
    line
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
    /// Another look after this pause: what the job waits for is under way, and nothing is wrong. Counts against nothing,
    /// and no attempt is noted.
    Later(Duration),
}

/// Why a job, or one item of it, did not complete.
///
/// `message` is one line of at most 500 characters that a user may read: what happened and what to do. The technical cause stands in
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
        let message = in_one_line(&message.into(), MESSAGE_LIMIT);
        Self { code, message, remedy, partial_results: None, cause: None }
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

    /// Not yet: what the job waits for is under way. The job goes back to `pending` with its progress as it stands; how
    /// long it does so is for the handler to say.
    #[must_use]
    pub fn later(pause: Duration, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::DependencyFailed, Remedy::Later(pause), message)
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

    /// The message and every cause below it, outermost first, each in one line of at most 2,000 characters.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut chain = vec![self.message.clone()];
        let mut next: Option<&(dyn std::error::Error + 'static)> = self.cause.as_ref().map(|c| &**c as _);
        while let Some(error) = next {
            chain.push(in_one_line(&error.to_string(), CAUSE_LIMIT));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        let error = JobError::bad_params("red \u{1b}[31m\nand\u{202e} back\r\n");
        assert_eq!(error.message, "red \\u{1b}[31m and\\u{202e} back  ");
        let long = JobError::bad_params("é".repeat(100_000)).because("x\n".repeat(100_000));
        assert_eq!(long.message.chars().count(), MESSAGE_LIMIT);
        assert!(long.message.ends_with('…'));
        let chain = long.chain();
        assert_eq!(chain[1].chars().count(), CAUSE_LIMIT);
        assert!(!chain[1].contains('\n'));
        assert_eq!(in_one_line("abc", 3), "abc");
    }
}
