//! What a `data_export` job is asked for: typed, checked, and turned into rows, columns and files to read and write.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use forgeos_core::{
    JobError,
    db::exports::{RowFilter, Table},
    error::in_one_line,
    ids::UserId,
};
use forgeos_exporting::{Audience, Compression as Packing, Dataset as Columns, Format, Output, Selection};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use uuid::Uuid;

use super::columns;
use crate::jobs::params::{optional_id, optional_unique_ids, some_format};

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
    /// Rows created at or after this time: RFC 3339, `YYYY-MM-DD`, or `-Nd` for the
    /// day N days before that of the job's first start; a day begins at midnight, UTC.
    pub from_date: Option<String>,
    /// Rows created before this time, in the same forms.
    pub to_date: Option<String>,
    /// Rows in this status, or in one of these. Reports have none.
    pub status: Option<OneOrMore>,
    /// Rows of this job: its analyses; the reports that it wrote or that are about its analyses; itself. Training
    /// sessions have none.
    #[serde(deserialize_with = "optional_id")]
    pub job_id: Option<Uuid>,
    /// These rows.
    #[serde(deserialize_with = "optional_unique_ids")]
    pub ids: Option<Vec<Uuid>>,
}

impl Filters {
    /// The rows that are meant. `now` is the day from which `-Nd` counts.
    fn rows(&self, table: Table, owner: Option<UserId>, now: DateTime<Utc>) -> Result<RowFilter, JobError> {
        let (from, to) = (
            read("from_date", self.from_date.as_deref(), now)?,
            read("to_date", self.to_date.as_deref(), now)?,
        );
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(JobError::bad_params("params.filters: `from_date` must be before `to_date`"));
        }
        if self.job_id.is_some() && !table.has_job() {
            return Err(no_such_filter(table, "job_id"));
        }
        if self.ids.as_ref().is_some_and(Vec::is_empty) {
            return Err(JobError::bad_params("params.filters.ids: is empty; leave it out for all"));
        }
        let statuses = self.status.as_ref().map(|status| status.words(table)).transpose()?;
        Ok(RowFilter { owner, from, to, statuses, job: self.job_id, ids: self.ids.clone() })
    }
}

/// A filter that the rows of this table cannot have.
fn no_such_filter(table: Table, filter: &str) -> JobError {
    let has_status = !table.statuses().is_empty();
    let allowed: Vec<_> = [
        Some("from_date"),
        Some("to_date"),
        has_status.then_some("status"),
        table.has_job().then_some("job_id"),
        Some("ids"),
    ]
    .into_iter()
    .flatten()
    .collect();
    JobError::bad_params(format!(
        "params.filters.{filter}: `{}` cannot be filtered by it; allowed: {}",
        table.as_str(),
        allowed.join(", ")
    ))
}

fn read(name: &str, text: Option<&str>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, JobError> {
    let Some(text) = text else { return Ok(None) };
    point_in_time(text, now).map(Some).ok_or_else(|| {
        JobError::bad_params(format!(
            "params.filters.{name}: must be a time like 2026-01-31T08:00:00Z, a day like 2026-01-31 or a number of \
             days ago like -7d (at most -{MOST_DAYS_AGO}d), not `{}`",
            in_one_line(text, 40)
        ))
    })
}

/// The days that `-Nd` goes back at most: some 270 years, more than any table does.
const MOST_DAYS_AGO: u64 = 100_000;

/// RFC 3339, or the first moment of a day in UTC: `YYYY-MM-DD`, or `-Nd`, N days before the day of `now`.
///
/// Whole days, so that exports that run every night, some seconds earlier or some hours later than the last one,
/// neither leave rows out nor have them twice: yesterday is `-1d` to `-0d` at any time of today.
fn point_in_time(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some(days) = text.strip_prefix('-').and_then(|rest| rest.strip_suffix('d')) {
        let digits = !days.is_empty() && days.bytes().all(|b| b.is_ascii_digit());
        let days = digits.then(|| days.parse().ok()).flatten().filter(|days| *days <= MOST_DAYS_AGO)?;
        let day = now.date_naive().checked_sub_days(Days::new(days))?;
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    // chrono would also take `2026-1-31` and blanks.
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|day| day.to_string() == text && day.year() >= 0)?;
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

impl OneOrMore {
    /// The words, each of which must be a status of the table.
    fn words(&self, table: Table) -> Result<Vec<String>, JobError> {
        let known = table.statuses();
        if known.is_empty() {
            return Err(no_such_filter(table, "status"));
        }
        let words = match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::More(words) => words,
        };
        if words.is_empty() {
            return Err(JobError::bad_params("params.filters.status: is empty; leave it out for all"));
        }
        match words.iter().find(|word| !known.contains(&word.as_str())) {
            Some(word) => Err(JobError::bad_params(format!(
                "params.filters.status: `{}` is no status of `{}`; allowed: {}",
                in_one_line(word, 40),
                table.as_str(),
                known.join(", ")
            ))),
            None => Ok(words.to_vec()),
        }
    }
}

impl Dataset {
    /// The table that is read.
    pub(super) fn table(self) -> Table {
        match self {
            Self::Analyses => Table::Analyses,
            Self::Reports => Table::Reports,
            Self::Jobs => Table::Jobs,
            Self::TrainingSessions => Table::TrainingSessions,
        }
    }

    /// The columns that are written.
    fn columns(self) -> Columns {
        match self {
            Self::Analyses => Columns::Analyses,
            Self::Reports => Columns::Reports,
            Self::Jobs => Columns::Jobs,
            Self::TrainingSessions => Columns::TrainingSessions,
        }
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Jsonl => Self::Jsonl,
            ExportFormat::Xlsx => Self::Xlsx,
            ExportFormat::Parquet => Self::Parquet,
        }
    }
}

