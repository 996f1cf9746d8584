//! Sets a report as PDF with typst.
//!
//! A [`Setter`] holds the fonts and templates, read once, and is shared by all reports. Templates see one JSON file and
//! the report's pictures and nothing else: no other file, no package, no network and no clock.

mod error;
mod fonts;
mod join;
mod margins;
mod memory;
mod part;
mod parts;
mod pictures;
mod templates;
mod text;
mod trial;
mod view;
mod world;

use std::path::{Path, PathBuf};

pub use self::error::{PdfError, SetterError};
use self::fonts::Fonts;
use self::templates::Templates;
use self::text::Settable;
use self::view::{Extent, House};
use self::world::ReportWorld;
use crate::model::Report;
use crate::rules::Rules;
use typst::LibraryExt;
use typst::foundations::{Datetime, Smart};
use typst::utils::LazyHash;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

/// Analyses of a report whose traces may stay in memory for the next.
const SMALL: usize = 5;

/// What an operator may put in place of the built-in files.
#[derive(Debug, Clone, Default)]
pub struct SetterOptions {
    /// A folder whose files stand in for built-in templates of the same name.
    pub templates_dir: Option<PathBuf>,
    /// A file of rules for recommendations.
    pub rules_file: Option<PathBuf>,
    /// A folder of fonts that templates may name.
    pub fonts_dir: Option<PathBuf>,
}

/// A report as PDF.
#[derive(Debug, Clone)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
}

/// Fonts and templates, read once. Cheap to share behind an `Arc`; holds no state of a report.
pub struct Setter {
    fonts: Fonts,
    templates: Templates,
    rules: Rules,
    library: LazyHash<typst::Library>,
}

impl Setter {
    /// Reads fonts and templates.
    ///
    /// # Errors
    /// When a file of the operator's folders cannot be read, or is not what it should be.
    pub fn new(options: SetterOptions) -> Result<Self, SetterError> {
        let setter = Self {
            fonts: Fonts::load(options.fonts_dir.as_deref())?,
            templates: Templates::load(options.templates_dir.as_deref())?,
            rules: match &options.rules_file {
                Some(path) => rules_of(path)?,
                None => Rules::builtin(),
            },
            library: LazyHash::new(typst::Library::default()),
        };
        if let Some(dir) = options.templates_dir {
            setter.try_templates(&dir)?;
        }
        Ok(setter)
    }

    /// Sets a small report with every template, so that one of the operator's that is wrong is found at start and not
    /// by the first customer.
    fn try_templates(&self, dir: &Path) -> Result<(), SetterError> {
        for report in trial::reports() {
            self.pdf(&report)
                .map_err(|error| SetterError::Template { dir: dir.to_owned(), source: error })?;
        }
        Ok(())
    }

    /// The rules that recommendations come from, for the other formats.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Sets `report`. Takes one thread for as long as it runs.
    ///
    /// # Errors
    /// When a template is wrong; the built-in ones are not.
    pub fn pdf(&self, report: &Report) -> Result<Pdf, PdfError> {
        self.pdf_telling(report, &mut |_| {})
    }

    /// The same; `told` hears how many of the analyses are set, as far as that can be known: of a large report after each
    /// part.
    ///
    /// # Errors
    /// As [`Self::pdf`].
    pub fn pdf_telling(&self, report: &Report, told: &mut dyn FnMut(usize)) -> Result<Pdf, PdfError> {
        let outcome = if self.sets_in_parts(report) {
            parts::set(self, report, told)
        } else {
            self.set(report, &Extent::Whole)
        };
        // What small reports share (templates, words) is kept while it is used; their own data goes with the next one.
        // A large one leaves nothing behind: memory stays bounded.
        typst::comemo::evict(usize::from(report.analyses.len() <= SMALL));
        outcome
    }

    /// Bytes that [`Self::pdf`] takes for `report` at most, the report's own pictures among them. A template of the operator's own may take more.
    #[must_use]
    pub fn memory_bound(&self, report: &Report) -> u64 {
        memory::bound(report, self.sets_in_parts(report))
    }

    fn sets_in_parts(&self, report: &Report) -> bool {
        parts::are_of_use(report) && self.templates.know_of_parts()
    }

    fn set(&self, report: &Report, extent: &Extent<'_>) -> Result<Pdf, PdfError> {
        let house = House {
            settable: Settable::new(&self.fonts),
            rules: &self.rules,
            logo: self.templates.has("logo.svg"),
        };
        let view = view::view(report, &house, extent);
        let world = ReportWorld::new(&self.fonts, &self.templates, &self.library, report, extent, view)?;
        set(&world, report, extent)
    }
}

fn rules_of(path: &Path) -> Result<Rules, SetterError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SetterError::Read { path: path.to_owned(), source })?;
    Rules::from_toml(&text).map_err(|source| SetterError::Rules { path: path.to_owned(), source })
}

fn set(world: &ReportWorld<'_>, report: &Report, extent: &Extent<'_>) -> Result<Pdf, PdfError> {
    let set = typst::compile::<PagedDocument>(world);
    let document = set.output.map_err(|errors| PdfError::Template(error::describe(world, &errors)))?;
    // typst goes on with the next font; whoever named this one would not see why.
    let unknown = set.warnings.into_iter().find(|warning| warning.message.starts_with("unknown font family"));
    if let Some(unknown) = unknown {
        return Err(PdfError::Template(error::describe(world, &[unknown])));
    }
    // Sections alone begin below the highest level of headings, which is in the frame: the standard is kept by the whole.
    let standards: &[PdfStandard] =
        if matches!(extent, Extent::Sections { .. }) { &[] } else { &[PdfStandard::Ua_1] };
    let options = PdfOptions {
        ident: Smart::Custom(format!("{}/{:?}", report.job_id, report.template)),
        creator: Smart::Custom(Some("ForgeOS Worker".to_owned())),
        timestamp: timestamp(report).map(Timestamp::new_utc),
        standards: PdfStandards::new(standards).map_err(|e| PdfError::Standard(e.message().to_string()))?,
        ..PdfOptions::default()
    };
    let bytes = typst_pdf::pdf(&document, &options)
        .map_err(|errors| PdfError::Template(error::describe(world, &errors)))?;
    Ok(Pdf { bytes, pages: document.pages().len() })
}

/// The moment a report was made, to the second.
fn timestamp(report: &Report) -> Option<Datetime> {
    use chrono::{Datelike, Timelike};
    let at = report.generated_at;
    let small = |n: u32| u8::try_from(n).ok();
    Datetime::from_ymd_hms(
        at.year(),
        small(at.month())?,
        small(at.day())?,
        small(at.hour())?,
        small(at.minute())?,
        small(at.second())?,
    )
}
