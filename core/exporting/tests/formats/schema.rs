//! The columns that clients rely on. A change here is a change of the public contract.

use forgeos_exporting::{Audience, Dataset, Format, Selection};

fn flat(dataset: Dataset, audience: Audience) -> String {
    let selection = Selection::new(dataset, audience, None).unwrap();
    selection
        .columns(Format::Csv)
        .iter()
        .map(|column| format!("{} {:?}", column.name, column.kind))
        .collect::<Vec<_>>()
        .join("\n")
}

fn keys(dataset: Dataset, audience: Audience) -> Vec<&'static str> {
    let selection = Selection::new(dataset, audience, None).unwrap();
    selection.columns(Format::Jsonl).iter().map(|column| column.name).collect()
}

#[test]
fn analyses() {
    let expected = "\
id Uuid
created_at Timestamp
filename Text
output_filename Text
metrics_cvi Real
metrics_cqi Real
metrics_coverage_percent Real
metrics_edge_coverage_ratio Real
metrics_defects_detected Integer
metrics_severity Text
metrics_confidence Real
metrics_processing_time_ms Integer
metrics_profile Text
metrics_sensitivity Text
metrics_width Integer
metrics_height Integer
metrics_roi_percent Real
metrics_model_version Text
metrics_label Text
metrics_probability Real
metrics_capture_glare_percent Real
metrics_capture_clipped_percent Real
metrics_capture_sharpness Real
metrics_capture_lighting_evenness Real
metrics_error_code Text
metrics_error_message Text
metrics_defects Json
metrics_other Json
status Text
user_id Uuid
job_id Uuid";
    assert_eq!(flat(Dataset::Analyses, Audience::User), expected);
    assert_eq!(flat(Dataset::Analyses, Audience::Service), expected);
    let keys = keys(Dataset::Analyses, Audience::User);
    assert_eq!(
        keys,
        ["id", "created_at", "filename", "output_filename", "metrics", "status", "user_id", "job_id"]
    );
}

#[test]
fn reports() {
    let expected = "\
id Uuid
created_at Timestamp
analysis_id Uuid
url Text
metadata_pages Integer
metadata_size_bytes Integer
metadata_format Text
metadata_generated_at Timestamp
metadata_includes_images Boolean
metadata_language Text
metadata_rows Integer
metadata_sha256 Text
metadata_dataset Text
metadata_compression Text
metadata_other Json
template Text
user_id Uuid";
    assert_eq!(flat(Dataset::Reports, Audience::User), expected);
    assert_eq!(flat(Dataset::Reports, Audience::Service), expected);
}

#[test]
fn jobs_of_users() {
    let expected = "\
id Uuid
created_at Timestamp
updated_at Timestamp
status Text
job_type Text
params Json
results Json
results_processed Integer
results_successful Integer
results_failed Integer
results_generated Integer
results_rows Integer
results_training_session_id Uuid
results_model_version Text
error_message Text
user_id Uuid
priority Integer
run_at Timestamp
attempt Integer
max_attempts Integer
started_at Timestamp
completed_at Timestamp
progress_phase Text
progress_done Integer
progress_total Integer
progress_percent Integer
progress_other Json
error_code Text
unique_key Text";
    assert_eq!(flat(Dataset::Jobs, Audience::User), expected);
}

#[test]
fn jobs_of_the_service_have_the_internals_too() {
    let users = keys(Dataset::Jobs, Audience::User);
    let service = keys(Dataset::Jobs, Audience::Service);
    let internals: Vec<_> = service.iter().copied().filter(|name| !users.contains(name)).collect();
    assert_eq!(internals, ["attempts_forgiven", "crashes", "locked_by", "locked_until", "traceparent"]);
}

#[test]
fn training_sessions() {
    let expected = "\
id Uuid
created_at Timestamp
updated_at Timestamp
notes Text
data_images TextList
data_labels TextList
data_groups TextList
data_annotations Json
data_other Json
status Text
model_version Text
accuracy_metrics_accuracy Real
accuracy_metrics_precision Real
accuracy_metrics_recall Real
accuracy_metrics_f1_score Real
accuracy_metrics_confusion_matrix Json
accuracy_metrics_labels TextList
accuracy_metrics_support Json
accuracy_metrics_split Json
accuracy_metrics_seed Integer
accuracy_metrics_intervals Json
accuracy_metrics_baseline Json
accuracy_metrics_warnings Json
accuracy_metrics_other Json
user_id Uuid";
    assert_eq!(flat(Dataset::TrainingSessions, Audience::User), expected);
    assert_eq!(flat(Dataset::TrainingSessions, Audience::Service), expected);
}
