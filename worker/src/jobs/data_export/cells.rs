//! From the bytes that PostgreSQL sends to the cells of a row.

use std::sync::Arc;

use forgeos_core::{ErrorCode, JobError, db::exports::Table};
use forgeos_exporting::{Cell, Export, Kind, Selection};
use uuid::Uuid;

use super::{batch::Batch, not_encoded};

/// Where the columns of an export stand in a row, and what they hold.
#[derive(Debug, Clone)]
pub(super) struct Cells(Arc<[Place]>);

#[derive(Debug)]
struct Place {
    /// In the row.
    at: usize,
    kind: Kind,
    column: &'static str,
}

impl Cells {
    /// For the columns that a selection reads.
    pub(super) fn of(table: Table, selection: &Selection) -> Self {
        let places = selection.source_columns().iter().filter_map(|source| {
            let at = table.columns().iter().position(|column| *column == source.name)?;
            Some(Place { at, kind: source.kind, column: source.name })
        });
        Self(places.collect())
    }

    /// Where the columns stand in a row of the table, in the order of the cells.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|place| place.at)
    }

    /// Appends the rows to every file of the export.
    pub(super) fn encode(&self, batch: &Batch, export: &mut Export) -> Result<(), JobError> {
        let mut values = batch.values();
        let mut cells = Vec::with_capacity(self.0.len());
        for _ in 0..batch.rows() {
            cells.clear();
            for place in self.0.iter() {
                cells.push(place.read(values.take())?);
            }
            export.row(&cells).map_err(not_encoded)?;
        }
        Ok(())
    }
}

impl Place {
    fn read<'v>(&self, value: Option<&'v [u8]>) -> Result<Cell<'v>, JobError> {
        let Some(bytes) = value else { return Ok(Cell::Null) };
        cell(self.kind, bytes).ok_or_else(|| {
            JobError::permanent(
                ErrorCode::Internal,
                format!(
                    "the column `{}` holds something else than this version of the worker knows",
                    self.column
                ),
            )
        })
    }
}

/// A value in PostgreSQL's binary form.
fn cell(kind: Kind, bytes: &[u8]) -> Option<Cell<'_>> {
    Some(match kind {
        Kind::Uuid => Cell::Uuid(Uuid::from_slice(bytes).ok()?),
        Kind::Timestamp => Cell::postgres_timestamp(i64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Text => Cell::Text(std::str::from_utf8(bytes).ok()?),
        Kind::Integer => Cell::Integer(match bytes.len() {
            2 => i16::from_be_bytes(bytes.try_into().ok()?).into(),
            4 => i32::from_be_bytes(bytes.try_into().ok()?).into(),
            _ => i64::from_be_bytes(bytes.try_into().ok()?),
        }),
        Kind::Real => Cell::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Boolean => Cell::Boolean(*bytes.first()? != 0),
        // `jsonb` is a version, always 1, and the text; `json` is the text alone.
        Kind::Json | Kind::TextList => {
            Cell::Json(std::str::from_utf8(bytes.strip_prefix(&[1]).unwrap_or(bytes)).ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use forgeos_exporting::{Audience, Dataset as Columns};

    use super::*;

    #[test]
    fn every_column_that_can_be_exported_is_read() {
        for (table, dataset) in [
            (Table::Analyses, Columns::Analyses),
            (Table::Reports, Columns::Reports),
            (Table::Jobs, Columns::Jobs),
            (Table::TrainingSessions, Columns::TrainingSessions),
        ] {
            let selection = Selection::new(dataset, Audience::Service, None).unwrap();
            let read: Vec<_> = selection.source_columns().iter().map(|source| source.name).collect();
            assert_eq!(read, table.columns(), "{}", table.as_str());
            assert_eq!(Cells::of(table, &selection).0.len(), read.len());
        }
    }

    #[test]
    fn values_are_read_as_postgresql_sends_them() {
        assert_eq!(cell(Kind::Integer, &(-2_i16).to_be_bytes()), Some(Cell::Integer(-2)));
        assert_eq!(cell(Kind::Integer, &7_i32.to_be_bytes()), Some(Cell::Integer(7)));
        assert_eq!(cell(Kind::Integer, &i64::MAX.to_be_bytes()), Some(Cell::Integer(i64::MAX)));
        assert_eq!(cell(Kind::Integer, &[1]), None);
        assert_eq!(cell(Kind::Timestamp, &0_i64.to_be_bytes()), Some(Cell::Timestamp(946_684_800_000_000)));
        assert_eq!(cell(Kind::Timestamp, &i64::MAX.to_be_bytes()), Some(Cell::Null));
        assert_eq!(cell(Kind::Json, b"\x01{\"a\": 1}"), Some(Cell::Json("{\"a\": 1}")));
        assert_eq!(cell(Kind::Json, b"[]"), Some(Cell::Json("[]")));
        assert_eq!(cell(Kind::Text, b""), Some(Cell::Text("")));
        assert_eq!(cell(Kind::Text, b"\xff"), None);
        assert_eq!(cell(Kind::Uuid, &[0; 16]), Some(Cell::Uuid(Uuid::nil())));
        assert_eq!(cell(Kind::Uuid, &[0; 15]), None);
    }
}
