//! The fonts of reports: Inter for everything, DejaVu Sans and Noto Emoji for what it lacks, and those of the operator's folder.
//! Fonts of the machine are not looked at: a report looks the same everywhere.

use std::path::Path;

use super::error::SetterError;
use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

static BUILT_IN: [&[u8]; 5] = [
    include_bytes!("../../assets/fonts/Inter-Regular.otf"),
    include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
    include_bytes!("../../assets/fonts/DejaVuSans.ttf"),
    include_bytes!("../../assets/fonts/DejaVuSans-Bold.ttf"),
    include_bytes!("../../assets/fonts/NotoEmoji-Regular.ttf"),
];

/// All fonts, parsed.
pub(super) struct Fonts {
    fonts: Vec<Font>,
    book: LazyHash<FontBook>,
}

impl Fonts {
    /// The built-in fonts and every font file (`.ttf`, `.otf`, `.ttc`) directly in `dir`.
    pub(super) fn load(dir: Option<&Path>) -> Result<Self, SetterError> {
        let mut fonts: Vec<Font> = BUILT_IN.iter().flat_map(|bytes| Font::iter(Bytes::new(*bytes))).collect();
        if let Some(dir) = dir {
            fonts.extend(of_folder(dir)?);
        }
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Ok(Self { fonts, book })
    }

    pub(super) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    pub(super) fn get(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    /// Whether some font can draw `c`.
    pub(super) fn draw(&self, c: char) -> bool {
        self.fonts.iter().any(|font| font.info().coverage.contains(u32::from(c)))
    }
}

fn of_folder(dir: &Path) -> Result<Vec<Font>, SetterError> {
    let unreadable = |source| SetterError::Read { path: dir.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        if matches!(extension.as_str(), "ttf" | "otf" | "ttc") {
            files.push(path);
        }
    }
    // The order of a folder differs from machine to machine; that of the fonts decides which one stands in for another.
    files.sort();
    let mut fonts = Vec::new();
    for path in files {
        let bytes =
            std::fs::read(&path).map_err(|source| SetterError::Read { path: path.clone(), source })?;
        let before = fonts.len();
        fonts.extend(Font::iter(Bytes::new(bytes)));
        if fonts.len() == before {
            return Err(SetterError::NotAFont { path });
        }
    }
    Ok(fonts)
}
