//! Sets a report of many analyses in parts, so that memory does not grow with its pages.
//!
//! typst holds the whole of a document and every step of its layout until the file is written. Here it only ever holds the
//! frame (statistics, contents, what stands at the end) or the sections of [`PART`] analyses. Footers name the last page of
//! all, which is known once all sections are set: it is guessed from one page an analysis, and where that is wrong the
//! sections are set a second time.

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

/// Where the sections stand.
struct Plan {
    frame: Vec<u8>,
    /// Pages before the first section.
    before: usize,
    /// Pages of all.
    total: usize,
}

/// Sets `report`; `told` hears how many of the analyses are set.
pub(super) fn set(setter: &Setter, report: &Report, told: &mut dyn FnMut(usize)) -> Result<Pdf, PdfError> {
    let mut pages = vec![1; report.analyses.len()];
    let mut plan = frame(setter, report, &pages)?;
    loop {
        let (joined, counted) = sections(setter, report, &plan, told)?;
        if counted != pages {
            pages = counted;
            let other = frame(setter, report, &pages)?;
            let moved = (other.before, other.total) != (plan.before, plan.total);
            plan = other;
            if moved {
                continue;
            }
        }
        let blank = plan.before..plan.before + joined.pages();
        let bytes = joined.finish(&plan.frame, blank)?;
        return Ok(Pdf { bytes, pages: plan.total });
    }
}

fn frame(setter: &Setter, report: &Report, pages: &[usize]) -> Result<Plan, PdfError> {
    let frame = setter.set(report, &Extent::Frame { pages })?;
    typst::comemo::evict(0);
    let (first, total) = places(&frame.bytes, &[name(0)])?;
    Ok(Plan { frame: frame.bytes, before: first[0], total })
}

/// All sections, and how many pages each of them has.
fn sections(
    setter: &Setter,
    report: &Report,
    plan: &Plan,
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
        let extent =
            Extent::Sections { first, pages_before: plan.before + joined.pages(), pages_in_all: plan.total };
        let some = Report {
            analyses: analyses.to_vec(),
            left_out: Vec::new(),
            job_id: report.job_id.clone(),
            ..*report
        };
        let file = setter.set(&some, &extent)?;
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
