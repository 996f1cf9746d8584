//! What a `report_generation` job may be asked for.

use forgeos_core::JobError;
use forgeos_reporting::model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::jobs::params::{optional_id, optional_unique_ids, some_format};

/// Most analyses of one combined report.
pub const MAX_COMBINED: usize = 1_000;
/// Most analyses of one job: as many as a batch may have.
pub const MAX_ANALYSES: usize = 10_000;

/// Writes reports of analyses. Exactly one of `analysis_ids` and `job_id` says which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportGeneration {
    /// The analyses, in the order in which they are reported on. A duplicate counts once.
    #[serde(default, deserialize_with = "optional_unique_ids")]
    #[schemars(length(min = 1, max = 10_000))]
    pub analysis_ids: Option<Vec<Uuid>>,
    /// A `batch_analysis` job: all of its analyses, in the order of its images. While it is under way the report waits for
    /// it, at most 24 hours.
    #[serde(default, deserialize_with = "optional_id")]
    pub job_id: Option<Uuid>,
    /// How much stands in a report.
    #[serde(default)]
    pub template: Template,
    /// The kinds of files that each report is written as; `["pdf"]` when it is left out.
    #[serde(default)]
    #[schemars(extend("default" = ["pdf"]))]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// A summary, then each analysis with pictures, indices, defects and recommendations.
    #[default]
    Standard,
    /// Standard, and histograms, defect maps, method, settings, glossary and standards.
    Detailed,
    /// One page: verdict, key figures, picture.
    Summary,
}

/// The kind of a report's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportFormat {
    /// To read and to print.
    Pdf,
    /// To sort and to filter.
    Xlsx,
    /// For programs: one row an analysis, whatever the template and the language.
    Csv,
}

/// The language of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Norwegian.
    No,
}

/// What stands in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReportOptions {
    /// The photographs and the visualizations.
    pub include_images: bool,
    /// What should be done about the findings.
    pub include_recommendations: bool,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { include_images: true, include_recommendations: true }
    }
}

impl ReportFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Xlsx, Self::Csv];

    /// Its word, which is the file's ending too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }

    /// `artifacts.kind` of such a file.
    #[must_use]
    pub fn artifact_kind(self) -> &'static str {
        match self {
            Self::Pdf => "report_pdf",
            Self::Xlsx => "report_xlsx",
            Self::Csv => "report_csv",
        }
    }

    /// Its MIME type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
        }
    }
}

impl Template {
    /// `reports.template`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Detailed => "detailed",
            Self::Summary => "summary",
        }
    }
}

impl From<Template> for model::Template {
    fn from(template: Template) -> Self {
        match template {
            Template::Standard => Self::Standard,
            Template::Detailed => Self::Detailed,
            Template::Summary => Self::Summary,
        }
    }
}

impl Language {
    /// The language's code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::No => "no",
        }
    }
}

impl From<Language> for model::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::No => Self::No,
        }
    }
}

impl ReportGeneration {
    /// The formats, each once, in the order asked for.
    pub(super) fn formats(&self) -> Vec<ReportFormat> {
        let asked = self.formats.as_deref().unwrap_or(&[ReportFormat::Pdf]);
        let mut formats = Vec::with_capacity(ReportFormat::ALL.len());
        for format in asked {
            if !formats.contains(format) {
                formats.push(*format);
            }
        }
        formats
    }

    pub(super) fn check(&self) -> Result<(), JobError> {
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
            (Some(ids), None) if ids.len() > MAX_ANALYSES => {
                return Err(JobError::bad_params(format!(
                    "`analysis_ids` names {} analyses; at most {MAX_ANALYSES} are allowed, split the job",
                    ids.len()
                )));
            }
            _ => {}
        }
        some_format(self.formats.as_deref(), "`pdf`, `xlsx`, `csv`")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn check(params: Value) -> Result<(), JobError> {
        crate::dispatch::decode_params::<ReportGeneration>(Some(&params.to_string()))?.check()
    }

    #[test]
    fn the_schema_says_what_holds_where_nothing_is_asked_for() {
        let schema = schemars::schema_for!(ReportGeneration).to_value();
        let properties = &schema["properties"];
        for (param, default) in [
            ("template", json!("standard")),
            ("language", json!("en")),
            ("formats", json!(["pdf"])),
            ("combined", json!(false)),
            ("options", json!({"include_images": true, "include_recommendations": true})),
        ] {
            assert_eq!(properties[param]["default"], default, "{param}: {schema}");
        }
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

    #[test]
    fn the_number_of_analyses_is_limited() {
        let ids = |count: u128| (0..count).map(Uuid::from_u128).collect::<Vec<_>>();
        assert!(check(json!({"analysis_ids": ids(1_000), "combined": true})).is_ok());
        assert!(check(json!({"analysis_ids": ids(1_001), "combined": true})).is_err());
        assert!(check(json!({"analysis_ids": ids(10_000)})).is_ok());
        assert!(check(json!({"analysis_ids": ids(10_001)})).unwrap_err().message.contains("10001"));
    }

    #[test]
    fn a_format_named_twice_is_written_once() {
        let params = json!({"analysis_ids": [Uuid::nil()], "formats": ["csv", "pdf", "csv"]});
        let params: ReportGeneration = crate::dispatch::decode_params(Some(&params.to_string())).unwrap();
        assert_eq!(params.formats(), [ReportFormat::Csv, ReportFormat::Pdf]);
    }
}
