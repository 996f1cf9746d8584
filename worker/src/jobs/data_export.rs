//! `data_export`: its params are read and checked; the work itself is not there yet.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use forgeos_core::{ErrorCode, Job, JobContext, JobError, error::in_one_line};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use uuid::Uuid;

use super::params::{optional_id, optional_unique_ids, some_format};

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
    #[serde(default)]
    pub filters: Filters,
    /// Which columns, in this order; none: all.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// How files are packed; `csv` and `jsonl` only.
    #[serde(default)]
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
    #[serde(deserialize_with = "optional_id")]
    pub job_id: Option<Uuid>,
    /// These rows.
    #[serde(deserialize_with = "optional_unique_ids")]
    pub ids: Option<Vec<Uuid>>,
}

impl Filters {
    fn check(&self, now: DateTime<Utc>) -> Result<(), JobError> {
        let read = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            point_in_time(text, now).map(Some).ok_or_else(|| {
                JobError::bad_params(format!(
                    "params.filters.{name}: must be a time like 2026-01-31T08:00:00Z, a day like 2026-01-31 or a \
                     number of days ago like -7d, not `{}`",
                    in_one_line(text, 40)
                ))
            })
        };
        if let (Some(from), Some(to)) = (read("from_date", &self.from_date)?, read("to_date", &self.to_date)?)
            && from >= to
        {
            return Err(JobError::bad_params("params.filters: `from_date` must be before `to_date`"));
        }
        match &self.status {
            Some(OneOrMore::More(words)) if words.is_empty() => {
                Err(JobError::bad_params("params.filters.status: is empty; leave it out for all"))
            }
            _ => Ok(()),
        }
    }
}

/// RFC 3339, `YYYY-MM-DD` (its first moment) or `-Nd`, N days before `now`; in UTC.
fn point_in_time(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some(days) = text.strip_prefix('-').and_then(|rest| rest.strip_suffix('d')) {
        let digits = !days.is_empty() && days.bytes().all(|b| b.is_ascii_digit());
        let days = digits.then(|| days.parse().ok()).flatten()?;
        return now.checked_sub_days(Days::new(days));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    // chrono would also take `2026-1-31` and blanks.
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text)?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// One word, or a list of words.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// A list.
    More(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMore {
    // Not derived: the error would not say what is wanted.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) => Some(Self::One(word)),
            Value::Array(words) => {
                let words = words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>();
                words.map(Self::More)
            }
            _ => None,
        }
        .ok_or_else(|| D::Error::custom("must be a string or an array of strings"))
    }
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
        some_format(self.formats.as_deref(), "`csv`, `jsonl`, `xlsx`, `parquet`")?;
        let packable = |format: &ExportFormat| matches!(format, ExportFormat::Csv | ExportFormat::Jsonl);
        if self.compression != Compression::None && !formats.iter().all(packable) {
            return Err(JobError::bad_params(
                "`compression` is for `csv` and `jsonl` only; the other formats are packed by themselves",
            ));
        }
        if self.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(JobError::bad_params("`columns` is empty; leave it out for all columns"));
        }
        self.filters.check(Utc::now())
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
        crate::dispatch::decode_params::<DataExport>(Some(&params.to_string()))?.validate()
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

    #[test]
    fn dates_have_one_of_three_forms() {
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-01-31T08:00:00Z", Some("2026-01-31 08:00:00 UTC")),
            ("2026-01-31T08:00:00+02:00", Some("2026-01-31 06:00:00 UTC")),
            ("2026-01-31", Some("2026-01-31 00:00:00 UTC")),
            ("-7d", Some("2026-02-23 10:00:00 UTC")),
            ("-0d", Some("2026-03-02 10:00:00 UTC")),
            ("yesterday", None),
            ("2026-1-31", None),
            ("2026-02-30", None),
            ("--7d", None),
            ("-d", None),
            ("-99999999999999999999d", None),
            ("-9999999999d", None),
            ("", None),
        ] {
            assert_eq!(point_in_time(text, now).map(|t| t.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn filters_are_checked() {
        let filtered = |filters: Value| check(json!({"dataset": "jobs", "filters": filters}));
        for good in [
            json!({"from_date": "-7d", "to_date": null}),
            json!({"from_date": "2026-01-01", "to_date": "2026-02-01", "status": "failed"}),
            json!({"status": ["failed", "cancelled"], "job_id": Uuid::nil(), "ids": [Uuid::nil()]}),
        ] {
            filtered(good).unwrap();
        }
        for (bad, word) in [
            (json!({"from_date": "yesterday"}), "filters.from_date: must be a time"),
            (json!({"from_date": "2026-02-01", "to_date": "2026-02-01"}), "before"),
            (json!({"status": 3}), "filters.status: must be a string or an array"),
            (json!({"status": []}), "filters.status"),
            (json!({"job_id": "x"}), "filters.job_id: must be a UUID"),
        ] {
            let message = filtered(bad).unwrap_err().message;
            assert!(message.contains(word), "{message}");
        }
    }
}
