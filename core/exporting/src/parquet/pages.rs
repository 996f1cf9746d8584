//! Where the finished pages of a column wait until the row group ends: all columns are encoded side by side, in the file
//! they stand one after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::{
    column::{
        page::{CompressedPage, PageWriteSpec, PageWriter},
        writer::{ColumnCloseResult, ColumnWriter, get_column_writer},
    },
    errors::ParquetError,
    file::{
        properties::WriterPropertiesPtr,
        writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};

/// A column of the row group that is being written.
pub(super) struct ColumnChunk {
    writer: ColumnWriter<'static>,
    pages: Pages,
}

/// Its pages, packed. Shared, because the column's writer takes them for its own.
#[derive(Clone)]
struct Pages(Arc<Mutex<TrackedWrite<Vec<u8>>>>);

impl ColumnChunk {
    pub(super) fn begin(column: ColumnDescPtr, properties: WriterPropertiesPtr) -> Self {
        let pages = Pages(Arc::new(Mutex::new(TrackedWrite::new(Vec::new()))));
        Self { writer: get_column_writer(column, properties, Box::new(pages.clone())), pages }
    }

    pub(super) fn writer(&mut self) -> &mut ColumnWriter<'static> {
        &mut self.writer
    }

    /// Ends it: what is left becomes the last page.
    pub(super) fn end(self) -> Result<FinishedChunk, ParquetError> {
        let close = self.writer.close()?;
        let bytes = Bytes::from(std::mem::take(self.pages.lock().inner_mut()));
        Ok(FinishedChunk { bytes, close })
    }
}

/// A column of a row group that is complete.
pub(super) struct FinishedChunk {
    bytes: Bytes,
    close: ColumnCloseResult,
}

impl FinishedChunk {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn append_to<W: std::io::Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        group.append_column(&self.bytes, self.close)
    }
}

impl Pages {
    fn lock(&self) -> MutexGuard<'_, TrackedWrite<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageWriter for Pages {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec, ParquetError> {
        SerializedPageWriter::new(&mut *self.lock()).write_page(page)
    }

    fn close(&mut self) -> Result<(), ParquetError> {
        SerializedPageWriter::new(&mut *self.lock()).close()
    }
}
