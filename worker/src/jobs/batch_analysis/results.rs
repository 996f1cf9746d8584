//! What a `batch_analysis` job answers. Built from its items, so that an attempt that went on where another stopped
//! reports the whole batch.

use std::collections::BTreeMap;

use forgeos_core::{ErrorCode, JobError, db::items::ItemState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// `jobs.results` of a `batch_analysis` job; lists are in the order of `image_ids`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchResults {
    /// Images that were dealt with: `successful` and `failed` together.
    pub processed: u64,
    /// Images that were analysed.
    pub successful: u64,
    /// Images that could not be analysed.
    pub failed: u64,
    /// The completed rows of `analyses`.
    pub analysis_ids: Vec<Uuid>,
    /// The image ids that failed.
    pub failed_ids: Vec<Uuid>,
    /// Why they failed.
    pub errors: Vec<ImageError>,
}

/// Why one image could not be analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageError {
    /// The image id as it was given.
    pub image_id: Uuid,
    /// A stable word: `not_found`, `unsupported_format`, `too_large`, `damaged_image`, `timed_out`, `panicked`, …
    pub code: String,
    /// One line for people.
    pub message: String,
}

impl BatchResults {
    /// Counts what is finished.
    #[must_use]
    pub fn of(items: &[ItemState]) -> Self {
        let mut results = Self::default();
        for item in items.iter().filter(|item| item.is_finished()) {
            results.processed += 1;
            if item.status == "completed" {
                results.successful += 1;
                results.analysis_ids.extend(item.result_id);
                continue;
            }
            results.failed += 1;
            let Ok(image_id) = item.item.parse() else { continue };
            let text = |key: &str| item.error.as_ref().and_then(|e| e.get(key)).and_then(Value::as_str);
            results.failed_ids.push(image_id);
            results.errors.push(ImageError {
                image_id,
                code: text("code").unwrap_or(ErrorCode::Internal.as_str()).to_owned(),
                message: text("message").unwrap_or("no reason was noted").to_owned(),
            });
        }
        results
    }

    /// As JSON, for results of a job that does not complete.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// How many images failed with which code, for the log: `not_found 3, too_large 1`.
    #[must_use]
    pub fn codes(&self) -> String {
        let mut counts = BTreeMap::<&str, u64>::new();
        for error in &self.errors {
            *counts.entry(&error.code).or_default() += 1;
        }
        counts.iter().map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The job fails only if every image did.
    pub fn into_outcome(self) -> Result<Self, JobError> {
        if self.successful > 0 {
            return Ok(self);
        }
        let first = self.errors.first();
        let message = match (self.failed, first) {
            (1, Some(only)) => format!("the image could not be analysed: {}", only.message),
            (count, Some(first)) => {
                format!("none of the {count} images could be analysed; the first: {}", first.message)
            }
            (_, None) => "there was no image to analyse".to_owned(),
        };
        // The images' own code when they agree on one.
        let code = first
            .filter(|first| self.errors.iter().all(|error| error.code == first.code))
            .and_then(|first| IMAGE_CODES.into_iter().find(|code| code.as_str() == first.code))
            .unwrap_or(ErrorCode::NothingToDo);
        let results = self.to_json();
        Err(JobError::permanent(code, message).with_results(results))
    }
}

/// The codes that an image may fail with.
const IMAGE_CODES: [ErrorCode; 8] = [
    ErrorCode::NotFound,
    ErrorCode::UnsupportedFormat,
    ErrorCode::TooLarge,
    ErrorCode::DamagedImage,
    ErrorCode::TimedOut,
    ErrorCode::Panicked,
    ErrorCode::StorageUnavailable,
    ErrorCode::Internal,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn item(n: u128, status: &str, code: Option<&str>) -> ItemState {
        ItemState {
            item: Uuid::from_u128(n).to_string(),
            status: status.to_owned(),
            result_id: Some(Uuid::from_u128(100 + n)),
            error: code.map(|code| json!({"code": code, "message": format!("about {n}")})),
        }
    }

    #[test]
    fn failures_are_counted_by_code() {
        let failed = |n, code| item(n, "failed", Some(code));
        let items = [failed(1, "too_large"), failed(2, "not_found"), failed(3, "not_found")];
        assert_eq!(BatchResults::of(&items).codes(), "not_found 2, too_large 1");
    }

    #[test]
    fn one_good_image_makes_a_good_job() {
        let items = [
            item(1, "failed", Some("not_found")),
            item(2, "completed", None),
            item(3, "running", None),
            item(4, "cancelled", None),
        ];
        let results = BatchResults::of(&items).into_outcome().unwrap();
        assert_eq!((results.processed, results.successful, results.failed), (2, 1, 1));
        assert_eq!(results.analysis_ids, [Uuid::from_u128(102)]);
        assert_eq!(results.failed_ids, [Uuid::from_u128(1)]);
        assert_eq!(results.errors[0].message, "about 1");
    }

    #[test]
    fn a_job_without_a_good_image_fails_with_its_results() {
        let same = [item(1, "failed", Some("damaged_image")), item(2, "failed", Some("damaged_image"))];
        let error = BatchResults::of(&same).into_outcome().unwrap_err();
        assert_eq!(error.code, ErrorCode::DamagedImage);
        assert_eq!(error.message, "none of the 2 images could be analysed; the first: about 1");
        assert_eq!(error.partial_results.unwrap()["failed"], 2);

        let mixed = [item(1, "failed", Some("not_found")), item(2, "failed", Some("too_large"))];
        assert_eq!(BatchResults::of(&mixed).into_outcome().unwrap_err().code, ErrorCode::NothingToDo);
    }
}
