//! XLSX, by the rules of [`forgeos_tables::xlsx`]: text is text, a file that is longer than a sheet goes on in the next
//! one. JSON and lists stand in their cells as JSON text, cut where Excel's cells end.

use chrono::{DateTime, Utc};
use forgeos_tables::{
    self as tables,
    xlsx::{Properties, SheetWriter},
};

use crate::{
    Dataset, EncodeError, Kind,
    flatten::{Record, Value},
    selection::Column,
};

/// A workbook being written.
pub(crate) struct XlsxFile {
    columns: Vec<Column>,
    /// Room for the ids of a row as text, one a column.
    ids: Vec<[u8; 36]>,
    sheets: SheetWriter<Vec<u8>>,
    /// Finished bytes.
    out: Vec<u8>,
}

/// How often finished bytes are asked for: a row costs some 20 bytes a cell.
const ROWS_BETWEEN: u64 = 64;

impl XlsxFile {
    pub(crate) fn new(
        dataset: Dataset,
        columns: &[Column],
        created_at: DateTime<Utc>,
    ) -> Result<Self, EncodeError> {
        let table =
            columns.iter().map(|column| tables::Column::new(column.name, kind(column.kind))).collect();
        let sheets = SheetWriter::new(Vec::new(), Properties::new(dataset.as_str(), created_at), table);
        Ok(Self {
            columns: columns.to_vec(),
            ids: vec![[0; 36]; columns.iter().filter(|column| column.kind == Kind::Uuid).count()],
            sheets: sheets.map_err(EncodeError::Xlsx)?,
            out: Vec::new(),
        })
    }

    pub(crate) fn row(&mut self, record: &Record<'_>) -> Result<(), EncodeError> {
        let mut ids = self.ids.iter_mut();
        let mut cells = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            cells.push(match record.value(column) {
                Value::Null => tables::Cell::Empty,
                Value::Uuid(id) => ids.next().map_or(tables::Cell::Empty, |room| {
                    tables::Cell::Text(id.hyphenated().encode_lower(room))
                }),
                Value::Timestamp(micros) => {
                    DateTime::from_timestamp_micros(micros).map_or(tables::Cell::Empty, tables::Cell::Time)
                }
                Value::Integer(number) => tables::Cell::Integer(number),
                Value::Real(number) => tables::Cell::Float(number),
                Value::Number(digits) => digits.parse().map_or(tables::Cell::Empty, tables::Cell::Float),
                Value::Boolean(value) => tables::Cell::Boolean(value),
                Value::Text(text) | Value::Json(text) | Value::TextList(text) => tables::Cell::Text(text),
            });
        }
        self.sheets.row(&cells).map_err(EncodeError::Xlsx)?;
        if self.sheets.rows().is_multiple_of(ROWS_BETWEEN) {
            self.sheets.take(&mut self.out);
        }
        Ok(())
    }

    pub(crate) fn cells_cut(&self) -> u64 {
        self.sheets.cells_cut()
    }

    pub(crate) fn ready(&self) -> usize {
        self.out.len()
    }

    /// `part` is empty.
    pub(crate) fn take(&mut self, part: &mut Vec<u8>) {
        self.sheets.take(&mut self.out);
        std::mem::swap(&mut self.out, part);
    }

    pub(crate) fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        let (mut rest, _) = self.sheets.finish().map_err(EncodeError::Xlsx)?;
        self.out.append(&mut rest);
        Ok(self.out)
    }
}

fn kind(kind: Kind) -> tables::Kind {
    match kind {
        Kind::Uuid => tables::Kind::Id,
        Kind::Timestamp => tables::Kind::Time,
        Kind::Text => tables::Kind::Text,
        Kind::Integer => tables::Kind::Integer,
        Kind::Real => tables::Kind::Float,
        Kind::Boolean => tables::Kind::Boolean,
        Kind::Json | Kind::TextList => tables::Kind::LongText,
    }
}
