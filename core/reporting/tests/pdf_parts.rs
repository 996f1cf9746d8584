//! A report that is set in parts is the report that is set at once.
#![allow(clippy::unwrap_used)]

#[path = "pdf_support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use forgeos_reporting::model::{Defect, Language, Report, Template};
use forgeos_reporting::pdf::{Setter, SetterOptions};
use lopdf::{Dictionary, Document, Object, ObjectId};
use support::{analysis, report, setter};

/// As many as are set in parts, the last part with one alone.
const MANY: u32 = 51;

/// Every so many have more defects than a page holds.
fn many(template: Template, language: Language) -> Report {
    let analyses = (0..MANY).map(|number| {
        let mut one = analysis(number);
        if number % 20 == 7 {
            let defect = one.metrics.defects.as_ref().unwrap()[0].clone();
            one.metrics.defects = Some((0..60).map(|x| Defect { x, ..defect.clone() }).collect());
            one.metrics.defects_detected = Some(60);
        }
        one
    });
    Report { language, ..report(template, analyses.collect()) }
}

/// With a template that is not the program's, though it is word for word the same: reports are set at once.
fn setter_of_the_whole() -> (tempfile::TempDir, Setter) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("batch.typ"), include_str!("../templates/batch.typ")).unwrap();
    let options = SetterOptions { templates_dir: Some(dir.path().to_owned()), ..SetterOptions::default() };
    (dir, Setter::new(options).unwrap())
}

fn read(setter: &Setter, report: &Report) -> Document {
    let pdf = setter.pdf(report).unwrap();
    let file = Document::load_mem(&pdf.bytes).unwrap();
    assert_eq!(file.get_pages().len(), pdf.pages);
    file
}

#[test]
fn every_page_says_the_same_and_so_do_outline_and_destinations() {
    let (parts, (_dir, whole)) = (setter(), setter_of_the_whole());
    for (template, language) in [(Template::Detailed, Language::En), (Template::Standard, Language::No)] {
        let report = many(template, language);
        let (parts, whole) = (read(&parts, &report), read(&whole, &report));
        let count = whole.get_pages().len();
        assert_eq!(parts.get_pages().len(), count);
        for page in 1..=count as u32 {
            // Footers are drawn before the rest or after it; what reads aloud goes by the structure (below).
            let [a, b] = [&parts, &whole].map(|file| {
                let text = file.extract_text(&[page]).unwrap();
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            });
            assert_eq!(a, b, "page {page}");
        }
        assert_eq!(outline(&parts), outline(&whole));
        assert_eq!(destinations(&parts), destinations(&whole));
        assert!(destinations(&whole).len() > MANY as usize);
    }
}

#[test]
fn every_marked_content_and_every_link_is_found_from_the_structure_and_back() {
    let file = read(&setter(), &many(Template::Standard, Language::En));
    let tree = dictionary(&file, file.catalog().unwrap().get(b"StructTreeRoot").unwrap());
    let parents = table(&file, dictionary(&file, tree.get(b"ParentTree").unwrap()).get(b"Nums").unwrap());
    let keys: Vec<i64> = parents.iter().map(|(key, _)| key.as_i64().unwrap()).collect();
    assert!(
        keys.windows(2).all(|pair| pair[0] < pair[1])
            && tree.get(b"ParentTreeNextKey").unwrap().as_i64().unwrap() > keys[keys.len() - 1]
    );
    let ids = table(&file, dictionary(&file, tree.get(b"IDTree").unwrap()).get(b"Names").unwrap());
    assert!(ids.windows(2).all(|pair| pair[0].0.as_str().unwrap() < pair[1].0.as_str().unwrap()));
    let pages: BTreeMap<ObjectId, u32> =
        file.get_pages().into_iter().map(|(number, id)| (id, number)).collect();
    let mut walk = Walk {
        file: &file,
        pages,
        parents: parents.into_iter().map(|(key, value)| (key.as_i64().unwrap(), value)).collect(),
        marked: 0,
        last_page: 0,
    };
    let root = file.catalog().unwrap().get(b"StructTreeRoot").unwrap().as_reference().unwrap();
    walk.children(root, tree, None);
    // Some twenty on every page.
    assert!(walk.marked > 20 * MANY as usize, "{}", walk.marked);
}

