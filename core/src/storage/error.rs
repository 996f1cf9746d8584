//! What a caller can do about a failed access to the store.

use crate::error::{ErrorCode, JobError};

use super::key::KeyError;

/// Result of an access.
pub type StorageResult<T> = Result<T, StorageError>;

/// The technical cause; may name hosts and paths, never credentials. For logs and operators, not for users.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failed access, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such object.
    #[error("there is no such file")]
    NotFound,
    /// The object is larger than the caller takes.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// What the caller takes, in bytes.
        limit: u64,
    },
    /// Not a name that an object may have.
    #[error("{0}")]
    InvalidKey(KeyError),
    /// The store cannot be reached, or is not up to it now: try again later.
    #[error("the object store cannot be reached")]
    Unavailable(#[source] Cause),
    /// The store does not accept the worker's credentials, a bucket is missing, the disk is full: an operator must mend it.
    #[error("the object store does not serve the worker: {reason}")]
    Refused {
        /// What to look at.
        reason: &'static str,
        /// The store's words.
        #[source]
        source: Cause,
    },
    /// The store does not hand out this one object.
    #[error("the object store denies access to the file")]
    Denied(#[source] Cause),
    /// The settings make no store.
    #[error("storage settings: {0}")]
    Settings(String),
}

impl StorageError {
    /// Whether waiting may help.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Refused { .. })
    }
}

impl From<KeyError> for StorageError {
    fn from(error: KeyError) -> Self {
        Self::InvalidKey(error)
    }
}

impl From<StorageError> for JobError {
    fn from(error: StorageError) -> Self {
        match &error {
            StorageError::NotFound => Self::not_found("a file of the job is not in the object store"),
            StorageError::TooLarge { limit } => Self::permanent(
                ErrorCode::TooLarge,
                format!("a file of the job is larger than {} MB", limit / 1_000_000),
            ),
            StorageError::InvalidKey(why) => Self::bad_params(why.to_string()),
            StorageError::Unavailable(_) => Self::outage(
                ErrorCode::StorageUnavailable,
                "the object store could not be reached; the job will go on when it is back",
            ),
            // Credentials are mended by an operator; until then it is an outage like any other.
            StorageError::Refused { reason, .. } => Self::outage(
                ErrorCode::StorageUnavailable,
                format!(
                    "the object store does not serve the worker ({reason}); the job will go on when an operator has \
                     mended it"
                ),
            ),
            StorageError::Denied(_) => {
                Self::permanent(ErrorCode::StorageUnavailable, "the object store denies access to a file of the job")
            }
            StorageError::Settings(_) => {
                Self::transient(ErrorCode::Internal, "the worker's storage settings are wrong")
            }
        }
        .because(error)
    }
}

/// A [`StorageError::Refused`] whose bucket somebody has to make.
pub const BUCKET_MISSING: &str = "a bucket is missing";
/// A [`StorageError::Refused`] whose keys somebody has to correct.
pub const CREDENTIALS_REFUSED: &str = "its credentials are refused";
/// A [`StorageError::Refused`] for want of room.
pub const DISK_FULL: &str = "the disk is full";
/// Why a local folder refuses.
pub(super) const FOLDER_PERMISSIONS: &str = "the folder's permissions";

/// An error of reading a file whose folders have let us through: what is refused then is this one file.
pub(super) fn classify_reading(error: object_store::Error) -> StorageError {
    match classify(error) {
        StorageError::Refused { reason: FOLDER_PERMISSIONS, source } => StorageError::Denied(source),
        other => other,
    }
}

/// Sorts an error of the store by what can be done about it.
pub(super) fn classify(error: object_store::Error) -> StorageError {
    use object_store::Error as E;
    match &error {
        // A missing bucket is a fault of the set-up, not a missing file.
        // The client says so of some requests in general terms, such as of a list.
        E::NotFound { source, .. } | E::Generic { source, .. }
            if names(source.as_ref(), &["NoSuchBucket"]) =>
        {
            StorageError::Refused { reason: BUCKET_MISSING, source: Box::new(error) }
        }
        E::NotFound { .. } => StorageError::NotFound,
        E::Unauthenticated { .. } => {
            StorageError::Refused { reason: CREDENTIALS_REFUSED, source: Box::new(error) }
        }
        // S3 answers 403 for both wrong credentials and a single object it does not hand out.
        E::PermissionDenied { source, .. } if names(source.as_ref(), CREDENTIAL_FAULTS) => {
            StorageError::Refused { reason: CREDENTIALS_REFUSED, source: Box::new(error) }
        }
        E::PermissionDenied { .. } => StorageError::Denied(Box::new(error)),
        E::Generic { source, .. } if names(source.as_ref(), CREDENTIAL_FAULTS) => {
            StorageError::Refused { reason: CREDENTIALS_REFUSED, source: Box::new(error) }
        }
        E::Generic { source, .. } => match io_error(source.as_ref()).map(std::io::Error::kind) {
            Some(std::io::ErrorKind::PermissionDenied) => {
                StorageError::Refused { reason: FOLDER_PERMISSIONS, source: Box::new(error) }
            }
            // Waiting may help, another try of the same file does not.
            Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) => {
                StorageError::Refused { reason: DISK_FULL, source: Box::new(error) }
            }
            Some(std::io::ErrorKind::FileTooLarge) => {
                StorageError::Refused { reason: "a file may not be so large there", source: Box::new(error) }
            }
            Some(std::io::ErrorKind::ReadOnlyFilesystem) => {
                StorageError::Refused { reason: "the disk is read-only", source: Box::new(error) }
            }
            Some(
                std::io::ErrorKind::NotADirectory
                | std::io::ErrorKind::IsADirectory
                | std::io::ErrorKind::InvalidFilename
                | std::io::ErrorKind::NotFound,
            ) => StorageError::NotFound,
            _ => StorageError::Unavailable(Box::new(error)),
        },
        E::InvalidPath { .. } => StorageError::InvalidKey(KeyError::ForbiddenCharacter),
        _ => StorageError::Unavailable(Box::new(error)),
    }
}

