//! Faults on the way of one image, by whom they concern: the image alone, or the whole job.

use forgeos_core::{
    ErrorCode, JobError,
    compute::ComputeError,
    db::DbError,
    storage::{KeyError, StorageError},
};
use forgeos_imaging::DecodeError;
use serde_json::{Value, json};

/// Why one image cannot be analysed, however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageFailure {
    pub(super) code: ErrorCode,
    /// One line that the image's owner may read.
    pub(super) message: String,
}

impl ImageFailure {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no image with this id")
    }

    pub(super) fn bad_name(why: KeyError) -> Self {
        Self::new(ErrorCode::NotFound, format!("the file name of its analysis leads to no image: {why}"))
    }

    /// `{"code", "message"}`, as it stands in the item and in the analysis.
    pub(super) fn to_json(&self) -> Value {
        json!({"code": self.code.as_str(), "message": self.message})
    }
}

impl From<DecodeError> for ImageFailure {
    fn from(error: DecodeError) -> Self {
        let code = match &error {
            DecodeError::UnsupportedFormat { .. } => ErrorCode::UnsupportedFormat,
            DecodeError::TooLarge { .. } => ErrorCode::TooLarge,
            DecodeError::Damaged { .. } => ErrorCode::DamagedImage,
        };
        Self::new(code, error.to_string())
    }
}

/// A fault on the way of one image.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The image fails alone.
    Image(ImageFailure),
    /// A fault of the moment: the step may be tried again.
    Moment(StorageError),
    /// The job cannot go on.
    Job(JobError),
}

impl From<ImageFailure> for Trouble {
    fn from(failure: ImageFailure) -> Self {
        Self::Image(failure)
    }
}

impl From<DecodeError> for Trouble {
    fn from(error: DecodeError) -> Self {
        Self::Image(error.into())
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
                tracing::error!(error = %error, "analysing an image panicked");
                Self::Image(ImageFailure::new(
                    ErrorCode::Panicked,
                    "the analysis of this image broke down; please report it",
                ))
            }
            ComputeError::Gone => Self::Job(
                JobError::transient(ErrorCode::Internal, "the worker's compute threads are gone")
                    .because(error),
            ),
        }
    }
}

/// A fault in reading an image.
pub(super) fn in_reading(error: StorageError) -> Trouble {
    match error {
        StorageError::NotFound => Trouble::Image(ImageFailure::not_found()),
        StorageError::TooLarge { limit } => Trouble::Image(ImageFailure::new(
            ErrorCode::TooLarge,
            format!("the file is larger than {} MB, which is the most that is read", limit / 1_000_000),
        )),
        StorageError::InvalidKey(why) => Trouble::Image(ImageFailure::bad_name(why)),
        StorageError::Denied(_) => Trouble::Image(ImageFailure::new(
            ErrorCode::StorageUnavailable,
            "the object store does not hand out this image",
        )),
        StorageError::Unavailable(_) => Trouble::Moment(error),
        StorageError::Refused { .. } | StorageError::Settings(_) => Trouble::Job(error.into()),
    }
}

/// A fault in writing a visualization; what the store refuses for one it refuses for all.
pub(super) fn in_writing(error: StorageError) -> Trouble {
    match error {
        StorageError::Unavailable(_) => Trouble::Moment(error),
        StorageError::Denied(_) | StorageError::NotFound => Trouble::Job(
            JobError::outage(
                ErrorCode::StorageUnavailable,
                "the object store does not let the worker write to bucket `outputs`; the job will go on when an operator has mended it",
            )
            .because(error),
        ),
        error => Trouble::Job(error.into()),
    }
}
