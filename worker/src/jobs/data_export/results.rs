//! What a `data_export` job answers.

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

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
