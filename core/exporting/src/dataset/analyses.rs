//! `analyses`.

use super::{
    Field,
    Kind::{Integer, Json, Real, Text, Timestamp, Uuid},
    SourceColumn,
};

pub(super) const COLUMNS: &[SourceColumn] = &[
    SourceColumn::new("id", Uuid),
    SourceColumn::new("created_at", Timestamp),
    SourceColumn::new("filename", Text),
    SourceColumn::new("output_filename", Text),
    SourceColumn::flattened("metrics", METRICS, "metrics_other"),
    SourceColumn::new("status", Text),
    SourceColumn::new("user_id", Uuid),
    SourceColumn::new("job_id", Uuid),
];

const METRICS: &[Field] = &[
    Field::new("metrics_cvi", &["cvi"], Real),
    Field::new("metrics_cqi", &["cqi"], Real),
    Field::new("metrics_coverage_percent", &["coverage_percent"], Real),
    Field::new("metrics_edge_coverage_ratio", &["edge_coverage_ratio"], Real),
    Field::new("metrics_defects_detected", &["defects_detected"], Integer),
    Field::new("metrics_severity", &["severity"], Text),
    Field::new("metrics_confidence", &["confidence"], Real),
    Field::new("metrics_processing_time_ms", &["processing_time_ms"], Integer),
    Field::new("metrics_profile", &["profile"], Text),
    Field::new("metrics_sensitivity", &["sensitivity"], Text),
    Field::new("metrics_width", &["width"], Integer),
    Field::new("metrics_height", &["height"], Integer),
    Field::new("metrics_roi_percent", &["roi_percent"], Real),
    Field::new("metrics_model_version", &["model_version"], Text),
    Field::new("metrics_label", &["label"], Text),
    Field::new("metrics_probability", &["probability"], Real),
    Field::new("metrics_capture_glare_percent", &["capture", "glare_percent"], Real),
    Field::new("metrics_capture_clipped_percent", &["capture", "clipped_percent"], Real),
    Field::new("metrics_capture_sharpness", &["capture", "sharpness"], Real),
    Field::new("metrics_capture_lighting_evenness", &["capture", "lighting_evenness"], Real),
    Field::new("metrics_error_code", &["error", "code"], Text),
    Field::new("metrics_error_message", &["error", "message"], Text),
    Field::new("metrics_defects", &["defects"], Json),
];
