//! Sets a report of many analyses in parts, so that memory does not grow with its pages.
//!
//! typst holds the whole of a document and every step of its layout until the file is written. Here it only ever holds the
//! sections of [`PART`] analyses, or the frame: statistics, contents, what stands at the end, and the header and footer of
//! every page. The frame comes last, when it is known how many pages each section has, so nothing is set twice.

use super::error::PdfError;
use super::join::{Joined, places};
use super::view::Extent;
use super::{Pdf, Setter};
use crate::model::{Report, Template};

/// Analyses of one part.
pub(super) const PART: usize = 25;
/// With so many analyses a report is set in parts.
pub(super) const MANY: usize = 2 * PART;
/// Bytes of an analysis in the file besides its pictures: for the room that is made at first.
const PAGE_BYTES: usize = 32 << 10;

/// Whether a report is set in parts: when it has sections, and enough of them. Templates of an operator's own know of no
/// parts.
pub(super) fn are_of_use(report: &Report) -> bool {
    report.combined && report.template != Template::Summary && report.analyses.len() >= MANY
}

/// Sets `report`; `told` hears how many of the analyses are set.
pub(super) fn set(setter: &Setter, report: &Report, told: &mut dyn FnMut(usize)) -> Result<Pdf, PdfError> {
    let (joined, counted) = sections(setter, report, told)?;
    let frame = setter.set(report, &Extent::Frame { pages: &counted })?;
    typst::comemo::evict(0);
    let first = places(&frame.bytes, &[name(0)])?[0];
    let blank = first..first + joined.pages();
    let bytes = joined.finish(&frame.bytes, blank)?;
    Ok(Pdf { bytes, pages: frame.pages })
}

/// All sections, and how many pages each of them has.
fn sections(
    setter: &Setter,
    report: &Report,
    told: &mut dyn FnMut(usize),
) -> Result<(Joined, Vec<usize>), PdfError> {
    let pictures: usize = report
        .analyses
        .iter()
        .flat_map(|one| [&one.photograph, &one.overlay])
        .flatten()
        .map(|picture| picture.bytes.len())
        .sum();
    let mut joined = Joined::new(pictures + report.analyses.len() * PAGE_BYTES);
    let mut counted = Vec::with_capacity(report.analyses.len());
    for (part, analyses) in report.analyses.chunks(PART).enumerate() {
        let first = part * PART;
        let some = Report {
            analyses: analyses.to_vec(),
            left_out: Vec::new(),
            job_id: report.job_id.clone(),
            ..*report
        };
        let file = setter.set(&some, &Extent::Sections { first })?;
        typst::comemo::evict(0);
        let names: Vec<String> = (first..first + analyses.len()).map(name).collect();
        let starts = joined.add(&file.bytes, &names)?;
        let ends = starts.iter().skip(1).copied().chain([file.pages]);
        counted.extend(starts.iter().zip(ends).map(|(start, end)| end.saturating_sub(*start)));
        told(first + analyses.len());
    }
    Ok((joined, counted))
}

/// The name under which templates make the heading of an analysis known.
fn name(place: usize) -> String {
    format!("analysis-{}", place + 1)
}
