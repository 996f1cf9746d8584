//! What a report is made of. Templates see exactly this, as JSON, with words and numbers already in the report's
//! language beside it; pictures are passed as files. Nothing here knows where the data came from.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How much stands in a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// One page: verdict, key figures, picture.
    Summary,
    /// Summary, then each analysis with pictures, indices, defects, capture quality, recommendations.
    #[default]
    Standard,
    /// Standard, and histograms, defect map, method, settings, glossary, standards.
    Detailed,
}

/// The language of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Norwegian, bokmål.
    No,
}

/// One document about one or many analyses.
#[derive(Debug, Clone)]
pub struct Report {
    /// How much stands in it.
    pub template: Template,
    /// The language of everything that is not the customer's own text.
    pub language: Language,
    /// The job that asked for it, for the footer.
    pub job_id: String,
    /// Written into the document; the only thing in it that differs from run to run.
    pub generated_at: DateTime<Utc>,
    /// Whether recommendations are given.
    pub include_recommendations: bool,
    /// Whether pictures were asked for: a page then says where one could not be had.
    pub include_images: bool,
    /// Whether several analyses were asked for in one document: it then opens with contents and statistics.
    pub combined: bool,
    /// The analyses, in the order asked for.
    pub analyses: Vec<Analysis>,
    /// What was asked for and could not be reported on.
    pub left_out: Vec<LeftOut>,
}

/// An analysis that is not in the report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LeftOut {
    /// Its id.
    pub analysis_id: String,
    /// The customer's own name of its picture, where the analysis is there and names one.
    pub filename: Option<String>,
    /// Its status, where it is there; any word at all in rows that the worker has not written.
    pub status: Option<String>,
    /// A stable word.
    pub code: String,
    /// One line for people, in English.
    pub message: String,
}

impl LeftOut {
    /// The key of the words for the reason. Where the code says no more than that the analysis is of no use, its status
    /// tells why.
    #[must_use]
    pub fn reason_key(&self) -> String {
        let word = match (self.code.as_str(), self.status.as_deref()) {
            ("dependency_failed", Some(status @ ("pending" | "processing" | "cancelled" | "failed"))) => {
                status
            }
            ("dependency_failed", Some(_)) => "not_completed",
            (code, _) => code,
        };
        format!("left_out.{word}")
    }
}

/// One analysed photograph.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// `analyses.id`.
    pub id: String,
    /// `analyses.job_id`: the batch it came from.
    pub job_id: Option<String>,
    /// When it was made; none where the row has no date that a calendar holds.
    pub created_at: Option<DateTime<Utc>>,
    /// The customer's own name of the picture: any text at all.
    pub filename: Option<String>,
    /// `analyses.metrics`.
    pub metrics: Metrics,
    /// The photograph at print size.
    pub photograph: Option<Picture>,
    /// The photograph with the findings drawn in, at print size.
    pub overlay: Option<Picture>,
    /// Whether `overlay` is the photograph alone in the colours of `forgeos-imaging`, without a strip that explains them:
    /// the report then says what they mean.
    pub overlay_needs_key: bool,
    /// Counts of the photograph's lightness in 64 equal steps from black to white, for `detailed`.
    pub lightness: Option<Vec<u32>>,
}

/// An encoded picture (JPEG or PNG). It is shown as its pixels lie: a turn that stands beside them is not regarded.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The file, shared by all who hold the report. Empty: the picture is not shown, only linked to.
    pub bytes: Arc<[u8]>,
    /// `jpg` or `png`.
    pub extension: &'static str,
    /// Where the whole picture is to be had, for tables. Shown as text where it is no `http`, `https` or `file` address.
    pub url: Option<String>,
}

/// `analyses.metrics` as far as it is there: rows that were written before the worker came have the first eight only,
/// and any of them may be missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// Coating visual index, 0 to 1.
    pub cvi: Option<f64>,
    /// Coating quality index, 0 to 1.
    pub cqi: Option<f64>,
    /// Covered share of the judged area, 0 to 100.
    pub coverage_percent: Option<f64>,
    /// Coverage of the margin over that of the interior, 0 to 1.
    pub edge_coverage_ratio: Option<f64>,
    /// Number of defects.
    pub defects_detected: Option<u64>,
    /// `low`, `medium` or `high`.
    pub severity: Option<String>,
    /// How far the figures may be trusted, 0 to 1.
    pub confidence: Option<f64>,
    /// How long the analysis took.
    pub processing_time_ms: Option<u64>,
    /// `standard` or `reference`.
    pub profile: Option<String>,
    /// `low`, `medium` or `high`.
    pub sensitivity: Option<String>,
    /// Columns of the upright photograph.
    pub width: Option<u32>,
    /// Rows of the upright photograph.
    pub height: Option<u32>,
    /// Share of the picture that was judged, 0 to 100.
    pub roi_percent: Option<f64>,
    /// The defects, largest first; at most a few hundred, `defects_detected` is the true number.
    pub defects: Option<Vec<Defect>>,
    /// How well the photograph was taken.
    pub capture: Option<Capture>,
    /// The model that was used.
    pub model_version: Option<String>,
    /// Its word.
    pub label: Option<String>,
    /// How sure it was, 0 to 1.
    pub probability: Option<f64>,
    /// What `severity` and `confidence` were before the model was heard; absent without a model.
    pub measured: Option<Measured>,
}

impl Metrics {
    /// The same without figures that lie outside what they can be: those count as not measured.
    #[must_use]
    pub fn without_the_impossible(mut self) -> Self {
        let capture = self.capture.get_or_insert_default();
        let measured = self.measured.get_or_insert_default();
        let shares = [
            &mut self.cvi,
            &mut self.cqi,
            &mut self.edge_coverage_ratio,
            &mut self.confidence,
            &mut self.probability,
            &mut capture.sharpness,
            &mut capture.lighting_evenness,
            &mut measured.confidence,
        ];
        let percents = [
            &mut self.coverage_percent,
            &mut self.roi_percent,
            &mut capture.glare_percent,
            &mut capture.clipped_percent,
        ];
        for (figures, most) in [(&mut { shares }[..], 1.0), (&mut { percents }[..], 100.0)] {
            for figure in figures {
                **figure = figure.filter(|value| (0.0..=most).contains(value));
            }
        }
        self.capture = self.capture.filter(|capture| *capture != Capture::default());
        self.measured = self.measured.filter(|measured| *measured != Measured::default());
        self
    }
}

/// What was measured besides what a model says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// `low`, `medium` or `high`.
    pub severity: Option<String>,
    /// How far the measured figures may be trusted, 0 to 1.
    pub confidence: Option<f64>,
}

/// One defect, in pixels of the upright photograph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Defect {
    /// `rust`, `crack`, `blister`, `flake`, `streak` or `bead`.
    pub class: String,
    /// Left edge of the box around it.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Share of the judged area, in percent.
    pub area_percent: f64,
    /// Mean colour distance to its surroundings, CIE 1976 ΔE.
    pub delta_e: f64,
}

/// How well the photograph was taken: each says how far the figures can be trusted, none says anything of the coating.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capture {
    /// Share of the panel that glare or mirrored lamps hide, in percent.
    pub glare_percent: Option<f64>,
    /// Share of the judged area that is black or white to the limit, in percent.
    pub clipped_percent: Option<f64>,
    /// 0 (blurred) to 1 (sharp).
    pub sharpness: Option<f64>,
    /// 0 (a lighting ramp over the whole scale) to 1 (even).
    pub lighting_evenness: Option<f64>,
}