/// What S3 and Supabase call credentials that they do not accept.
const CREDENTIAL_FAULTS: &[&str] = &[
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "AuthorizationHeaderMalformed",
    "InvalidJWT",
];

/// Whether the error or one below it quotes an answer with one of the codes (the client's own error type is not
/// public). The tags matter: the text also quotes the key, which users choose, but never with `<` in it.
fn names(error: &(dyn std::error::Error + 'static), codes: &[&str]) -> bool {
    let text = error.to_string();
    codes.iter().any(|code| text.contains(&format!("<Code>{code}</Code>")))
        || error.source().is_some_and(|below| names(below, codes))
}

fn io_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e std::io::Error> {
    error.downcast_ref::<std::io::Error>().or_else(|| error.source().and_then(io_error))
}

#[cfg(test)]
mod tests {
    use object_store::Error as E;

    use super::*;

    fn not_found(words: &str) -> StorageError {
        classify(E::NotFound { path: "k".into(), source: words.into() })
    }

    fn denied(words: &str) -> StorageError {
        classify(E::PermissionDenied { path: "k".into(), source: words.into() })
    }

    #[test]
    fn a_missing_bucket_is_no_missing_file_whatever_files_are_called() {
        assert!(not_found("404: <Error><Code>NoSuchBucket</Code></Error>").is_outage());
        assert!(matches!(
            not_found(
                "GET http://s3/images/NoSuchBucket.png: <Code>NoSuchKey</Code><Key>NoSuchBucket.png</Key>"
            ),
            StorageError::NotFound
        ));
    }

    #[test]
    fn refused_credentials_are_an_outage_and_one_denied_file_is_not() {
        assert!(denied("<Code>InvalidAccessKeyId</Code>").is_outage());
        assert!(matches!(denied("<Code>AccessDenied</Code>"), StorageError::Denied(_)));
        let unauthenticated = classify(E::Unauthenticated { path: "k".into(), source: "401".into() });
        assert!(unauthenticated.is_outage());
    }

    #[test]
    fn faults_of_the_disk_are_told_apart() {
        let local = |kind: std::io::ErrorKind| {
            classify(E::Generic { store: "LocalFileSystem", source: Box::new(std::io::Error::from(kind)) })
        };
        assert!(matches!(local(std::io::ErrorKind::StorageFull), StorageError::Refused { .. }));
        assert!(local(std::io::ErrorKind::ReadOnlyFilesystem).is_outage());
        assert!(matches!(local(std::io::ErrorKind::FileTooLarge), StorageError::Refused { .. }));
        assert!(matches!(local(std::io::ErrorKind::TimedOut), StorageError::Unavailable(_)));
        assert!(matches!(local(std::io::ErrorKind::NotADirectory), StorageError::NotFound));
        assert!(matches!(local(std::io::ErrorKind::PermissionDenied), StorageError::Refused { .. }));
    }

    #[test]
    fn one_file_that_may_not_be_read_is_no_outage_but_a_folder_that_may_not_be_written_is() {
        let refused = || {
            let source = Box::new(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
            E::Generic { store: "LocalFileSystem", source }
        };
        assert!(matches!(classify_reading(refused()), StorageError::Denied(_)));
        assert!(classify(refused()).is_outage());
    }

    #[test]
    fn an_outage_makes_a_job_wait() {
        let error = JobError::from(StorageError::Unavailable("gone".into()));
        assert_eq!((error.code, error.remedy), (ErrorCode::StorageUnavailable, crate::Remedy::Wait));
        assert_eq!(error.chain().len(), 3);
    }
}
