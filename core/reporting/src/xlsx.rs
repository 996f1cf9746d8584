//! A report as a workbook, for people who sort and filter: a summary with charts, a row an analysis, a row a defect,
//! and what was left out. Cells have types; words and formats are in the report's language, the decimal sign is that of
//! whoever opens it.
//!
//! No formula stands in it: figures are computed here, and text stays text. Nothing is protected. The same report gives
//! the same bytes.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use crate::{
    language::{self, Words},
    model::Report,
};

mod analyses;
mod defects;
mod left_out;
mod link;
mod look;
mod sheet;
mod summary;

/// A workbook could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the workbook")]
pub struct XlsxError(#[source] rust_xlsxwriter::XlsxError);

impl From<rust_xlsxwriter::XlsxError> for XlsxError {
    fn from(error: rust_xlsxwriter::XlsxError) -> Self {
        Self(error)
    }
}

/// What the document is called.
fn title<'a>(report: &Report, words: &'a Words) -> &'a str {
    words.get(if report.combined { "report.title_combined" } else { "report.title" })
}

/// The whole file.
///
/// It is made in memory; only a list of more than 20,000 defects passes through a file below the folder for temporary
/// files that has no name, so that nothing of it is left after a crash.
///
/// # Errors
/// The report has more rows than a sheet, or the temporary file cannot be made.
pub fn xlsx(report: &Report) -> Result<Vec<u8>, XlsxError> {
    let words = language::words(report.language);
    let look = look::Look::new(report.language);
    let mut workbook = Workbook::new();
    workbook.set_properties(
        &DocProperties::new()
            .set_title(title(report, words))
            .set_author("ForgeOS Worker")
            .set_creation_datetime(&ExcelDateTime::from_timestamp(report.generated_at.timestamp())?),
    );
    summary::write(&mut workbook, report, words, &look)?;
    analyses::write(&mut workbook, report, words, &look)?;
    defects::write(&mut workbook, report, words, &look)?;
    if !report.left_out.is_empty() {
        left_out::write(&mut workbook, report, words, &look)?;
    }
    Ok(workbook.save_to_buffer()?)
}
