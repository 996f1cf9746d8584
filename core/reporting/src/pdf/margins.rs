//! What a page of the frame shows besides its text: header and footer, as they are drawn around what the page of a part
//! shows.
//!
//! typst marks everything that is no text of the document as an artifact. All that is marked otherwise is cut out, so that
//! what is left belongs to no element of the structure and can stand on any page.

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, Stream};

use super::error::PdfError;

/// Before every name of a resource, so that it is none of the page's own.
const PREFIX: &[u8] = b"m";

/// Header and footer of one page.
pub(super) struct Margins {
    /// Operators that draw them.
    pub(super) content: Vec<u8>,
    /// By kind and name what these name; references are those of the frame.
    pub(super) resources: Dictionary,
}

impl Margins {
    /// Those of a page of the frame.
    pub(super) fn of(frame: &Document, page: &Dictionary) -> Result<Self, PdfError> {
        let content = stream(frame, page)?;
        let content = content.decompressed_content().map_err(PdfError::Unread)?;
        let operations = Content::decode(&content).map_err(PdfError::Unread)?.operations;
        let operations = artifacts(operations).into_iter().map(renamed).collect::<Vec<_>>();
        let content = Content { operations }.encode().map_err(PdfError::Unread)?;
        let mut resources = Dictionary::new();
        for (kind, named) in &resources_of(frame, page)? {
            let (_, named) = frame.dereference(named).map_err(PdfError::Unread)?;
            // What is no dictionary is a list of words that readers ignore (ISO 32000-1, 14.2).
            if let Ok(named) = named.as_dict() {
                let named = named.iter().map(|(name, object)| (prefixed(name), object.clone()));
                resources.set(kind.clone(), Dictionary::from_iter(named));
            }
        }
        Ok(Self { content, resources })
    }
}

/// The page's only stream of content.
fn stream<'a>(file: &'a Document, page: &'a Dictionary) -> Result<&'a Stream, PdfError> {
    let content = page.get(b"Contents").map_err(PdfError::Unread)?;
    let (_, content) = file.dereference(content).map_err(PdfError::Unread)?;
    content.as_stream().map_err(|_| PdfError::Join("a page has not one stream of content"))
}

/// What the content of a page names, by kind.
pub(super) fn resources_of(file: &Document, page: &Dictionary) -> Result<Dictionary, PdfError> {
    let Ok(resources) = page.get(b"Resources") else { return Ok(Dictionary::new()) };
    let (_, resources) = file.dereference(resources).map_err(PdfError::Unread)?;
    resources.as_dict().cloned().map_err(PdfError::Unread)
}

/// All but what is marked as something else than an artifact.
fn artifacts(operations: Vec<Operation>) -> Vec<Operation> {
    let mut kept = Vec::with_capacity(operations.len());
    // Whether each of the marks that are open is an artifact.
    let mut open = Vec::new();
    for operation in operations {
        match operation.operator.as_str() {
            "BDC" | "BMC" => {
                let tag = operation.operands.first().and_then(|tag| tag.as_name().ok());
                open.push(tag == Some(b"Artifact"));
                if open.iter().all(|artifact| *artifact) {
                    kept.push(operation);
                }
            }
            "EMC" => {
                if open.iter().all(|artifact| *artifact) {
                    kept.push(operation);
                }
                open.pop();
            }
            _ if open.iter().all(|artifact| *artifact) => kept.push(operation),
            _ => {}
        }
    }
    kept
}

/// Names resources as they are called beside those of another page.
fn renamed(mut operation: Operation) -> Operation {
    let operator = operation.operator.as_str();
    if matches!(operator, "Tf" | "gs" | "Do" | "sh" | "cs" | "CS" | "scn" | "SCN") {
        for operand in &mut operation.operands {
            if let Object::Name(name) = operand
                && !(matches!(operator, "cs" | "CS") && is_built_in(name))
            {
                *name = prefixed(name);
            }
        }
    }
    operation
}

/// Spaces of colours that need no resource.
fn is_built_in(space: &[u8]) -> bool {
    matches!(space, b"DeviceGray" | b"DeviceRGB" | b"DeviceCMYK" | b"Pattern")
}

fn prefixed(name: &[u8]) -> Vec<u8> {
    [PREFIX, name].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn left(content: &str) -> String {
        let operations = Content::decode(content.as_bytes()).unwrap().operations;
        let operations = artifacts(operations).into_iter().map(renamed).collect::<Vec<_>>();
        String::from_utf8(Content { operations }.encode().unwrap()).unwrap().replace('\n', " ")
    }

    #[test]
    fn what_belongs_to_the_structure_is_cut_out_and_the_rest_stays_as_it_is() {
        let page = "q /P <</MCID 0>> BDC BT /f0 9 Tf (text) Tj ET EMC /Artifact BMC 1 0 0 1 5 5 cm EMC Q";
        assert_eq!(left(page), "q /Artifact BMC 1 0 0 1 5 5 cm EMC Q");
        let nested = "/Artifact BMC /Span <</MCID 1>> BDC 1 w EMC 2 w EMC /P <</MCID 2>> BDC /Artifact BMC 3 w EMC 4 w EMC";
        assert_eq!(left(nested), "/Artifact BMC 2 w EMC");
    }

    #[test]
    fn names_of_resources_are_none_of_another_page() {
        let page = "/f0 9 Tf /g1 gs /x2 Do /c3 cs 0.5 scn /DeviceGray CS /Pattern cs /p4 scn /s5 sh";
        assert_eq!(
            left(page),
            "/mf0 9 Tf /mg1 gs /mx2 Do /mc3 cs 0.5 scn /DeviceGray CS /Pattern cs /mp4 scn /ms5 sh"
        );
    }
}
