//! `training_sessions`.

use super::{
    Field,
    Kind::{Integer, Json, Real, Text, TextList, Timestamp, Uuid},
    SourceColumn,
};

pub(super) const COLUMNS: &[SourceColumn] = &[
    SourceColumn::new("id", Uuid),
    SourceColumn::new("created_at", Timestamp),
    SourceColumn::new("updated_at", Timestamp),
    SourceColumn::new("notes", Text),
    SourceColumn::flattened("data", DATA, "data_other"),
    SourceColumn::new("status", Text),
    SourceColumn::new("model_version", Text),
    SourceColumn::flattened("accuracy_metrics", ACCURACY_METRICS, "accuracy_metrics_other"),
    SourceColumn::new("user_id", Uuid),
];

const DATA: &[Field] = &[
    Field::new("data_images", &["images"], TextList),
    Field::new("data_labels", &["labels"], TextList),
    Field::new("data_groups", &["groups"], TextList),
    Field::new("data_annotations", &["annotations"], Json),
];

const ACCURACY_METRICS: &[Field] = &[
    Field::new("accuracy_metrics_accuracy", &["accuracy"], Real),
    Field::new("accuracy_metrics_precision", &["precision"], Real),
    Field::new("accuracy_metrics_recall", &["recall"], Real),
    Field::new("accuracy_metrics_f1_score", &["f1_score"], Real),
    Field::new("accuracy_metrics_confusion_matrix", &["confusion_matrix"], Json),
    Field::new("accuracy_metrics_labels", &["labels"], TextList),
    Field::new("accuracy_metrics_support", &["support"], Json),
    Field::new("accuracy_metrics_split", &["split"], Json),
    Field::new("accuracy_metrics_seed", &["seed"], Integer),
    Field::new("accuracy_metrics_intervals", &["intervals"], Json),
    Field::new("accuracy_metrics_baseline", &["baseline"], Json),
    Field::new("accuracy_metrics_warnings", &["warnings"], Json),
];
