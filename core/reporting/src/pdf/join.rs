//! Joins the parts of a large report into one PDF, written as they come: no part is held any longer than it takes to
//! copy it.
//!
//! A frame has every page of the report; those of its analyses have nothing but headings, headers and footers. Its outline,
//! its named destinations and its page numbers are therefore right as they are. The pages of the parts take the place of
//! those pages, and get their headers and footers. Objects get new numbers; what is numbered besides (the keys of the
//! structure's parent tree, the ids of its elements) is made unique. Knows what typst writes (PDF 1.7, flat page tree,
//! structure trees with direct arrays) and no more than that: something else is an error, never a broken file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use lopdf::{Dictionary, Object, ObjectId, Stream, StringFormat, Writer};

use super::error::PdfError;
use super::margins::{Margins, resources_of};
use super::part::{Change, Source};

/// The page tree's only node.
const PAGES: u32 = 1;
/// The structure element that all others lie in.
const DOCUMENT: u32 = 2;
/// The file's first bytes: the version, and a comment that tells tools it is no text.
const HEAD: &[u8] = b"%PDF-1.7\n%\x80\x80\x80\x80\n";

/// A file under way.
pub(super) struct Joined {
    out: Vec<u8>,
    /// Where each object begins, the first object first; 0 for one that is not written.
    offsets: Vec<usize>,
    pages: Vec<Page>,
    elements: Vec<Object>,
    /// Keys with what they stand for, ascending.
    parents: Vec<Object>,
    next_key: i64,
    ids: BTreeMap<Vec<u8>, Object>,
    parts: usize,
}

/// A page of a part, until it is known what stands around it.
struct Page {
    id: u32,
    dictionary: Dictionary,
    resources: Dictionary,
}

impl Joined {
    /// `expected` is about how many bytes it will have.
    pub(super) fn new(expected: usize) -> Self {
        let mut out = Vec::with_capacity(expected);
        out.extend_from_slice(HEAD);
        let offsets = vec![0; DOCUMENT as usize];
        let (pages, elements, parents) = (Vec::new(), Vec::new(), Vec::new());
        Self { out, offsets, pages, elements, parents, next_key: 0, ids: BTreeMap::new(), parts: 0 }
    }

    /// How many pages the parts have so far.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Adds all pages of a part. Gives the place among them, from 0, of each of the named destinations.
    pub(super) fn add(&mut self, part: &[u8], names: &[String]) -> Result<Vec<usize>, PdfError> {
        let source = Source::read(part)?;
        let starts = names.iter().map(|name| source.page_of(name)).collect::<Result<_, _>>()?;
        let change = self.change(&source);
        let mut held = HashSet::new();
        for id in &source.pages {
            let page = source.page(*id)?;
            held.insert(*id);
            held.extend(page.get(b"Resources").and_then(Object::as_reference));
            self.pages.push(Page {
                id: change.number(*id),
                dictionary: change.dictionary(page),
                resources: change.dictionary(&resources_of(&source.file, page)?),
            });
        }
        self.copy(&source, &change, &held)?;
        self.elements.extend(source.elements.iter().map(|one| change.object(one)));
        self.take_tables(&source, &change, &HashSet::new())?;
        Ok(starts)
    }

    /// Puts the pages of all parts in the place of the frame's pages `blank`, which must be as many.
    pub(super) fn finish(mut self, frame: &[u8], blank: Range<usize>) -> Result<Vec<u8>, PdfError> {
        let source = Source::read(frame)?;
        if blank.len() != self.pages.len() || blank.end > source.pages.len() {
            return Err(PdfError::Join("pages of the parts are not those of the frame"));
        }
        let mut change = self.change(&source);
        let blank = &source.pages[blank];
        let taken: HashSet<ObjectId> = blank.iter().copied().collect();
        for (page, real) in blank.iter().zip(&self.pages) {
            change.known.insert(*page, real.id);
        }
        // Elements of blank pages go, with all that lies in them; those of the parts stand where they stood.
        let (mut before, mut after, mut dropped) = (Vec::new(), Vec::new(), taken.clone());
        let mut reached = false;
        for element in &source.elements {
            if source.page_of_element(element, 0).is_some_and(|page| taken.contains(&page)) {
                reached = true;
                source.gather(element, &mut dropped, 0);
            } else if reached {
                after.push(change.object(element));
            } else {
                before.push(change.object(element));
            }
        }
        for id in blank {
            let page = source.page(*id)?;
            for key in [&b"Contents"[..], b"Resources"] {
                dropped.extend(page.get(key).and_then(Object::as_reference));
            }
        }
        self.copy(&source, &change, &dropped)?;
        self.frame_pages(&source, &change, blank)?;
        self.take_tables(&source, &change, &dropped)?;
        let parts = std::mem::take(&mut self.elements);
        let elements: Vec<Object> = before.into_iter().chain(parts).chain(after).collect();
        let page = |id: &ObjectId| change.reference(*id);
        let pages: Vec<Object> = source.pages.iter().map(page).collect();
        self.close(&source, &change, pages, elements)
    }

