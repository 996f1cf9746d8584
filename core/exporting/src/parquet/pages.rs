//! Where the finished pages of a column wait until the row group ends: all columns are encoded side by side, in the file
//! they stand one after the other.
//!
//! Pages are packed here and not by the column's writer, which would have a compressor of its own: each takes up to a
//! megabyte, and there is one of them for every column at once.

use std::{
    io::Write,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use parquet::{
    basic::{Compression, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriteSpec, PageWriter},
        writer::{ColumnCloseResult, ColumnWriter, get_column_writer},
    },
    errors::ParquetError,
    file::{
        properties::WriterPropertiesPtr,
        writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};

/// The level of zstd.
const LEVEL: i32 = 3;

/// Packs the pages of all columns, one after the other.
#[derive(Clone)]
pub(super) struct Packer(Arc<Mutex<Zstd>>);

struct Zstd {
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
}

/// A column of the row group that is being written.
pub(super) struct ColumnChunk {
    writer: ColumnWriter<'static>,
    pages: Pages,
}

/// Its pages, packed. Shared, because the column's writer takes them for its own.
#[derive(Clone)]
struct Pages {
    out: Arc<Mutex<TrackedWrite<Vec<u8>>>>,
    packer: Packer,
}

/// A column of a row group that is complete.
pub(super) struct FinishedChunk {
    bytes: Vec<u8>,
    close: ColumnCloseResult,
}

impl Packer {
    pub(super) fn new() -> Result<Self, ParquetError> {
        let compressor = zstd::bulk::Compressor::new(LEVEL)?;
        Ok(Self(Arc::new(Mutex::new(Zstd { compressor, packed: Vec::new() }))))
    }

    fn pack(&self, bytes: &[u8]) -> Result<Bytes, ParquetError> {
        let Zstd { compressor, packed } = &mut *locked(&self.0);
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        compressor.compress_to_buffer(bytes, packed)?;
        Ok(Bytes::copy_from_slice(packed))
    }
}

impl ColumnChunk {
    /// `memory` is used for its pages. The writer must be told that nothing is packed.
    pub(super) fn begin(
        column: ColumnDescPtr,
        properties: WriterPropertiesPtr,
        packer: Packer,
        memory: Vec<u8>,
    ) -> Self {
        let pages = Pages { out: Arc::new(Mutex::new(TrackedWrite::new(memory))), packer };
        Self { writer: get_column_writer(column, properties, Box::new(pages.clone())), pages }
    }

    pub(super) fn writer(&mut self) -> &mut ColumnWriter<'static> {
        &mut self.writer
    }

    /// Ends it: what is left becomes the last page.
    pub(super) fn end(self) -> Result<FinishedChunk, ParquetError> {
        let mut close = self.writer.close()?;
        let zstd = Compression::ZSTD(ZstdLevel::try_new(LEVEL)?);
        close.metadata = close.metadata.into_builder().set_compression(zstd).build()?;
        Ok(FinishedChunk { bytes: mem::take(locked(&self.pages.out).inner_mut()), close })
    }
}

impl FinishedChunk {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Gives its memory back, empty.
    pub(super) fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<Vec<u8>, ParquetError> {
        let bytes = Bytes::from(self.bytes);
        group.append_column(&bytes, self.close)?;
        let mut memory = Vec::from(bytes);
        memory.clear();
        Ok(memory)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PageWriter for Pages {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec, ParquetError> {
        let plain_size = page.uncompressed_size();
        let mut page = page.compressed_page().clone();
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = self.packer.pack(buf)?,
            // Of these a part only is packed; the writer makes none.
            Page::DataPageV2 { .. } => {
                return Err(ParquetError::NYI("pages of the second version".to_owned()));
            }
        }
        SerializedPageWriter::new(&mut *locked(&self.out)).write_page(CompressedPage::new(page, plain_size))
    }

    fn close(&mut self) -> Result<(), ParquetError> {
        SerializedPageWriter::new(&mut *locked(&self.out)).close()
    }
}
