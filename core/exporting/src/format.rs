//! The kinds of files, their names and types.

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values, RFC 4180.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// An Excel workbook.
    Xlsx,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Jsonl, Self::Xlsx, Self::Parquet];

    /// `csv`, `jsonl`, `xlsx`, `parquet`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// Whether it has columns only, so that JSON fields are taken apart.
    #[must_use]
    pub fn is_flat(self) -> bool {
        self != Self::Jsonl
    }

    /// Whether a [`Compression`] may be put around it; the others are packed by themselves.
    #[must_use]
    pub fn is_packable(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl)
    }

    /// What follows the last part of a file's name, without a dot before it: `csv`, `csv.gz`, `jsonl.zst`, `parquet`.
    #[must_use]
    pub fn extension(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Csv, Compression::None) => "csv",
            (Self::Csv, Compression::Gzip) => "csv.gz",
            (Self::Csv, Compression::Zstd) => "csv.zst",
            (Self::Jsonl, Compression::None) => "jsonl",
            (Self::Jsonl, Compression::Gzip) => "jsonl.gz",
            (Self::Jsonl, Compression::Zstd) => "jsonl.zst",
            (Self::Xlsx, _) => "xlsx",
            (Self::Parquet, _) => "parquet",
        }
    }

    /// The media type. A packed file is one of its packing: a reader that is told `text/csv` would not unpack it.
    #[must_use]
    pub fn mime_type(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Csv, Compression::None) => "text/csv; charset=utf-8; header=present",
            (Self::Jsonl, Compression::None) => "application/x-ndjson",
            (Self::Csv | Self::Jsonl, Compression::Gzip) => "application/gzip",
            (Self::Csv | Self::Jsonl, Compression::Zstd) => "application/zstd",
            (Self::Xlsx, _) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            (Self::Parquet, _) => "application/vnd.apache.parquet",
        }
    }
}

/// What is put around a text format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Nothing.
    #[default]
    None,
    /// gzip (RFC 1952), level 3: a tenth larger than level 6, half its time.
    Gzip,
    /// Zstandard (RFC 8878), level 3, with a checksum.
    Zstd,
}

impl Compression {
    /// `none`, `gzip`, `zstd`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}
