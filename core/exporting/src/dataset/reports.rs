//! `reports`.

use super::{
    Field,
    Kind::{Boolean, Integer, Text, Timestamp, Uuid},
    SourceColumn,
};

pub(super) const COLUMNS: &[SourceColumn] = &[
    SourceColumn::new("id", Uuid),
    SourceColumn::new("created_at", Timestamp),
    SourceColumn::new("analysis_id", Uuid),
    SourceColumn::new("url", Text),
    SourceColumn::flattened("metadata", METADATA, "metadata_other"),
    SourceColumn::new("template", Text),
    SourceColumn::new("user_id", Uuid),
];

const METADATA: &[Field] = &[
    Field::new("metadata_pages", &["pages"], Integer),
    Field::new("metadata_size_bytes", &["size_bytes"], Integer),
    Field::new("metadata_format", &["format"], Text),
    Field::new("metadata_generated_at", &["generated_at"], Timestamp),
    Field::new("metadata_includes_images", &["includes_images"], Boolean),
    Field::new("metadata_language", &["language"], Text),
    Field::new("metadata_rows", &["rows"], Integer),
    Field::new("metadata_sha256", &["sha256"], Text),
    Field::new("metadata_dataset", &["dataset"], Text),
    Field::new("metadata_compression", &["compression"], Text),
];
