//! One table as XLSX, written while the rows come: into any [`Write`], without a temporary file, in the same memory
//! for ten rows and for ten million.
//!
//! Every text is written as text (an inline string): nothing becomes a formula or a link. A table that is longer than a
//! sheet goes on in further sheets, each with the header again. Nothing in the file depends on the clock or the
//! machine: the same properties and rows give the same bytes.
//!
//! No charts, colours or formulas: documents for people to look at are made with a library that knows them; such a
//! library keeps a whole sheet in memory or, uncompressed, in a file below the temporary folder, which on many systems
//! is memory as well.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions, write::StreamWriter};

use crate::{Cell, Column};

mod encode;
mod parts;

pub use encode::{MOST_UTF16_UNITS, clean_text, serial};

/// Rows of a sheet, with the header: Excel's limit.
pub const ROWS_PER_SHEET: u32 = 1_048_576;
/// Columns of a sheet: Excel's limit.
pub const MOST_COLUMNS: usize = 16_384;

/// A sheet goes on in the next one before its XML reaches 4 GiB, where archives need an extension that not every reader
/// of XLSX knows. One row may hold 16,384 texts of 32,767 characters, hence the distance.
const MOST_SHEET_BYTES: u64 = 3 << 30;
const BUFFER_BYTES: usize = 64 << 10;

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum XlsxError {
    /// More columns than a sheet has, or none.
    #[error("a sheet has 1 to {MOST_COLUMNS} columns, not {0}")]
    Columns(usize),
    /// A row has another number of cells than the table has columns.
    #[error("a row has {found} cells, the table {expected} columns")]
    RowWidth {
        /// Columns of the table.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// The destination took no more.
    #[error("cannot write the sheet")]
    Write(#[source] io::Error),
}

/// What the file says about itself.
#[derive(Debug, Clone)]
pub struct Properties {
    /// Name of the sheet; further sheets are called `{sheet} 2` and so on. Characters that Excel forbids in names
    /// become `_`, an empty name `Data`, a long one is cut.
    pub sheet: String,
    /// Title of the document.
    pub title: String,
    /// When the data was read: the only time in the file.
    pub created_at: DateTime<Utc>,
    /// Rows of a sheet with the header, at most and usually [`ROWS_PER_SHEET`]; less only to try the continuation.
    pub rows_per_sheet: u32,
    /// 1 (fast) to 9 (small).
    pub compression: u8,
}

impl Properties {
    /// A table of that name, with sheets as long as they may be.
    #[must_use]
    pub fn new(sheet: impl Into<String>, created_at: DateTime<Utc>) -> Self {
        let sheet = parts::sheet_name(&sheet.into());
        Self { title: sheet.clone(), sheet, created_at, rows_per_sheet: ROWS_PER_SHEET, compression: 3 }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Rows without headers.
    pub rows: u64,
    /// Sheets.
    pub sheets: u32,
    /// Cells whose text was cut at [`MOST_UTF16_UNITS`].
    pub cells_cut: u64,
}

/// A table being written, row by row. A file is whole only after [`SheetWriter::finish`].
///
/// One that is dropped before that writes nothing more, so that a file that was given up never looks whole.
pub struct SheetWriter<W: Write> {
    // Dropped before the archive.
    out: Held<W>,
    zip: ZipWriter<StreamWriter<Output<W>>>,
    /// XML that is not compressed yet.
    buffer: Vec<u8>,
    properties: Properties,
    columns: Vec<Column>,
    /// `A`, `B`, … `XFD`, one a column.
    letters: Vec<String>,
    /// Rows of each sheet with the header; the last is being written.
    sheets: Vec<u32>,
    sheet_bytes: u64,
    rows: u64,
    cells_cut: u64,
}

impl<W: Write> SheetWriter<W> {
    /// Begins the file and its first sheet. Small writes are gathered here: `out` needs no buffer of its own.
    ///
    /// # Errors
    /// No or too many columns; the destination fails.
    pub fn new(out: W, properties: Properties, columns: Vec<Column>) -> Result<Self, XlsxError> {
        if columns.is_empty() || columns.len() > MOST_COLUMNS {
            return Err(XlsxError::Columns(columns.len()));
        }
        let properties = Properties {
            sheet: parts::sheet_name(&properties.sheet),
            rows_per_sheet: properties.rows_per_sheet.clamp(2, ROWS_PER_SHEET),
            compression: properties.compression.clamp(1, 9),
            ..properties
        };
        let out = Arc::new(Mutex::new(Some(out)));
        let mut writer = Self {
            out: Held(Output(Arc::clone(&out))),
            zip: ZipWriter::new_stream(Output(out)),
            buffer: Vec::with_capacity(BUFFER_BYTES * 2),
            properties,
            letters: (0..columns.len()).map(encode::letters).collect(),
            columns,
            sheets: Vec::new(),
            sheet_bytes: 0,
            rows: 0,
            cells_cut: 0,
        };
        // Programs that guess a file's type look at the first names in it.
        writer.part("_rels/.rels", parts::PACKAGE_RELATIONS)?;
        let core = parts::core(&writer.properties);
        writer.part("docProps/core.xml", &core)?;
        writer.begin_sheet()?;
        Ok(writer)
    }

    /// Appends a row: one cell a column.
    ///
    /// # Errors
    /// The row has another width; the destination fails.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), XlsxError> {
        if cells.len() != self.columns.len() {
            return Err(XlsxError::RowWidth { expected: self.columns.len(), found: cells.len() });
        }
        if self.sheets.last().is_some_and(|rows| *rows >= self.properties.rows_per_sheet)
            || self.sheet_bytes > MOST_SHEET_BYTES
        {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        self.append(cells, encode::PLAIN);
        let is_cut = |cell: &&Cell<'_>| matches!(cell, Cell::Text(text) if encode::is_cut(text));
        self.cells_cut += cells.iter().filter(is_cut).count() as u64;
        self.rows += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Rows written so far, without headers.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Cells so far whose text was cut at [`MOST_UTF16_UNITS`].
    #[must_use]
    pub fn cells_cut(&self) -> u64 {
        self.cells_cut
    }

    /// Ends the file and gives the destination back, unflushed, with the counts.
    ///
    /// # Errors
    /// The destination fails.
    pub fn finish(mut self) -> Result<(W, Written), XlsxError> {
        self.end_sheet()?;
        let sheets = self.sheets.len() as u32;
        self.part("xl/workbook.xml", &parts::workbook(&self.properties, &self.sheets, self.last_letters()))?;
        self.part("xl/_rels/workbook.xml.rels", &parts::workbook_relations(sheets))?;
        self.part("xl/styles.xml", parts::STYLES)?;
        self.part("docProps/app.xml", parts::APP)?;
        self.part("[Content_Types].xml", &parts::content_types(sheets))?;
        self.zip.finish().map_err(|error| XlsxError::Write(error.into()))?;
        let out =
            self.out.0.lock().take().ok_or_else(|| XlsxError::Write(io::ErrorKind::BrokenPipe.into()))?;
        Ok((out, Written { rows: self.rows, sheets, cells_cut: self.cells_cut }))
    }

    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets.push(0);
        self.sheet_bytes = 0;
        self.start(&format!("xl/worksheets/sheet{}.xml", self.sheets.len()))?;
        parts::append_sheet_start(&mut self.buffer, &self.columns, self.sheets.len() == 1);
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let names: Vec<Cell<'_>> = names.iter().map(|name| Cell::Text(name)).collect();
        self.append(&names, encode::HEADER);
        Ok(())
    }

    fn append(&mut self, cells: &[Cell<'_>], style: u8) {
        let Some(rows) = self.sheets.last_mut() else { return };
        *rows += 1;
        encode::append_row(&mut self.buffer, *rows, &self.letters, cells, style);
    }

    fn end_sheet(&mut self) -> Result<(), XlsxError> {
        let rows = self.sheets.last().copied().unwrap_or_default();
        let end = parts::sheet_end(self.last_letters(), rows);
        self.buffer.extend_from_slice(end.as_bytes());
        self.flush()
    }

    fn last_letters(&self) -> &str {
        self.letters.last().map_or("A", String::as_str)
    }

    fn part(&mut self, name: &str, xml: &str) -> Result<(), XlsxError> {
        self.start(name)?;
        self.zip.write_all(xml.as_bytes()).map_err(XlsxError::Write)
    }

    fn start(&mut self, name: &str) -> Result<(), XlsxError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(i64::from(self.properties.compression)))
            .last_modified_time(zip::DateTime::default());
        self.zip.start_file(name, options).map_err(|error| XlsxError::Write(error.into()))
    }

    fn flush(&mut self) -> Result<(), XlsxError> {
        self.sheet_bytes += self.buffer.len() as u64;
        self.zip.write_all(&self.buffer).map_err(XlsxError::Write)?;
        self.buffer.clear();
        Ok(())
    }
}

impl SheetWriter<Vec<u8>> {
    /// Appends to `out` what is finished of the file so far, to be sent on; what [`SheetWriter::finish`] gives follows it.
    /// Up to some 200 KB stay behind to be compressed.
    pub fn take(&mut self, out: &mut Vec<u8>) {
        if let Some(finished) = self.out.0.lock().as_mut() {
            out.append(finished);
        }
    }
}

/// Where the archive puts its bytes. Empty once the writer is dropped: the archive would write its end then.
struct Output<W>(Arc<Mutex<Option<W>>>);

impl<W> Output<W> {
    fn lock(&self) -> MutexGuard<'_, Option<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().as_mut().map_or(Ok(bytes.len()), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The writer's own hold on the output.
struct Held<W>(Output<W>);

impl<W> Drop for Held<W> {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}
