//! A file that typst wrote, as it is read to be copied into another: what is looked up in it, and how its references, keys
//! and ids change.

use std::collections::{HashMap, HashSet};

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::error::PdfError;

/// What is looked up once in a file that is to be copied.
pub(super) struct Source {
    pub(super) file: Document,
    pub(super) root: Dictionary,
    pub(super) pages: Vec<ObjectId>,
    pub(super) pages_root: ObjectId,
    pub(super) structure: Dictionary,
    pub(super) document: ObjectId,
    pub(super) elements: Vec<Object>,
}

/// How references, keys and ids of a file change.
pub(super) struct Change {
    pub(super) shift: u32,
    pub(super) keys: i64,
    pub(super) prefix: String,
    /// New objects for some of the old ones.
    pub(super) known: HashMap<ObjectId, u32>,
}

impl Source {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PdfError> {
        let file = Document::load_mem(bytes).map_err(PdfError::Unread)?;
        let of = |dictionary: &Dictionary, key: &[u8]| -> Result<Dictionary, lopdf::Error> {
            file.dereference(dictionary.get(key)?).and_then(|(_, found)| found.as_dict().cloned())
        };
        let root = of(&file.trailer, b"Root").map_err(PdfError::Unread)?;
        let pages_root = root.get(b"Pages").and_then(Object::as_reference).map_err(PdfError::Unread)?;
        let pages = file.get_pages().into_values().collect();
        let structure = of(&root, b"StructTreeRoot").map_err(PdfError::Unread)?;
        let document = match structure.get(b"K").map_err(PdfError::Unread)? {
            Object::Array(all) if all.len() == 1 => all[0].as_reference(),
            other => other.as_reference(),
        }
        .map_err(PdfError::Unread)?;
        let elements = file
            .get_object(document)
            .and_then(Object::as_dict)
            .and_then(|document| document.get(b"K"))
            .and_then(Object::as_array)
            .map_err(PdfError::Unread)?
            .clone();
        Ok(Self { root, pages, pages_root, structure, document, elements, file })
    }

    pub(super) fn page(&self, id: ObjectId) -> Result<&Dictionary, PdfError> {
        self.file.get_dictionary(id).map_err(PdfError::Unread)
    }

    /// The place among the pages, from 0, of a named destination.
    pub(super) fn page_of(&self, wanted: &str) -> Result<usize, PdfError> {
        let missing = PdfError::Join("a section has no destination of its name");
        let inner = |dictionary: &Dictionary, key: &[u8]| {
            let (_, found) = self.file.dereference(dictionary.get(key).ok()?).ok()?;
            Some(found.clone())
        };
        let names = inner(&self.root, b"Names")
            .and_then(|names| inner(names.as_dict().ok()?, b"Dests"))
            .and_then(|dests| inner(dests.as_dict().ok()?, b"Names"));
        let Some(Object::Array(names)) = names else { return Err(missing) };
        let pairs = names.as_chunks::<2>().0.iter();
        let mut found = pairs.filter(|pair| pair[0].as_str().is_ok_and(|name| name == wanted.as_bytes()));
        let Some([_, destination]) = found.next() else { return Err(missing) };
        let (_, destination) = self.file.dereference(destination).map_err(PdfError::Unread)?;
        let page = destination
            .as_array()
            .ok()
            .and_then(|array| array.first())
            .and_then(|page| page.as_reference().ok());
        self.pages.iter().position(|id| Some(*id) == page).ok_or(missing)
    }

    /// The page that an element, or the first that lies in it, stands on.
    pub(super) fn page_of_element(&self, element: &Object, depth: usize) -> Option<ObjectId> {
        if depth > 40 {
            return None;
        }
        let (_, element) = self.file.dereference(element).ok()?;
        if let Object::Array(all) = element {
            return all.iter().find_map(|one| self.page_of_element(one, depth + 1));
        }
        let element = element.as_dict().ok()?;
        match element.get(b"Pg").and_then(Object::as_reference) {
            Ok(page) => Some(page),
            Err(_) => self.page_of_element(element.get(b"K").ok()?, depth + 1),
        }
    }

    /// An element and all that lies in it.
    pub(super) fn gather(&self, element: &Object, into: &mut HashSet<ObjectId>, depth: usize) {
        if depth > 40 {
            return;
        }
        match element {
            Object::Reference(id) => {
                into.insert(*id);
                if let Ok(found) = self.file.get_object(*id) {
                    self.gather(found, into, depth + 1);
                }
            }
            Object::Array(all) => all.iter().for_each(|one| self.gather(one, into, depth + 1)),
            Object::Dictionary(one) => {
                if let Ok(inner) = one.get(b"K") {
                    self.gather(inner, into, depth + 1);
                }
            }
            _ => {}
        }
    }
}

impl Change {
    pub(super) fn number(&self, (id, _): ObjectId) -> u32 {
        self.known.get(&(id, 0)).copied().unwrap_or(self.shift + id)
    }

    pub(super) fn reference(&self, id: ObjectId) -> Object {
        Object::Reference((self.number(id), 0))
    }

    pub(super) fn id(&self, id: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), id].concat()
    }

    pub(super) fn object(&self, object: &Object) -> Object {
        match object {
            Object::Reference(id) => self.reference(*id),
            Object::Array(all) => Object::Array(all.iter().map(|one| self.object(one)).collect()),
            Object::Dictionary(dictionary) => Object::Dictionary(self.dictionary(dictionary)),
            Object::Stream(stream) => {
                let mut stream = stream.clone();
                stream.dict = self.dictionary(&stream.dict);
                Object::Stream(stream)
            }
            other => other.clone(),
        }
    }

    pub(super) fn dictionary(&self, dictionary: &Dictionary) -> Dictionary {
        let is_element = dictionary.has(b"S") && dictionary.has(b"P");
        let mut changed = Dictionary::new();
        for (key, value) in dictionary {
            let value = match (key.as_slice(), value) {
                (b"StructParent" | b"StructParents", Object::Integer(key)) => {
                    Object::Integer(key + self.keys)
                }
                (b"ID", Object::String(id, format)) if is_element => Object::String(self.id(id), *format),
                (b"Headers", Object::Array(ids)) => {
                    let id = |one: &Object| match one {
                        Object::String(id, format) => Object::String(self.id(id), *format),
                        other => other.clone(),
                    };
                    Object::Array(ids.iter().map(id).collect())
                }
                (_, value) => self.object(value),
            };
            changed.set(key.clone(), value);
        }
        changed
    }
}
