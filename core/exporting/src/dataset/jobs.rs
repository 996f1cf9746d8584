//! `jobs`. The lease, the counters of the queue and the caller's trace are internal.

use super::{
    Field,
    Kind::{Integer, Json, Text, Timestamp, Uuid},
    SourceColumn,
};

pub(super) const COLUMNS: &[SourceColumn] = &[
    SourceColumn::new("id", Uuid),
    SourceColumn::new("created_at", Timestamp),
    SourceColumn::new("updated_at", Timestamp),
    SourceColumn::new("status", Text),
    SourceColumn::new("job_type", Text),
    SourceColumn::new("params", Json),
    SourceColumn::whole("results", RESULTS),
    SourceColumn::new("error_message", Text),
    SourceColumn::new("user_id", Uuid),
    SourceColumn::new("priority", Integer),
    SourceColumn::new("run_at", Timestamp),
    SourceColumn::new("attempt", Integer),
    SourceColumn::internal("attempts_forgiven", Integer),
    SourceColumn::new("max_attempts", Integer),
    SourceColumn::internal("crashes", Integer),
    SourceColumn::internal("locked_by", Uuid),
    SourceColumn::internal("locked_until", Timestamp),
    SourceColumn::new("started_at", Timestamp),
    SourceColumn::new("completed_at", Timestamp),
    SourceColumn::flattened("progress", PROGRESS, "progress_other"),
    SourceColumn::new("error_code", Text),
    SourceColumn::new("unique_key", Text),
    SourceColumn::internal("traceparent", Text),
];

/// What the job types answer that can be counted.
const RESULTS: &[Field] = &[
    Field::new("results_processed", &["processed"], Integer),
    Field::new("results_successful", &["successful"], Integer),
    Field::new("results_failed", &["failed"], Integer),
    Field::new("results_generated", &["generated"], Integer),
    Field::new("results_rows", &["rows"], Integer),
    Field::new("results_training_session_id", &["training_session_id"], Uuid),
    Field::new("results_model_version", &["model_version"], Text),
];

const PROGRESS: &[Field] = &[
    Field::new("progress_phase", &["phase"], Text),
    Field::new("progress_done", &["done"], Integer),
    Field::new("progress_total", &["total"], Integer),
    Field::new("progress_percent", &["percent"], Integer),
];
