//! From a report to its files, on the compute threads. Pure computing: nothing is stored here.

use std::sync::Arc;

use bytes::Bytes;
use forgeos_core::{ErrorCode, JobContext, JobError, error::in_one_line};
use forgeos_reporting::{
    csv::csv,
    model::{Picture, Report},
    pdf::{PdfError, Setter},
    xlsx::{XlsxError, xlsx},
};

use super::{
    failure::{ReportFailure, Trouble},
    params::ReportFormat,
};

/// Memory that a table takes besides the data: one row at a time.
const TABLE_BYTES: u64 = 16 << 20;

/// A file that is not stored yet.
#[derive(Debug)]
pub(super) struct Typeset {
    pub(super) format: ReportFormat,
    pub(super) bytes: Bytes,
    /// Of a PDF; other files have none.
    pub(super) pages: Option<u64>,
    pub(super) has_pictures: bool,
}

/// Sets a report as one kind of file; `told` hears how many of its analyses are set.
pub(super) async fn typeset(
    ctx: &JobContext,
    setter: &Arc<Setter>,
    report: &Arc<Report>,
    format: ReportFormat,
    told: impl FnMut(usize) + Send + 'static,
) -> Result<Typeset, Trouble> {
    let wanted = if format == ReportFormat::Pdf { setter.memory_bound(report) } else { TABLE_BYTES };
    let memory = ctx.compute.reserve_memory(wanted).await?;
    let (setter, report) = (Arc::clone(setter), Arc::clone(report));
    let set = ctx
        .compute
        .run(move || {
            // Abandoned work goes on to its end: what it holds stays counted until then.
            let _held = memory;
            set(&setter, &report, format, told)
        })
        .await??;
    Ok(set)
}

fn set(
    setter: &Setter,
    report: &Report,
    format: ReportFormat,
    mut told: impl FnMut(usize),
) -> Result<Typeset, Trouble> {
    let (bytes, pages) = match format {
        ReportFormat::Pdf => {
            let pdf = setter.pdf_telling(report, &mut told).map_err(|error| wrong_template(&error))?;
            (pdf.bytes, Some(pdf.pages as u64))
        }
        ReportFormat::Xlsx => (xlsx(report).map_err(not_written)?, None),
        ReportFormat::Csv => (csv(report), None),
    };
    let given = |picture: &Option<Picture>| picture.as_ref().is_some_and(|picture| !picture.bytes.is_empty());
    let has_pictures = format == ReportFormat::Pdf
        && report.analyses.iter().any(|one| given(&one.photograph) || given(&one.overlay))
        && shows_pictures(&bytes);
    Ok(Typeset { format, bytes: bytes.into(), pages, has_pictures })
}

/// Whether a PDF has pictures in it: a template may leave them out. A picture's head is never packed (ISO 32000-1,
/// 7.5.7).
fn shows_pictures(pdf: &[u8]) -> bool {
    const HEADS: [&[u8]; 2] = [b"/Subtype /Image", b"/Subtype/Image"];
    HEADS.iter().any(|head| pdf.windows(head.len()).any(|bytes| bytes == *head))
}

/// The words name a file and a line of a template, which an operator may have written.
fn wrong_template(error: &PdfError) -> Trouble {
    let words = in_one_line(&error.to_string(), 300);
    tracing::warn!(error = words, "a report could not be set");
    Trouble::Report(ReportFailure::new(ErrorCode::Internal, format!("the report could not be set: {words}")))
}

/// Its temporary file could not be made, or the like: another attempt may do better.
fn not_written(error: XlsxError) -> Trouble {
    Trouble::Job(
        JobError::transient(ErrorCode::Internal, "the workbook of the report could not be written")
            .because(error),
    )
}
