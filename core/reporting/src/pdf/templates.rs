//! The templates: built in, each file replaceable by one of the same name in the operator's folder.

use std::collections::HashMap;
use std::path::Path;

use super::error::SetterError;
use crate::model::Template;
use typst::foundations::Bytes;
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("../../templates/", $name)))),+] };
}

static BUILT_IN: [(&str, &str); 9] = built_in![
    "summary.typ",
    "standard.typ",
    "detailed.typ",
    "theme.typ",
    "page.typ",
    "parts.typ",
    "charts.typ",
    "analysis.typ",
    "batch.typ",
];

/// All files that templates may read beside the report's own, by name.
pub(super) struct Templates {
    knows_of_parts: bool,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
}

impl Templates {
    /// The built-in templates and every file directly in `dir`.
    pub(super) fn load(dir: Option<&Path>) -> Result<Self, SetterError> {
        let mut sources = HashMap::new();
        for (name, text) in BUILT_IN {
            let id = file_id(name);
            sources.insert(id, Source::new(id, text.to_owned()));
        }
        let mut files = HashMap::new();
        let mut knows_of_parts = true;
        if let Some(dir) = dir {
            for entry in
                std::fs::read_dir(dir).map_err(|source| SetterError::Read { path: dir.to_owned(), source })?
            {
                let path = entry.map_err(|source| SetterError::Read { path: dir.to_owned(), source })?.path();
                let Some(name) = path.file_name().and_then(|n| n.to_str()).filter(|_| path.is_file()) else {
                    continue;
                };
                let id = file_id(name);
                let bytes = std::fs::read(&path)
                    .map_err(|source| SetterError::Read { path: path.clone(), source })?;
                if name.ends_with(".typ") {
                    knows_of_parts &= name == "theme.typ" || BUILT_IN.iter().all(|(known, _)| *known != name);
                    let text =
                        String::from_utf8(bytes).map_err(|_| SetterError::NotText { path: path.clone() })?;
                    sources.insert(id, Source::new(id, text));
                } else {
                    files.insert(id, Bytes::new(bytes));
                }
            }
        }
        Ok(Self { knows_of_parts, sources, files })
    }

    pub(super) fn source(&self, id: FileId) -> Option<&Source> {
        self.sources.get(&id)
    }

    /// Whether a report may be set in parts: built-in templates know how; of others, the theme need not.
    pub(super) fn know_of_parts(&self) -> bool {
        self.knows_of_parts
    }

    /// Whether the operator's folder holds a file of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(&file_id(name))
    }

    pub(super) fn file(&self, id: FileId) -> Option<&Bytes> {
        self.files.get(&id)
    }
}

/// The file a template starts from.
pub(super) fn main_of(template: Template) -> FileId {
    file_id(match template {
        Template::Summary => "summary.typ",
        Template::Standard => "standard.typ",
        Template::Detailed => "detailed.typ",
    })
}

/// The id of the file `name` below the root. Ids are never given back: names must come from a small set.
pub(super) fn file_id(name: &str) -> FileId {
    // Names of files hold no backslash and no `..`; one that did would be no file of ours.
    let path = VirtualPath::new(name).or_else(|_| VirtualPath::new("unnamed"));
    match path {
        Ok(path) => RootedPath::new(VirtualRoot::Project, path).intern(),
        Err(_) => unreachable!("`unnamed` is a path"),
    }
}