    /// Writes the pages of all parts, each with header and footer of its blank page.
    fn frame_pages(&mut self, source: &Source, change: &Change, blank: &[ObjectId]) -> Result<(), PdfError> {
        for (mut page, id) in std::mem::take(&mut self.pages).into_iter().zip(blank) {
            let margins = Margins::of(&source.file, source.page(*id)?)?;
            for (kind, named) in &change.dictionary(&margins.resources) {
                let mut all = match page.resources.get(kind) {
                    Ok(own) => own.as_dict().cloned().map_err(PdfError::Unread)?,
                    Err(_) => Dictionary::new(),
                };
                for (name, object) in named.as_dict().map_err(PdfError::Unread)? {
                    all.set(name.clone(), object.clone());
                }
                page.resources.set(kind.clone(), all);
            }
            // What they do to the state of drawing ends with them.
            let mut around =
                Stream::new(Dictionary::new(), [b"q\n", &margins.content[..], b"\nQ\n"].concat());
            around.compress().map_err(PdfError::Unread)?;
            self.offsets.push(0);
            let number = self.offsets.len() as u32;
            self.write(number, &Object::Stream(around))?;
            let own = page.dictionary.get(b"Contents").map_err(PdfError::Unread)?.clone();
            page.dictionary.set("Contents", vec![Object::Reference((number, 0)), own]);
            page.dictionary.set("Resources", page.resources);
            self.write(page.id, &Object::Dictionary(page.dictionary))?;
        }
        Ok(())
    }

    fn change(&mut self, source: &Source) -> Change {
        self.parts += 1;
        Change {
            shift: self.offsets.len() as u32,
            keys: self.next_key,
            prefix: format!("{}-", self.parts),
            known: HashMap::from([(source.pages_root, PAGES), (source.document, DOCUMENT)]),
        }
    }

    /// Copies all objects but those that the joined file has once, and those `dropped`.
    fn copy(
        &mut self,
        source: &Source,
        change: &Change,
        dropped: &HashSet<ObjectId>,
    ) -> Result<(), PdfError> {
        let highest = source.file.objects.keys().map(|id| id.0).max().unwrap_or(0);
        self.offsets.resize(self.offsets.len() + highest as usize, 0);
        for (id, object) in &source.file.objects {
            let once = change.known.contains_key(id) || self.is_of_the_whole(source, *id);
            if !once && !dropped.contains(id) {
                self.write(change.shift + id.0, &change.object(object))?;
            }
        }
        Ok(())
    }

    /// The catalog and what only it refers to: written anew at the end.
    fn is_of_the_whole(&self, source: &Source, id: ObjectId) -> bool {
        let refers = |dictionary: &Dictionary, key: &[u8]| {
            dictionary.get(key).and_then(Object::as_reference).is_ok_and(|found| found == id)
        };
        refers(&source.file.trailer, b"Root") || refers(&source.root, b"StructTreeRoot")
    }

    /// Takes over the tables that find structure elements by key and by id.
    fn take_tables(
        &mut self,
        source: &Source,
        change: &Change,
        dropped: &HashSet<ObjectId>,
    ) -> Result<(), PdfError> {
        let table = |name: &[u8], list: &[u8]| -> Result<Vec<Object>, PdfError> {
            let Ok(table) = source.structure.get(name) else { return Ok(Vec::new()) };
            let (_, table) = source.file.dereference(table).map_err(PdfError::Unread)?;
            let list = table.as_dict().and_then(|table| table.get(list)).map_err(PdfError::Unread)?;
            let (_, list) = source.file.dereference(list).map_err(PdfError::Unread)?;
            Ok(list.as_array().map_err(PdfError::Unread)?.clone())
        };
        let lost = |object: &Object| match object {
            Object::Reference(id) => dropped.contains(id),
            Object::Array(all) => {
                all.iter().any(|one| one.as_reference().is_ok_and(|id| dropped.contains(&id)))
            }
            _ => false,
        };
        for pair in table(b"ParentTree", b"Nums")?.as_chunks::<2>().0 {
            let key = pair[0].as_i64().map_err(PdfError::Unread)? + change.keys;
            self.next_key = self.next_key.max(key + 1);
            if !lost(&pair[1]) {
                self.parents.extend([Object::Integer(key), change.object(&pair[1])]);
            }
        }
        for pair in table(b"IDTree", b"Names")?.as_chunks::<2>().0 {
            if !lost(&pair[1]) {
                let id = pair[0].as_str().map_err(PdfError::Unread)?;
                self.ids.insert(change.id(id), change.object(&pair[1]));
            }
        }
        Ok(())
    }

