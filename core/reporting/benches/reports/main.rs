//! Reports, timed: one analysis with every template, hundreds in one document, and tables.
//!
//! `cargo bench --workspace --bench reports -- [--python PATH] [--pictures FOLDER] [--keep FOLDER] [--quick]`
//!
//! Every case runs in a process of its own, so that its memory is its own and its first document is cold. With an
//! interpreter, ReportLab and WeasyPrint set the same data with the same pictures in turn with us (`peers.py`); each is
//! left out when it cannot be imported. Pictures are drawn at the sizes the worker prints them, or taken from a folder of JPEGs.
//! `--keep` keeps the documents for looking. Reading data and pictures from disk is not timed here, but is in the peers.
#![allow(clippy::print_stdout)]

mod case;
mod child;
mod data;
mod outcome;

use std::path::{Path, PathBuf};

use case::{Case, Maker, Shape};
use outcome::{Outcome, median};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// So often programs take turns on the short cases, so that what else the machine does hits all.
const ROUNDS: usize = 3;
/// Documents a process makes to tell the warm time: the first is cold and not counted.
const DOCUMENTS: usize = 21;

/// What the command line asks for.
struct Wishes {
    python: Option<PathBuf>,
    pictures: Option<PathBuf>,
    keep: Option<PathBuf>,
    quick: bool,
}

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let mut wishes = Wishes { python: None, pictures: None, keep: None, quick: false };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            child::ARGUMENT => return child::run(&arguments.collect::<Vec<_>>()),
            "--python" => wishes.python = arguments.next().map(PathBuf::from),
            "--pictures" => wishes.pictures = arguments.next().map(PathBuf::from),
            "--keep" => wishes.keep = arguments.next().map(PathBuf::from),
            "--quick" => wishes.quick = true,
            _ => {} // `--bench`, from cargo.
        }
    }
    let album = data::Folder::new(wishes.pictures.as_deref(), wishes.keep.as_deref())?;
    println!(
        "pictures: {} kB for one analysis, {} kB for each of many",
        album.one_bytes / 1000,
        album.many_bytes / 1000
    );
    one_analysis(&album.path, &wishes)?;
    many_analyses(&album.path, &wishes)
}

/// The makers that can run, ours first.
fn makers(wishes: &Wishes) -> Vec<Maker> {
    let mut makers = vec![Maker::Ours];
    for library in ["reportlab", "weasyprint"] {
        let Some(python) = &wishes.python else { continue };
        let import = std::process::Command::new(python).args(["-c", &format!("import {library}")]).output();
        if import.is_ok_and(|output| output.status.success()) {
            makers.push(Maker::Peer { python: python.clone(), library });
        } else {
            println!("{library} cannot be imported");
        }
    }
    makers
}

fn one_analysis(folder: &Path, wishes: &Wishes) -> Fallible<()> {
    let (rounds, documents) = if wishes.quick { (1, 3) } else { (ROUNDS, DOCUMENTS) };
    println!(
        "\none analysis with two pictures, medians of {rounds} rounds in turn; wall ms (processor ms)\n"
    );
    println!(
        "| | process | first document | warm | warm, a page | pages | kB | peak MB | after {documents} |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut cases: Vec<(Case, Vec<[Outcome; 2]>)> = Vec::new();
    for maker in makers(wishes) {
        for template in ["summary", "standard", "detailed"] {
            if matches!(maker, Maker::Ours) || template == "standard" {
                let shape = Shape { format: "pdf", template, analyses: 1, pictures: true };
                cases.push((Case { maker: maker.clone(), shape }, Vec::new()));
            }
        }
    }
    for _ in 0..rounds {
        for (case, outcomes) in &mut cases {
            outcomes.push([case.run(folder, 1)?, case.run(folder, documents)?]);
        }
    }
    for (case, outcomes) in &cases {
        let of = |value: &dyn Fn(&[Outcome; 2]) -> f64| median(outcomes.iter().map(value).collect());
        let pages = outcomes[0][0].pages;
        let warm = of(&|round| round[1].warm_ms());
        println!(
            "| {case} | {:.0} | {:.0} ({:.0}) | {warm:.1} ({:.1}) | {:.1} | {pages} | {:.0} | {:.0} | {:.0} |",
            of(&|round| round[0].process_ms),
            of(&|round| round[0].times_ms[0]),
            of(&|round| round[0].processor_ms[0]),
            of(&|round| round[1].warm_processor_ms()),
            warm / pages.max(1) as f64,
            outcomes[0][0].size_bytes as f64 / 1e3,
            of(&|round| round[0].peak_mb()),
            of(&|round| round[1].peak_mb()),
        );
    }
    Ok(())
}

fn many_analyses(folder: &Path, wishes: &Wishes) -> Fallible<()> {
    println!("\nmany analyses in one document, once each\n");
    println!("| | s | processor s | ms a page | pages | MB | peak MB |");
    println!("|---|---|---|---|---|---|---|");
    let (some, most) = if wishes.quick { (30, 60) } else { (300, 1000) };
    let shape = |format, template, analyses, pictures| Shape { format, template, analyses, pictures };
    for maker in makers(wishes) {
        let mut shapes = vec![shape("pdf", "standard", some, true), shape("pdf", "standard", some, false)];
        if matches!(maker, Maker::Ours) {
            shapes.extend([
                shape("pdf", "standard", most, true),
                shape("pdf", "summary", most, true),
                shape("xlsx", "standard", most, false),
                shape("csv", "standard", most, false),
            ]);
        }
        for shape in shapes {
            let case = Case { maker: maker.clone(), shape };
            let outcome = case.run(folder, 1)?;
            let per_page = match outcome.pages {
                0 => "-".to_owned(),
                pages => format!("{:.1}", outcome.times_ms[0] / pages as f64),
            };
            println!(
                "| {case} | {:.2} | {:.2} | {per_page} | {} | {:.2} | {:.0} |",
                outcome.times_ms[0] / 1e3,
                outcome.processor_ms[0] / 1e3,
                outcome.pages,
                outcome.size_bytes as f64 / 1e6,
                outcome.peak_mb(),
            );
        }
    }
    Ok(())
}
