//! Parquet: all columns of a row group are encoded and packed side by side, some thousand rows at a time, and put one
//! after the other into the file when the group is large enough. So what is held of a group is its packed bytes, a
//! page a column and the dictionaries. The footer that describes the groups is all that grows with the file, by some
//! 4 KB a group.
//!
//! Written with the low-level writers of the `parquet` crate: going through Arrow would cost its build and gain nothing,
//! since the values are at hand one row at a time.

mod column;
mod order;
mod pages;
mod schema;

use std::mem;

use chrono::{DateTime, Utc};
use parquet::{errors::ParquetError, file::writer::SerializedFileWriter, schema::types::ColumnDescPtr};

use crate::{Dataset, EncodeError, flatten::Record, selection::Column};
use column::ColumnBuffer;
use pages::{ColumnChunk, FinishedChunk, Packer};

/// Values of a row group before they are encoded, about.
const GROUP_BYTES: usize = 16 << 20;

/// Rows of a row group at most; readers work on whole groups side by side.
const GROUP_ROWS: usize = 131_072;

/// Rows and bytes that are gathered before they are encoded. A multiple of the rows that the crate looks at between two
/// pages (1,024), so that a page does not depend on it.
const BATCH_ROWS: usize = 4_096;
const BATCH_BYTES: usize = 2 << 20;

/// A Parquet file being written.
pub(crate) struct ParquetFile {
    columns: Vec<Column>,
    buffers: Vec<ColumnBuffer>,
    /// One a buffer; none before the first rows of a group are encoded.
    chunks: Vec<ColumnChunk>,
    /// For the pages of the next group: what those of the last one took.
    memory: Vec<Vec<u8>>,
    packer: Packer,
    gathered_rows: usize,
    gathered_bytes: usize,
    group_rows: usize,
    group_bytes: usize,
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
            chunks: Vec::new(),
            memory: vec![Vec::new(); columns.len()],
            packer: Packer::new().map_err(EncodeError::Parquet)?,
            gathered_rows: 0,
            gathered_bytes: 0,
            group_rows: 0,
            group_bytes: 0,
            writer: begin().map_err(EncodeError::Parquet)?,
        })
    }

    pub(crate) fn row(&mut self, record: &Record<'_>) -> Result<(), EncodeError> {
        let mut bytes = 0;
        for (column, buffer) in self.columns.iter().zip(&mut self.buffers) {
            bytes += buffer.push(record.value(column));
        }
        self.gathered_rows += 1;
        self.gathered_bytes += bytes;
        self.group_rows += 1;
        self.group_bytes += bytes;
        if self.group_bytes >= GROUP_BYTES || self.group_rows >= GROUP_ROWS {
            self.end_group()
        } else if self.gathered_rows >= BATCH_ROWS || self.gathered_bytes >= BATCH_BYTES {
            self.encode()
        } else {
            return Ok(());
        }
        .map_err(EncodeError::Parquet)
    }

    /// Encodes what was gathered.
    fn encode(&mut self) -> Result<(), ParquetError> {
        if self.chunks.is_empty() {
            let properties = self.writer.properties();
            let begin = |(column, memory): (&ColumnDescPtr, &mut Vec<u8>)| {
                ColumnChunk::begin(column.clone(), properties.clone(), self.packer.clone(), mem::take(memory))
            };
            let columns = self.writer.schema_descr().columns().iter();
            self.chunks = columns.zip(&mut self.memory).map(begin).collect();
        }
        for (buffer, chunk) in self.buffers.iter_mut().zip(&mut self.chunks) {
            buffer.write(chunk.writer())?;
        }
        self.gathered_rows = 0;
        self.gathered_bytes = 0;
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        self.encode()?;
        let chunks: Vec<_> = self.chunks.drain(..).map(ColumnChunk::end).collect::<Result<_, _>>()?;
        // Growing by doubling would take twice of it.
        self.writer.inner_mut().reserve_exact(chunks.iter().map(FinishedChunk::len).sum());
        let mut group = self.writer.next_row_group()?;
        for (chunk, memory) in chunks.into_iter().zip(&mut self.memory) {
            *memory = chunk.append_to(&mut group)?;
        }
        group.close()?;
        self.group_rows = 0;
        self.group_bytes = 0;
        self.writer.flush().map_err(ParquetError::from)
    }

    pub(crate) fn ready(&self) -> usize {
        self.writer.inner().len()
    }

    /// A group comes rarely and is large: its memory is not kept for the next one.
    pub(crate) fn take(&mut self, part: &mut Vec<u8>) {
        *part = mem::take(self.writer.inner_mut());
    }

    pub(crate) fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        let end = |file: &mut Self| {
            file.end_group()?;
            file.writer.finish()?;
            let leaves = file.writer.schema_descr().num_columns();
            let mut rest = mem::take(file.writer.inner_mut());
            order::state_type_defined(&mut rest, leaves);
            Ok(rest)
        };
        end(&mut self).map_err(EncodeError::Parquet)
    }
}
