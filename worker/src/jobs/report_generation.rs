//! `report_generation`: its params are read and checked; the work itself is not there yet.

use forgeos_core::{ErrorCode, Job, JobContext, JobError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::params::{optional_id, optional_unique_ids, some_format};

/// Most analyses of one combined report.
const MAX_COMBINED: usize = 1_000;

/// Writes reports of analyses. Exactly one of `analysis_ids` and `job_id` says which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportGeneration {
    /// The analyses.
    #[serde(default, deserialize_with = "optional_unique_ids")]
    pub analysis_ids: Option<Vec<Uuid>>,
    /// A `batch_analysis` job: all of its analyses.
    #[serde(default, deserialize_with = "optional_id")]
    pub job_id: Option<Uuid>,
    /// How much stands in a report.
    #[serde(default)]
    pub template: Template,
    /// One file for each.
    #[serde(default)]
    pub formats: Option<Vec<ReportFormat>>,
    /// The language of the text.
    #[serde(default)]
    pub language: Language,
    /// One report of all analyses (at most 1,000) instead of one for each.
    #[serde(default)]
    pub combined: bool,
    /// What stands in it.
    #[serde(default)]
    pub options: ReportOptions,
}

/// How much stands in a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// The default.
    #[default]
    Standard,
    /// With every figure.
    Detailed,
    /// One page.
    Summary,
}

/// The kind of a report's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportFormat {
    /// For people.
    Pdf,
    /// For spreadsheets.
    Xlsx,
    /// For programs.
    Csv,
}

/// The language of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Norwegian.
    No,
}

/// What stands in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReportOptions {
    /// The visualizations.
    pub include_images: bool,
    /// What should be done about the findings.
    pub include_recommendations: bool,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { include_images: true, include_recommendations: true }
    }
}

/// `jobs.results` of a `report_generation` job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportResults {
    /// Files written.
    pub generated: u64,
    /// Reports that could not be written.
    pub failed: u64,
    /// The rows of `reports`.
    pub report_ids: Vec<Uuid>,
    /// The analyses whose reports failed.
    pub failed_ids: Vec<Uuid>,
    /// Why they failed.
    pub errors: Vec<ReportError>,
    /// The files.
    pub files: Vec<ReportFile>,
}

/// Why one report could not be written.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportError {
    /// The analysis.
    pub analysis_id: Uuid,
    /// A stable word.
    pub code: String,
    /// One line for people.
    pub message: String,
}

/// A report's file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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

impl Job for ReportGeneration {
    const NAME: &'static str = "report_generation";
    type Results = ReportResults;

    fn validate(&self) -> Result<(), JobError> {
        match (&self.analysis_ids, self.job_id) {
            (Some(_), Some(_)) => {
                return Err(JobError::bad_params(
                    "both `analysis_ids` and `job_id` are given; exactly one is allowed",
                ));
            }
            (None, None) => {
                return Err(JobError::bad_params("one of `analysis_ids` and `job_id` is needed"));
            }
            (Some(ids), None) if ids.is_empty() => {
                return Err(JobError::bad_params("`analysis_ids` is empty; at least one id is needed"));
            }
            (Some(ids), None) if self.combined && ids.len() > MAX_COMBINED => {
                return Err(JobError::bad_params(format!(
                    "`analysis_ids` names {} analyses; `combined` takes at most {MAX_COMBINED}",
                    ids.len()
                )));
            }
            _ => {}
        }
        some_format(self.formats.as_deref(), "`pdf`, `xlsx`, `csv`")
    }

    async fn run(&self, _ctx: &JobContext) -> Result<ReportResults, JobError> {
        Err(JobError::permanent(
            ErrorCode::NotImplemented,
            "report_generation is not implemented in this version of the worker yet",
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn check(params: Value) -> Result<(), JobError> {
        crate::dispatch::decode_params::<ReportGeneration>(Some(&params.to_string()))?.validate()
    }

    #[test]
    fn exactly_one_source_is_needed() {
        let id = Uuid::from_u128(1);
        assert!(check(json!({"analysis_ids": [id]})).is_ok());
        assert!(check(json!({"job_id": id, "analysis_ids": null})).is_ok());
        assert!(check(json!({})).is_err());
        assert!(check(json!({"job_id": id, "analysis_ids": [id]})).is_err());
        assert!(check(json!({"analysis_ids": []})).is_err());
        assert!(check(json!({"job_id": id, "formats": []})).is_err());
    }
}
