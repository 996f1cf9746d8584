//! Writes rows of a table as CSV, JSON Lines, XLSX or Parquet, in memory that does not grow with the rows.
//!
//! A [`Selection`] says which columns of a [`Dataset`] are wanted and which columns of the table must be read for them.
//! An [`Export`] takes the rows, each a slice of borrowed [`Cell`]s in that order, and writes one file or several: a row's
//! JSON is looked at once for all of them. Finished bytes are taken out as often as the caller likes, so that they can
//! be sent on in parts.
//!
//! Nothing here reads a database, writes a file, starts a thread or knows where the bytes go. Rows come in the order
//! in which they shall stand in the files; they are neither sorted nor filtered.
//!
//! ```
//! use forgeos_exporting::{Audience, Cell, Dataset, Export, Format, Output, Selection};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let columns = ["id", "metrics_cvi"].map(String::from);
//! let selection = Selection::new(Dataset::Analyses, Audience::User, Some(&columns))?;
//! assert_eq!(selection.source_columns().len(), 2); // `id`, `metrics`
//!
//! let outputs = [Output::new(Format::Csv), Output::new(Format::Parquet)];
//! let mut export = Export::new(&selection, &outputs, chrono::DateTime::UNIX_EPOCH)?;
//! export.row(&[Cell::Uuid(uuid::Uuid::nil()), Cell::Json(r#"{"cvi": 0.87}"#)])?;
//! let mut part = Vec::new();
//! for file in 0..outputs.len() {
//!     export.take(file, &mut part); // as often as wanted
//! }
//! let rows = export.rows();
//! let ends = export.finish()?; // what is left of each file
//! assert_eq!((rows, ends.len()), (1, 2));
//! # Ok(())
//! # }
//! ```

mod cell;
mod dataset;
mod export;
mod flatten;
mod format;
mod packing;
mod parquet;
mod selection;
mod text;
mod xlsx;

pub use cell::Cell;
pub use dataset::{Dataset, Field, Kind, SourceColumn};
pub use export::{EncodeError, Export, Output};
pub use format::{Compression, Format};
pub use selection::{Audience, Column, Selection, SelectionError, allowed_columns};
