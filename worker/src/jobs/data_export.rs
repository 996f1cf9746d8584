//! `data_export`: its params are read and checked; the work itself is not there yet.

use forgeos_core::{ErrorCode, Job, JobContext, JobError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::params::{null_as_default, optional_unique_ids};

/// Writes rows of one table to files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataExport {
    /// The table.
    pub dataset: Dataset,
    /// One file for each; none: `csv`.
    #[serde(default)]
    pub formats: Option<Vec<ExportFormat>>,
    /// Which rows; none: all.
    #[serde(default, deserialize_with = "null_as_default")]
    pub filters: Filters,
    /// Which columns, in this order; none: all.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// How files are packed; `csv` and `jsonl` only.
    #[serde(default, deserialize_with = "null_as_default")]
    pub compression: Compression,
}

/// A table that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dataset {
    /// `analyses`.
    Analyses,
    /// `reports`.
    Reports,
    /// `jobs`.
    Jobs,
    /// `training_sessions`.
    TrainingSessions,
}

/// The kind of an export's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// For spreadsheets.
    Xlsx,
    /// For data tools.
    Parquet,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Which rows are exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filters {
    /// Rows created at or after this time: RFC 3339, `YYYY-MM-DD`, or `-Nd` for N days ago; UTC.
    pub from_date: Option<String>,
    /// Rows created before this time, in the same forms.
    pub to_date: Option<String>,
    /// Rows in this status, or in one of these.
    pub status: Option<OneOrMore>,
    /// Rows of this job.
    pub job_id: Option<Uuid>,
    /// These rows.
    #[serde(deserialize_with = "optional_unique_ids")]
    pub ids: Option<Vec<Uuid>>,
}

/// One word, or a list of words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// A list.
    More(Vec<String>),
}

/// `jobs.results` of a `data_export` job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExportResults {
    /// Rows exported.
    pub rows: u64,
    /// The files.
    pub files: Vec<ExportFile>,
}

/// An export's file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExportFile {
    /// The row of `reports`.
    pub report_id: Uuid,
    /// `csv`, `jsonl`, `xlsx` or `parquet`.
    pub format: String,
    /// The bucket it lies in.
    pub bucket: String,
    /// Its name there.
    pub key: String,
    /// Where it is reached; carries no signature.
    pub url: String,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Rows in it.
    pub rows: u64,
}

impl Job for DataExport {
    const NAME: &'static str = "data_export";
    type Results = ExportResults;

    fn validate(&self) -> Result<(), JobError> {
        let formats = self.formats.as_deref().unwrap_or(&[ExportFormat::Csv]);
        if formats.is_empty() {
            return Err(JobError::bad_params(
                "`formats` is empty; allowed: `csv`, `jsonl`, `xlsx`, `parquet`",
            ));
        }
        let packable = |format: &ExportFormat| matches!(format, ExportFormat::Csv | ExportFormat::Jsonl);
        if self.compression != Compression::None && !formats.iter().all(packable) {
            return Err(JobError::bad_params(
                "`compression` is for `csv` and `jsonl` only; the other formats are packed by themselves",
            ));
        }
        if self.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(JobError::bad_params("`columns` is empty; leave it out for all columns"));
        }
        Ok(())
    }

    async fn run(&self, _ctx: &JobContext) -> Result<ExportResults, JobError> {
        Err(JobError::permanent(
            ErrorCode::NotImplemented,
            "data_export is not implemented in this version of the worker yet",
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn check(params: Value) -> Result<(), JobError> {
        serde_json::from_value::<DataExport>(params).unwrap().validate()
    }

    #[test]
    fn packing_is_for_text_only() {
        assert!(check(json!({"dataset": "analyses", "compression": "zstd"})).is_ok());
        assert!(
            check(json!({"dataset": "jobs", "formats": ["csv", "parquet"], "compression": "gzip"})).is_err()
        );
        assert!(check(json!({"dataset": "jobs", "formats": []})).is_err());
    }

    #[test]
    fn a_status_may_be_one_word_or_several() {
        for status in [json!("failed"), json!(["failed", "completed"])] {
            assert!(check(json!({"dataset": "analyses", "filters": {"status": status}})).is_ok());
        }
    }
}
