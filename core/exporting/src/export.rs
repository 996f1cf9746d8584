//! The files of one export, written side by side.

use std::io;

use ::parquet::errors::ParquetError;
use chrono::{DateTime, Utc};
use forgeos_tables::xlsx::XlsxError;

use crate::{
    Cell, Compression, Format, Kind, Selection,
    flatten::{Flattener, Record},
    parquet::ParquetFile,
    text::{CsvFile, JsonlFile},
    xlsx::XlsxFile,
};

/// Why rows could not be written. None of these is mended by trying again with the same rows.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A compression around a format that is packed by itself.
    #[error("`{}` is not put into `{}`", format.as_str(), compression.as_str())]
    NotPackable {
        /// The format.
        format: Format,
        /// The compression.
        compression: Compression,
    },
    /// A row with another number of cells than the selection has source columns.
    #[error("a row has {given} cells, the selection {expected} source columns")]
    Width {
        /// Source columns.
        expected: usize,
        /// Cells.
        given: usize,
    },
    /// A cell that its column does not hold.
    #[error("a cell of column `{column}` is not of kind {kind:?}")]
    WrongKind {
        /// The source column.
        column: &'static str,
        /// Its kind.
        kind: Kind,
    },
    /// JSON that ends too early or is none.
    #[error("column `{column}` holds text that is not JSON")]
    MalformedJson {
        /// The source column.
        column: &'static str,
    },
    /// The compressor failed.
    #[error("cannot compress the file")]
    Pack(#[source] io::Error),
    /// The workbook could not be written.
    #[error("cannot write the workbook")]
    Xlsx(#[source] XlsxError),
    /// The Parquet file could not be written.
    #[error("cannot write the Parquet file")]
    Parquet(#[source] ParquetError),
}

/// Room of a part that is used again.
const MOST_KEPT_BYTES: usize = 8 << 20;

/// One file to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its kind.
    pub format: Format,
    /// What is put around it.
    pub compression: Compression,
}

impl Output {
    /// A file with nothing put around it.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, compression: Compression::None }
    }
}

/// Files being written from the same rows. Dropped before [`Export::finish`], it leaves files that are not whole.
pub struct Export {
    flattener: Flattener,
    files: Vec<File>,
    rows: u64,
}

enum File {
    Csv(CsvFile),
    Jsonl(JsonlFile),
    Xlsx(Box<XlsxFile>),
    Parquet(Box<ParquetFile>),
}

impl Export {
    /// Begins the files. `created_at` is when the data was read; it is the only time that they carry, so the same rows
    /// give the same bytes.
    ///
    /// # Errors
    /// [`EncodeError::NotPackable`].
    pub fn new(
        selection: &Selection,
        outputs: &[Output],
        created_at: DateTime<Utc>,
    ) -> Result<Self, EncodeError> {
        let columns = outputs.iter().flat_map(|output| selection.columns(output.format));
        let flattener = Flattener::new(selection, columns);
        let files = outputs.iter().map(|output| File::begin(selection, *output, created_at));
        Ok(Self { flattener, files: files.collect::<Result<_, _>>()?, rows: 0 })
    }

    /// Appends a row to every file: cells in the order of [`Selection::source_columns`]. After an error the files are
    /// not fit for use.
    ///
    /// # Errors
    /// The row does not fit the selection, or a format fails.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), EncodeError> {
        let record = self.flattener.flatten(cells)?;
        for file in &mut self.files {
            file.row(&record)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Cells of that file so far whose text was cut because a cell of XLSX holds no more; none in the other formats.
    #[must_use]
    pub fn cells_cut(&self, file: usize) -> u64 {
        if let File::Xlsx(file) = &self.files[file] { file.cells_cut() } else { 0 }
    }

    /// How many bytes [`Export::take`] would give for that file; files are numbered as the outputs were.
    #[must_use]
    pub fn ready(&self, file: usize) -> usize {
        match &self.files[file] {
            File::Csv(file) => file.sink.ready(),
            File::Jsonl(file) => file.sink.ready(),
            File::Xlsx(file) => file.ready(),
            File::Parquet(file) => file.ready(),
        }
    }

    /// Puts the next finished bytes of that file, in order, in the place of what `part` holds; none when there are none
    /// yet. The memory of `part` is used for what comes next, so a caller who gives the same one back again and again
    /// has two of them in turn, and nothing is allocated but for Parquet, whose bytes come rarely and many at once.
    pub fn take(&mut self, file: usize, part: &mut Vec<u8>) {
        part.clear();
        // What one huge row has needed is not kept for all the others.
        part.shrink_to(MOST_KEPT_BYTES);
        match &mut self.files[file] {
            File::Csv(file) => file.sink.take(part),
            File::Jsonl(file) => file.sink.take(part),
            File::Xlsx(file) => file.take(part),
            File::Parquet(file) => file.take(part),
        }
    }

    /// Ends the files; the last bytes of each, in the order of the outputs. What was ready and not taken is in them.
    ///
    /// # Errors
    /// A format fails.
    pub fn finish(self) -> Result<Vec<Vec<u8>>, EncodeError> {
        self.files.into_iter().map(File::finish).collect()
    }
}

impl File {
    fn begin(selection: &Selection, output: Output, created_at: DateTime<Utc>) -> Result<Self, EncodeError> {
        let Output { format, compression } = output;
        if compression != Compression::None && !format.is_packable() {
            return Err(EncodeError::NotPackable { format, compression });
        }
        let columns = selection.columns(format);
        Ok(match format {
            Format::Csv => Self::Csv(CsvFile::new(columns, compression)?),
            Format::Jsonl => Self::Jsonl(JsonlFile::new(columns, compression)?),
            Format::Xlsx => Self::Xlsx(Box::new(XlsxFile::new(selection.dataset(), columns, created_at)?)),
            Format::Parquet => {
                Self::Parquet(Box::new(ParquetFile::new(selection.dataset(), columns, created_at)?))
            }
        })
    }

    fn row(&mut self, record: &Record<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Csv(file) => file.row(record),
            Self::Jsonl(file) => file.row(record),
            Self::Xlsx(file) => file.row(record),
            Self::Parquet(file) => file.row(record),
        }
    }

    fn finish(self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Csv(file) => file.sink.finish(),
            Self::Jsonl(file) => file.sink.finish(),
            Self::Xlsx(file) => file.finish(),
            Self::Parquet(file) => file.finish(),
        }
    }
}