impl From<Compression> for Packing {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::Gzip,
            Compression::Zstd => Self::Zstd,
        }
    }
}

impl DataExport {
    /// What can be said without knowing for whom it is.
    pub(super) fn check(&self) -> Result<(), JobError> {
        some_format(self.formats.as_deref(), "`csv`, `jsonl`, `xlsx`, `parquet`")?;
        if self.compression != Compression::None
            && !self.outputs().iter().all(|output| output.format.is_packable())
        {
            return Err(JobError::bad_params(
                "`compression` is for `csv` and `jsonl` only; the other formats are packed by themselves",
            ));
        }
        if self.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(JobError::bad_params("`columns` is empty; leave it out for all columns"));
        }
        self.rows(None, Utc::now()).map(drop)
    }

    /// The rows; `now` is the moment from which `-Nd` counts, by the database's clock.
    pub(super) fn rows(&self, owner: Option<UserId>, now: DateTime<Utc>) -> Result<RowFilter, JobError> {
        self.filters.rows(self.dataset.table(), owner, now)
    }

    /// The columns. A user's export has none that are internal.
    pub(super) fn selection(&self, owner: Option<UserId>) -> Result<Selection, JobError> {
        let audience = if owner.is_some() { Audience::User } else { Audience::Service };
        Selection::new(self.dataset.columns(), audience, self.columns.as_deref())
            .map_err(|error| columns::refused(audience, &error))
    }

    /// The files, each format once.
    pub(super) fn outputs(&self) -> Vec<Output> {
        let mut outputs: Vec<Output> = Vec::new();
        for &format in self.formats.as_deref().unwrap_or(&[ExportFormat::Csv]) {
            let output = Output { format: format.into(), compression: self.compression.into() };
            if !outputs.contains(&output) {
                outputs.push(output);
            }
        }
        outputs
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn check(params: Value) -> Result<(), JobError> {
        crate::dispatch::decode_params::<DataExport>(Some(&params.to_string()))?.check()
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
    fn null_counts_as_absent() {
        let params = json!({"dataset": "jobs", "formats": null, "filters": null, "columns": null, "compression": null});
        check(params).unwrap();
        let filters =
            json!({"from_date": null, "to_date": null, "status": null, "job_id": null, "ids": null});
        check(json!({"dataset": "jobs", "filters": filters})).unwrap();
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
            ("-7d", Some("2026-02-23 00:00:00 UTC")),
            ("-0d", Some("2026-03-02 00:00:00 UTC")),
            ("yesterday", None),
            ("2026-1-31", None),
            ("2026-02-30", None),
            ("--7d", None),
            ("-d", None),
            ("-100000d", Some("1752-05-17 00:00:00 UTC")),
            ("-100001d", None),
            ("-4000-01-01", None),
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
            (json!({"from_date": "-99999999d"}), "at most -100000d"),
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
