//! An operator's own templates, fonts and rules; and what a template must not reach.
#![allow(clippy::unwrap_used)]

#[path = "pdf_support/mod.rs"]
mod support;

use std::error::Error;
use std::path::Path;

use forgeos_reporting::model::Template;
use forgeos_reporting::pdf::{Setter, SetterError, SetterOptions};
use support::{analysis, of_one, setter};
use tempfile::TempDir;

fn with(files: &[(&str, &str)]) -> (TempDir, Result<Setter, SetterError>) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let setter = of_folder(dir.path());
    (dir, setter)
}

fn of_folder(dir: &Path) -> Result<Setter, SetterError> {
    Setter::new(SetterOptions { templates_dir: Some(dir.to_owned()), ..SetterOptions::default() })
}

/// The whole chain of causes.
fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn refused(files: &[(&str, &str)]) -> String {
    let (_dir, setter) = with(files);
    match setter {
        Ok(_) => panic!("was taken"),
        Err(error) => reason(&error),
    }
}

#[test]
fn a_file_of_the_folder_stands_in_for_the_built_in_one() {
    let own = "#let report = json(\"report.json\")\n#set document(title: \"Ours\")\n= #report.title\n#pagebreak() x #pagebreak() y";
    let (_dir, own) = with(&[("summary.typ", own)]);
    let own = own.unwrap();
    assert_eq!(own.pdf(&of_one(Template::Summary, analysis(1))).unwrap().pages, 3);
    let standard = of_one(Template::Standard, analysis(1));
    assert!(own.pdf(&standard).unwrap().bytes == setter().pdf(&standard).unwrap().bytes);
}

#[test]
fn a_logo_and_a_theme_are_enough_to_make_it_ones_own() {
    let theme = include_str!("../templates/theme.typ").replace("\"ForgeOS\"", "\"Nordlakk AS\"");
    let logo = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 10'><rect width='20' height='10' fill='teal'/></svg>";
    let (_dir, own) = with(&[("theme.typ", &theme), ("logo.svg", logo)]);
    let pdf = own.unwrap().pdf(&of_one(Template::Standard, analysis(1))).unwrap();
    assert!(String::from_utf8_lossy(&pdf.bytes).contains("Nordlakk AS"));
}

#[test]
fn the_colours_of_the_key_are_those_of_the_picture() {
    use forgeos_imaging::{DefectClass, overlay};
    let theme = include_str!("../templates/theme.typ");
    let list = theme.split_once("overlay-colors = (").unwrap().1.split_once("\n)").unwrap().0;
    let classes = [
        ("rust", DefectClass::Rust),
        ("crack", DefectClass::Crack),
        ("blister", DefectClass::Blister),
        ("flake", DefectClass::Flake),
        ("streak", DefectClass::Streak),
        ("bead", DefectClass::Bead),
    ];
    let areas = [("uncovered", overlay::UNCOVERED_COLOR), ("glare", overlay::GLARE_COLOR)];
    for (name, [red, green, blue]) in
        classes.map(|(name, class)| (name, overlay::class_color(class))).into_iter().chain(areas)
    {
        let line = format!("  {name}: rgb(\"#{red:02x}{green:02x}{blue:02x}\"),");
        assert!(list.contains(&line), "{line}");
    }
}

#[test]
fn a_wrong_template_is_told_by_file_and_line() {
    let error = refused(&[("standard.typ", "#set document(title: \"x\")\n\n#unknown-name\n")]);
    assert!(error.contains("standard.typ:3") && error.contains("unknown"), "{error}");
    let error = refused(&[("charts.typ", "#let a = (\n")]);
    assert!(error.contains("charts.typ:1"), "{error}");
}

#[test]
fn a_font_that_is_not_there_is_named() {
    let theme = include_str!("../templates/theme.typ").replace("\"Inter\"", "\"House Grotesk\"");
    let error = refused(&[("theme.typ", &theme)]);
    assert!(error.contains("house grotesk") && error.contains(".typ:"), "{error}");
}

#[test]
fn a_template_reaches_no_file_of_the_machine() {
    for reach in [
        "#read(\"/etc/hostname\")",
        "#read(\"../../../../etc/hostname\")",
        "#image(\"/proc/self/environ\")",
        "#include \"/root/x.typ\"",
        "#import \"@preview/cetz:0.3.0\"",
    ] {
        let error = refused(&[("summary.typ", reach)]);
        assert!(error.contains("summary.typ:1"), "{error}");
        assert!(!error.contains("cetz") || error.contains("package") || error.contains("access"), "{error}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = reason(&of_folder(Path::new("no/such/folder")).err().unwrap());
    assert!(error.contains("no/such/folder"), "{error}");
}

#[test]
fn what_is_no_font_and_no_rule_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("house.ttf"), "no font").unwrap();
    let fonts_dir = Some(dir.path().to_owned());
    let error = Setter::new(SetterOptions { fonts_dir, ..SetterOptions::default() }).err().unwrap();
    assert!(reason(&error).contains("house.ttf"));

    let rules = dir.path().join("rules.toml");
    std::fs::write(&rules, "[[rule]]\nid = \"x\"\n").unwrap();
    let error =
        Setter::new(SetterOptions { rules_file: Some(rules), ..SetterOptions::default() }).err().unwrap();
    let error = reason(&error);
    assert!(error.contains("rules.toml") && error.contains("`x`"), "{error}");
}
