//! Parquet: rows are gathered column by column until a row group is large enough, then encoded and compressed one
//! column after the other. The footer that describes the groups is all that grows with the file, by some 4 KB a group.
//!
//! Written with the low-level writers of the `parquet` crate: going through Arrow would cost its build and gain nothing,
//! since the values are at hand one row at a time.

mod column;
mod order;
mod schema;

use chrono::{DateTime, Utc};
use parquet::{errors::ParquetError, file::writer::SerializedFileWriter};

use crate::{Dataset, EncodeError, flatten::Record, selection::Column};
use column::ColumnBuffer;

/// Values of a row group before they are encoded, about.
const GROUP_BYTES: usize = 16 << 20;

/// Rows of a row group at most; readers work on whole groups side by side.
const GROUP_ROWS: usize = 131_072;

/// A Parquet file being written.
pub(crate) struct ParquetFile {
    columns: Vec<Column>,
    buffers: Vec<ColumnBuffer>,
    held_bytes: usize,
    held_rows: usize,
    writer: SerializedFileWriter<Vec<u8>>,
}

impl ParquetFile {
    pub(crate) fn new(
        dataset: Dataset,
        columns: &[Column],
        created_at: DateTime<Utc>,
    ) -> Result<Self, EncodeError> {
        let begin = || {
            let schema = schema::schema(dataset, columns)?;
            SerializedFileWriter::new(Vec::new(), schema, schema::properties(dataset, columns, created_at)?)
        };
        Ok(Self {
            columns: columns.to_vec(),
            buffers: columns.iter().map(|column| ColumnBuffer::new(column.kind)).collect(),
            held_bytes: 0,
            held_rows: 0,
            writer: begin().map_err(EncodeError::Parquet)?,
        })
    }

    pub(crate) fn row(&mut self, record: &Record<'_>) -> Result<(), EncodeError> {
        for (column, buffer) in self.columns.iter().zip(&mut self.buffers) {
            self.held_bytes += buffer.push(record.value(column));
        }
        self.held_rows += 1;
        if self.held_bytes >= GROUP_BYTES || self.held_rows >= GROUP_ROWS {
            self.write_group().map_err(EncodeError::Parquet)?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.held_rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for buffer in &mut self.buffers {
            let Some(column) = group.next_column()? else { break };
            buffer.write(column)?;
        }
        group.close()?;
        self.held_bytes = 0;
        self.held_rows = 0;
        self.writer.flush().map_err(ParquetError::from)
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub(crate) fn ready(&self) -> usize {
        self.writer.inner().len()
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.inner_mut())
    }

    pub(crate) fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        let end = |file: &mut Self| {
            file.write_group()?;
            file.writer.finish()?;
            let leaves = file.writer.schema_descr().num_columns();
            let mut rest = std::mem::take(file.writer.inner_mut());
            order::state_type_defined(&mut rest, leaves);
            Ok(rest)
        };
        end(&mut self).map_err(EncodeError::Parquet)
    }
}