#[test]
fn the_same_report_in_parts_gives_the_same_bytes() {
    let report = many(Template::Standard, Language::En);
    assert!(setter().pdf(&report).unwrap().bytes == setter().pdf(&report).unwrap().bytes);
}

#[test]
fn it_is_told_how_many_are_set() {
    let mut told = Vec::new();
    setter().pdf_telling(&many(Template::Standard, Language::En), &mut |set| told.push(set)).unwrap();
    assert_eq!(told[..3], [25, 50, 51]);
}

fn outline(file: &Document) -> Vec<(String, usize)> {
    let toc = file.get_toc().unwrap();
    toc.toc.into_iter().map(|one| (one.title, one.page)).collect()
}

/// Names and the numbers of their pages.
fn destinations(file: &Document) -> Vec<(Vec<u8>, u32)> {
    let pages: BTreeMap<ObjectId, u32> =
        file.get_pages().into_iter().map(|(number, id)| (id, number)).collect();
    let names = dictionary(file, file.catalog().unwrap().get(b"Names").unwrap());
    let dests = dictionary(file, names.get(b"Dests").unwrap());
    table(file, dests.get(b"Names").unwrap())
        .into_iter()
        .map(|(name, place)| {
            let page = file.dereference(&place).unwrap().1.as_array().unwrap()[0].as_reference().unwrap();
            (name.as_str().unwrap().to_vec(), pages[&page])
        })
        .collect()
}

fn dictionary<'a>(file: &'a Document, object: &'a Object) -> &'a Dictionary {
    file.dereference(object).unwrap().1.as_dict().unwrap()
}

fn table(file: &Document, list: &Object) -> Vec<(Object, Object)> {
    let list = file.dereference(list).unwrap().1.as_array().unwrap();
    list.as_chunks::<2>().0.iter().map(|[key, value]| (key.clone(), value.clone())).collect()
}

/// Goes through the structure in reading order.
struct Walk<'a> {
    file: &'a Document,
    pages: BTreeMap<ObjectId, u32>,
    parents: BTreeMap<i64, Object>,
    marked: usize,
    last_page: u32,
}

impl Walk<'_> {
    fn children(&mut self, id: ObjectId, element: &Dictionary, page: Option<ObjectId>) {
        let page = element.get(b"Pg").and_then(Object::as_reference).ok().or(page);
        let Ok(children) = element.get(b"K") else { return };
        let children = match children {
            Object::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        for child in children {
            match &child {
                Object::Integer(mark) => self.mark(id, page.unwrap(), *mark),
                Object::Reference(inner) => {
                    let found = self.file.get_object(*inner).unwrap().as_dict().unwrap().clone();
                    assert_eq!(found.get(b"P").unwrap().as_reference().unwrap(), id);
                    self.children(*inner, &found, page);
                }
                Object::Dictionary(inner) if inner.has_type(b"OBJR") => {
                    let object = dictionary(self.file, inner.get(b"Obj").unwrap());
                    let key = object.get(b"StructParent").unwrap().as_i64().unwrap();
                    assert_eq!(self.parents[&key].as_reference().unwrap(), id);
                }
                Object::Dictionary(inner) => {
                    let page = inner.get(b"Pg").and_then(Object::as_reference).ok().or(page);
                    self.mark(id, page.unwrap(), inner.get(b"MCID").unwrap().as_i64().unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// The page's list names the element that names the mark; pages come one after the other.
    fn mark(&mut self, element: ObjectId, page: ObjectId, mark: i64) {
        self.marked += 1;
        let number = self.pages[&page];
        assert!(number >= self.last_page, "page {number} after {}", self.last_page);
        self.last_page = number;
        let page = self.file.get_object(page).unwrap().as_dict().unwrap();
        let key = page.get(b"StructParents").unwrap().as_i64().unwrap();
        let (_, list) = self.file.dereference(&self.parents[&key]).unwrap();
        assert_eq!(list.as_array().unwrap()[mark as usize].as_reference().unwrap(), element);
    }
}
