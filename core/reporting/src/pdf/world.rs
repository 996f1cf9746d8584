//! All that a template can see of the world: its own files, the report's data and pictures. Everything else is denied,
//! whether it exists or not.

use std::collections::HashMap;

use super::error::PdfError;
use super::fonts::Fonts;
use super::templates::{Templates, file_id, main_of};
use super::view::Extent;
use super::{pictures, timestamp};
use crate::model::Report;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, Source};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, World};

/// The world of one report.
pub(super) struct ReportWorld<'a> {
    fonts: &'a Fonts,
    templates: &'a Templates,
    library: &'a LazyHash<Library>,
    main: FileId,
    files: HashMap<FileId, Bytes>,
    today: Option<Datetime>,
}

impl<'a> ReportWorld<'a> {
    pub(super) fn new(
        fonts: &'a Fonts,
        templates: &'a Templates,
        library: &'a LazyHash<Library>,
        report: &Report,
        extent: &Extent<'_>,
        view: serde_json::Value,
    ) -> Result<Self, PdfError> {
        let mut files = HashMap::new();
        let json = serde_json::to_vec(&view).map_err(PdfError::Data)?;
        files.insert(file_id("report.json"), Bytes::new(json));
        if !matches!(extent, Extent::Frame { .. }) {
            files.extend(pictures::files(report).map(|(name, file)| (file_id(&name), file)));
        }
        Ok(Self {
            fonts,
            templates,
            library,
            main: main_of(report.template),
            files,
            today: timestamp(report),
        })
    }
}

impl World for ReportWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.templates.source(id).cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).or_else(|| self.templates.file(id)).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        self.today
    }
}
