//! What a `report_generation` job answers. Built from its items and the rows of its files, so that an attempt that went
//! on where another stopped reports all of it.

use std::collections::{BTreeMap, HashMap};

use forgeos_core::{
    ErrorCode, JobError,
    db::{items::ItemState, reports::RecordedReport},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{COMBINED, failure::ANALYSIS_CODES, params::ReportFormat};

/// `jobs.results` of a `report_generation` job; lists are in the order of the analyses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportResults {
    /// Files written.
    pub generated: u64,
    /// Analyses that are in no report.
    pub failed: u64,
    /// The rows of `reports`, one a file.
    pub report_ids: Vec<Uuid>,
    /// The analyses that are in no report.
    pub failed_ids: Vec<Uuid>,
    /// Why they are not.
    pub errors: Vec<ReportError>,
    /// The files.
    pub files: Vec<ReportFile>,
}

/// Why one analysis is in no report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportError {
    /// The analysis.
    pub analysis_id: Uuid,
    /// A stable word: `not_found`, `dependency_failed` when it is not completed, the analysis' own when it failed, …
    pub code: String,
    /// One line for people.
    pub message: String,
}

/// A report's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFile {
    /// The row of `reports`.
    pub report_id: Uuid,
    /// `pdf`, `xlsx` or `csv`.
    pub format: String,
    /// The bucket it lies in.
    pub bucket: String,
    /// Its name there.
    pub key: String,
    /// Where it is reached; carries no signature.
    pub url: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its pages, of a PDF.
    pub pages: Option<u64>,
}

impl ReportResults {
    /// Counts what is finished.
    #[must_use]
    pub fn of(items: &[ItemState], recorded: Vec<RecordedReport>) -> Self {
        let mut files: HashMap<String, Vec<RecordedReport>> = HashMap::new();
        for file in recorded {
            files.entry(file.item.clone()).or_default().push(file);
        }
        let mut results = Self::default();
        for item in items.iter().filter(|item| item.is_finished()) {
            let mut of_item = files.remove(&item.item).unwrap_or_default();
            of_item.sort_by_key(|file| format_of(&file.kind));
            if item.item == COMBINED {
                // Those that it leaves out stand with the report, or with the error when there is no report.
                let noted = of_item.first().map(|file| &file.metadata).or(item.error.as_ref());
                results.errors.extend(noted.map(left_out_of).unwrap_or_default());
            } else if item.status == "failed" {
                results.errors.extend(error_of(item));
            }
            results.files.extend(of_item.into_iter().filter_map(file_of));
        }
        results.generated = results.files.len() as u64;
        results.report_ids = results.files.iter().map(|file| file.report_id).collect();
        results.failed = results.errors.len() as u64;
        results.failed_ids = results.errors.iter().map(|error| error.analysis_id).collect();
        results
    }

