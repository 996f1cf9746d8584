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
pub(in crate::jobs) struct ImageFailure {
    pub(in crate::jobs) code: ErrorCode,
    /// One line that the image's owner may read.
    pub(in crate::jobs) message: String,
}

impl ImageFailure {
    pub(in crate::jobs) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(in crate::jobs) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no image with this id")
    }

    pub(in crate::jobs) fn bad_name(why: KeyError) -> Self {
        Self::new(ErrorCode::NotFound, format!("the file name of its analysis leads to no image: {why}"))
    }

    /// `{"code", "message"}`, as it stands in the item and in the analysis.
    pub(in crate::jobs) fn to_json(&self) -> Value {
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
pub(in crate::jobs) enum Trouble {
    /// The image fails alone.
    Image(ImageFailure),
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
                tracing::error!(error = %error, "work on an image panicked");
                Self::Image(ImageFailure::new(
                    ErrorCode::Panicked,
                    "the work on this image broke down; please report it",
                ))
            }
            ComputeError::Gone => Self::Job(
                JobError::transient(ErrorCode::Internal, "the worker's compute threads are gone")
                    .because(error),
            ),
        }
    }
}

/// A fault in reading an image, after patience.
pub(in crate::jobs) fn in_reading(error: StorageError) -> Trouble {
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
        StorageError::Unavailable(_) | StorageError::Refused { .. } | StorageError::Settings(_) => {
            Trouble::Job(error.into())
        }
    }
}