    fn close(
        mut self,
        source: &Source,
        change: &Change,
        pages: Vec<Object>,
        elements: Vec<Object>,
    ) -> Result<Vec<u8>, PdfError> {
        let mut tree = Dictionary::new();
        tree.set("Type", name("Pages"));
        tree.set("Count", pages.len() as i64);
        tree.set("Kids", pages);
        self.write(PAGES, &Object::Dictionary(tree))?;

        let root_id = self.offsets.len() as u32 + 1;
        let structure_id = root_id + 1;
        self.offsets.extend([0, 0]);
        let document =
            source.file.get_object(source.document).and_then(Object::as_dict).map_err(PdfError::Unread)?;
        let mut document = change.dictionary(document);
        document.set("P", Object::Reference((structure_id, 0)));
        document.set("K", elements);
        self.write(DOCUMENT, &Object::Dictionary(document))?;

        let mut structure = change.dictionary(&source.structure);
        structure.set("K", vec![Object::Reference((DOCUMENT, 0))]);
        structure.set("ParentTreeNextKey", self.next_key);
        structure.set("ParentTree", only("Nums", std::mem::take(&mut self.parents)));
        let ids = std::mem::take(&mut self.ids).into_iter();
        let ids = ids.flat_map(|(id, element)| [Object::String(id, StringFormat::Literal), element]);
        structure.set("IDTree", only("Names", ids.collect()));
        self.write(structure_id, &Object::Dictionary(structure))?;

        let mut root = change.dictionary(&source.root);
        root.set("StructTreeRoot", Object::Reference((structure_id, 0)));
        self.write(root_id, &Object::Dictionary(root))?;

        let mut trailer = Dictionary::new();
        trailer.set("Size", self.offsets.len() as i64 + 1);
        trailer.set("Root", Object::Reference((root_id, 0)));
        for key in ["Info", "ID"] {
            if let Ok(value) = source.file.trailer.get(key.as_bytes()) {
                trailer.set(key, change.object(value));
            }
        }
        self.end(&trailer)
    }

    fn write(&mut self, id: u32, object: &Object) -> Result<(), PdfError> {
        self.offsets[id as usize - 1] = self.out.len();
        self.out.extend_from_slice(format!("{id} 0 obj\n").as_bytes());
        Writer::write_object(&mut self.out, object).map_err(|error| PdfError::Unread(error.into()))?;
        self.out.extend_from_slice(b"\nendobj\n");
        Ok(())
    }

    /// The table of objects and the trailer.
    fn end(mut self, trailer: &Dictionary) -> Result<Vec<u8>, PdfError> {
        let start = self.out.len();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f\r\n", self.offsets.len() + 1);
        for offset in &self.offsets {
            // Those that were left out are free.
            let (generation, kind) = if *offset == 0 { (65_535, 'f') } else { (0, 'n') };
            table.push_str(&format!("{offset:010} {generation:05} {kind}\r\n"));
        }
        self.out.extend_from_slice(table.as_bytes());
        self.out.extend_from_slice(b"trailer\n");
        Writer::write_object(&mut self.out, &Object::Dictionary(trailer.clone()))
            .map_err(|error| PdfError::Unread(error.into()))?;
        self.out.extend_from_slice(format!("\nstartxref\n{start}\n%%EOF").as_bytes());
        Ok(self.out)
    }
}

/// The page, from 0, on which each named destination of a file lies.
pub(super) fn places(file: &[u8], names: &[String]) -> Result<Vec<usize>, PdfError> {
    let source = Source::read(file)?;
    names.iter().map(|name| source.page_of(name)).collect()
}

fn name(name: &str) -> Object {
    Object::Name(name.as_bytes().to_vec())
}

fn only(key: &str, list: Vec<Object>) -> Object {
    let mut dictionary = Dictionary::new();
    dictionary.set(key, list);
    Object::Dictionary(dictionary)
}