    /// As JSON, for results of a job that does not complete.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// How many analyses are left out with which code, for the log: `not_found 3, damaged_image 1`.
    #[must_use]
    pub fn codes(&self) -> String {
        let mut counts = BTreeMap::<&str, u64>::new();
        for error in &self.errors {
            *counts.entry(&error.code).or_default() += 1;
        }
        counts.iter().map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The job fails only if there is no file at all.
    pub fn into_outcome(self) -> Result<Self, JobError> {
        if self.generated > 0 {
            return Ok(self);
        }
        let first = self.errors.first();
        let message = match (self.failed, first) {
            (1, Some(only)) => format!("there is no report: {}", only.message),
            (count, Some(first)) => {
                format!("there is no report of any of the {count} analyses; the first: {}", first.message)
            }
            (_, None) => "there was no analysis to report on".to_owned(),
        };
        // The analyses' own code when they agree on one.
        let code = first
            .filter(|first| self.errors.iter().all(|error| error.code == first.code))
            .and_then(|first| ANALYSIS_CODES.into_iter().find(|code| code.as_str() == first.code))
            .unwrap_or(ErrorCode::NothingToDo);
        let results = self.to_json();
        Err(JobError::permanent(code, message).with_results(results))
    }
}

fn format_of(kind: &str) -> Option<usize> {
    ReportFormat::ALL.iter().position(|format| format.artifact_kind() == kind)
}

fn file_of(file: RecordedReport) -> Option<ReportFile> {
    let format = ReportFormat::ALL[format_of(&file.kind)?];
    Some(ReportFile {
        report_id: file.id,
        format: format.as_str().to_owned(),
        bucket: file.bucket,
        key: file.key,
        url: file.url.unwrap_or_default(),
        size_bytes: u64::try_from(file.size_bytes).unwrap_or_default(),
        pages: file.metadata.get("pages").and_then(Value::as_u64).filter(|_| format == ReportFormat::Pdf),
    })
}

fn error_of(item: &ItemState) -> Option<ReportError> {
    let text = |key: &str| item.error.as_ref().and_then(|error| error.get(key)).and_then(Value::as_str);
    Some(ReportError {
        analysis_id: item.item.parse().ok()?,
        code: text("code").unwrap_or(ErrorCode::Internal.as_str()).to_owned(),
        message: text("message").unwrap_or("no reason was noted").to_owned(),
    })
}

fn left_out_of(noted: &Value) -> Vec<ReportError> {
    noted.get("left_out").and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn item(name: &str, status: &str, error: Option<Value>) -> ItemState {
        ItemState { item: name.to_owned(), status: status.to_owned(), result_id: None, error }
    }

    fn file(item: &str, kind: &str, metadata: Value) -> RecordedReport {
        RecordedReport {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{item}{kind}").as_bytes()),
            item: item.to_owned(),
            kind: kind.to_owned(),
            bucket: "reports".to_owned(),
            key: format!("k/{item}"),
            size_bytes: 9,
            url: Some("file:///k".to_owned()),
            metadata,
        }
    }

    #[test]
    fn one_file_makes_a_good_job() {
        let (a, b) = (Uuid::from_u128(1).to_string(), Uuid::from_u128(2).to_string());
        let items = [
            item(&a, "completed", None),
            item(&b, "failed", Some(json!({"code": "not_found", "message": "gone"}))),
            item(&Uuid::from_u128(3).to_string(), "pending", None),
        ];
        let files =
            vec![file(&a, "report_csv", json!({"pages": 0})), file(&a, "report_pdf", json!({"pages": 2}))];
        let results = ReportResults::of(&items, files).into_outcome().unwrap();
        assert_eq!((results.generated, results.failed), (2, 1));
        let formats: Vec<_> = results.files.iter().map(|f| (f.format.as_str(), f.pages)).collect();
        assert_eq!(formats, [("pdf", Some(2)), ("csv", None)]);
        assert_eq!(results.failed_ids, [Uuid::from_u128(2)]);
        assert_eq!(results.errors[0].message, "gone");
    }

    #[test]
    fn a_combined_report_tells_what_it_leaves_out() {
        let left_out = json!([{"analysis_id": Uuid::from_u128(5), "code": "not_found", "message": "m"}]);
        let files = vec![file(COMBINED, "report_pdf", json!({"pages": 1, "left_out": left_out}))];
        let results = ReportResults::of(&[item(COMBINED, "completed", None)], files);
        assert_eq!((results.generated, results.failed_ids), (1, vec![Uuid::from_u128(5)]));

        let error = json!({"code": "not_found", "message": "m", "left_out": left_out});
        let failed = ReportResults::of(&[item(COMBINED, "failed", Some(error))], Vec::new());
        let error = failed.into_outcome().unwrap_err();
        assert_eq!(error.code, ErrorCode::NotFound);
        assert_eq!(error.message, "there is no report: m");
        assert_eq!(error.partial_results.unwrap()["failed"], 1);
    }

    #[test]
    fn different_reasons_make_a_job_that_had_nothing_to_do() {
        let failed = |n: u128, code: &str| {
            item(&Uuid::from_u128(n).to_string(), "failed", Some(json!({"code": code, "message": "m"})))
        };
        let results = ReportResults::of(&[failed(1, "not_found"), failed(2, "damaged_image")], Vec::new());
        assert_eq!(results.codes(), "damaged_image 1, not_found 1");
        assert_eq!(results.into_outcome().unwrap_err().code, ErrorCode::NothingToDo);
    }
}
