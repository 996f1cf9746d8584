//! The schema of a Parquet file and how each of its columns is encoded. Every column may be null.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use parquet::{
    basic::Encoding,
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
    },
    schema::{
        parser::parse_message_type,
        types::{ColumnPath, TypePtr},
    },
};

use crate::{Dataset, Kind, selection::Column};

/// Raised when a column's type changes; a new column is no new version.
const SCHEMA_VERSION: &str = "1";

/// Distinct values of a column are gathered up to this size; with more it is written plainly from there on.
const DICTIONARY_BYTES: usize = 256 << 10;

/// The schema: a column of text and its logical type, or a list of three levels as the format asks for.
pub(super) fn schema(dataset: Dataset, columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let mut message = format!("message {} {{\n", dataset.as_str());
    for Column { name, kind, .. } in columns {
        let column = match kind {
            Kind::Uuid => format!("OPTIONAL FIXED_LEN_BYTE_ARRAY(16) {name} (UUID);\n"),
            Kind::Timestamp => format!("OPTIONAL INT64 {name} (TIMESTAMP(MICROS,true));\n"),
            Kind::Text => format!("OPTIONAL BYTE_ARRAY {name} (STRING);\n"),
            Kind::Integer => format!("OPTIONAL INT64 {name};\n"),
            Kind::Real => format!("OPTIONAL DOUBLE {name};\n"),
            Kind::Boolean => format!("OPTIONAL BOOLEAN {name};\n"),
            Kind::Json => format!("OPTIONAL BYTE_ARRAY {name} (JSON);\n"),
            Kind::TextList => format!(
                "OPTIONAL group {name} (LIST) {{ REPEATED group list {{ REQUIRED BYTE_ARRAY element (STRING); }} }}\n"
            ),
        };
        message.push_str(&column);
    }
    message.push('}');
    parse_message_type(&message).map(Arc::new)
}

/// Statistics of every page; dictionaries where values come again; differences for times, which mostly
/// rise. JSON has neither statistics nor a dictionary: nobody asks for its smallest value, and it hardly repeats. Nothing is packed by the crate: see [`super::pages`].
pub(super) fn properties(
    dataset: Dataset,
    columns: &[Column],
    created_at: DateTime<Utc>,
) -> Result<WriterPropertiesPtr, ParquetError> {
    let entry = |key: &str, value: String| KeyValue::new(format!("forgeos.{key}"), value);
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("forgeos-exporting version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_key_value_metadata(Some(vec![
            entry("dataset", dataset.as_str().to_owned()),
            entry("schema_version", SCHEMA_VERSION.to_owned()),
            entry("created_at", created_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ]));
    for Column { name, kind, .. } in columns {
        let path = ColumnPath::from(*name);
        match kind {
            Kind::Uuid if *name == "id" => {
                builder = builder.set_column_dictionary_enabled(path, false);
            }
            Kind::Timestamp => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            Kind::Json => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_statistics_enabled(path, EnabledStatistics::None);
            }
            _ => {}
        }
    }
    Ok(Arc::new(builder.build()))
}
