//! What a caller can do about a failed statement.

use crate::error::{ErrorCode, JobError};

/// Result of a statement.
pub type DbResult<T> = Result<T, DbError>;

/// A failed statement, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached or is not up to it now: try again later.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// No answer in time: the connection may be half-open. Whether the statement took effect is unknown.
    #[error("the database did not answer in time")]
    TimedOut,
    /// A conflict of the moment (deadlock, serialization): try the transaction again.
    #[error("the database asks to try again")]
    Conflict(#[source] sqlx::Error),
    /// The lease is gone: write nothing more.
    #[error("the lease of this attempt is lost")]
    LeaseLost,
    /// The statement itself is refused, with the database's words.
    #[error("the database refused: {message}")]
    Refused {
        /// SQLSTATE.
        code: String,
        /// The database's message.
        message: String,
        /// The whole error.
        #[source]
        source: sqlx::Error,
    },
    /// A fault of this program: a row that does not decode, a closed pool.
    #[error("the database layer failed")]
    Internal(#[source] sqlx::Error),
}

impl DbError {
    /// Whether waiting may help.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TimedOut | Self::Conflict(_))
    }

    /// A row with an id that this job derives is there and belongs to somebody else.
    pub(super) fn foreign_row(table: &str) -> Self {
        Self::Refused {
            code: "23505".to_owned(),
            message: format!("a row of `{table}` with the id of this one belongs to somebody else"),
            source: sqlx::Error::RowNotFound,
        }
    }

    /// SQLSTATE, when the database refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// Gives up on an answer after `limit`.
pub async fn within<T>(limit: std::time::Duration, work: impl Future<Output = DbResult<T>>) -> DbResult<T> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(DbError::TimedOut))
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::WorkerCrashed | E::Protocol(_) | E::PoolClosed => {
                Self::Unavailable(error)
            }
            E::Database(refusal) => {
                let code = refusal.code().map(|c| c.into_owned()).unwrap_or_default();
                match code.as_str() {
                    // deadlock, serialization failure, lock not available
                    "40001" | "40P01" | "55P03" => Self::Conflict(error),
                    // connection trouble, too many connections, shutting down or starting up, read-only standby,
                    // out of memory or disk, killed backend, statement time-out, too long idle in a transaction
                    c if c.starts_with("08")
                        || c.starts_with("53")
                        || c.starts_with("57")
                        || c == "25P03"
                        || c == "25006" =>
                    {
                        Self::Unavailable(error)
                    }
                    _ => {
                        let message = refusal.message().to_owned();
                        Self::Refused { code, message, source: error }
                    }
                }
            }
            _ => Self::Internal(error),
        }
    }
}

impl From<DbError> for JobError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unavailable(_) | DbError::TimedOut | DbError::Conflict(_) => Self::outage(
                ErrorCode::DatabaseUnavailable,
                "the database could not be reached; the job will go on",
            )
            .because(error),
            DbError::LeaseLost => {
                Self::transient(ErrorCode::WorkerLost, "the lease of this attempt was lost").because(error)
            }
            DbError::Refused { .. } | DbError::Internal(_) => {
                Self::transient(ErrorCode::Internal, "the worker could not write its results").because(error)
            }
        }
    }
}
