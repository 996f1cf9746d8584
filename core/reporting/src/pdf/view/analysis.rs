//! One analysis as a template sees it.

use super::{House, figures, shown};
use crate::language::{
    NOT_MEASURED, date, date_time, decimal, index, integer, place_of, share, share_in_column, words,
};
use crate::model::{Analysis, Defect, Language, Metrics, Picture, Report, Template};
use crate::pdf::pictures;
use crate::pdf::text::Settable;
use crate::rules::{
    Class, Figure, Rules, Verdict, figures_are_doubtful, grades, grades_note, reason, verdict,
    verdict_sentence,
};
use serde_json::{Value, json};

/// Letters of an id that tell an analysis from others in a report.
const ID_END: usize = 8;

/// `position` is its place in `report`, whose first has `before` others before it in the whole report.
pub(super) fn view(
    report: &Report,
    position: usize,
    analysis: &Analysis,
    house: &House<'_>,
    before: usize,
) -> Value {
    let settable = &house.settable;
    let language = report.language;
    let words = words(language);
    let metrics = &analysis.metrics;
    let name = name_of(analysis, language, settable);
    let picture = |role: &str, picture: &Option<Picture>| {
        shown(picture).map(|p| {
            json!({
                "file": format!("/{}", pictures::name(position, role, p)),
                "alt": words.fill(&format!("alt.{role}"), &[("name", &name)]),
            })
        })
    };
    let recommendations = match report.include_recommendations {
        true => recommendations(metrics, language, house.rules),
        false => Vec::new(),
    };
    json!({
        "number": before + position + 1,
        "id": settable.text(&analysis.id),
        "batch_id": analysis.job_id.as_deref().map(|id| settable.text(id)),
        "name": name,
        "date": analysis.created_at.map(|at| date(language, at)),
        "date_time": analysis.created_at.map(|at| date_time(language, at)),
        "verdict": verdict_of(metrics, language, settable),
        "severity": severity(metrics, language),
        "profile_note": figures::is_reference(metrics).then(|| words.get("profile_meaning.reference")),
        "indices": figures::indices(metrics, language),
        "defect_count": figures::count(metrics.defects_detected, language),
        "defects": defects(report, metrics, settable),
        "map": map(metrics),
        "capture": figures::capture(metrics, language),
        "ratings": ratings(metrics, language),
        "ratings_note": grades_note(metrics, language),
        "recommendations": recommendations,
        "recommendations_none": words.get(match verdict(metrics) {
            Verdict::Pass if !figures_are_doubtful(metrics) => "label.no_recommendations",
            _ => "label.no_recommendations_known",
        }),
        "settings": figures::settings(metrics, language),
        "model": model(metrics, language, settable),
        "lightness": analysis.lightness.as_ref().filter(|counts| counts.iter().any(|count| *count > 0)),
        "photograph": picture("photograph", &analysis.photograph),
        "photograph_missing": report.include_images && analysis.photograph.is_none(),
        "overlay": picture("overlay", &analysis.overlay),
        "overlay_key": if analysis.overlay_needs_key { overlay_key(metrics, language) } else { Vec::new() },
    })
}

/// What tables, the outline and footers say of an analysis, whose section has so many `pages`.
pub(super) fn line(
    report: &Report,
    position: usize,
    analysis: &Analysis,
    house: &House<'_>,
    pages: usize,
) -> Value {
    let (metrics, language) = (&analysis.metrics, report.language);
    json!({
        "number": position + 1,
        "id": house.settable.text(&analysis.id),
        "name": name_of(analysis, language, &house.settable),
        "verdict": verdict_of(metrics, language, &house.settable),
        "indices": figures::indices(metrics, language),
        "defect_count": figures::count(metrics.defects_detected, language),
        "pages": pages,
    })
}

/// What the picture is called. Where that cannot be shown as it is, the end of the analysis's id stands beside it, so
/// that it can be told from others.
fn name_of(analysis: &Analysis, language: Language, settable: &Settable<'_>) -> String {
    let name = analysis.filename.as_deref().map(file_name).unwrap_or_default();
    let shown = settable.text(name);
    if shown.trim().is_empty() {
        format!("{} ({})", words(language).get("label.unnamed"), end_of_id(analysis, settable))
    } else if settable.shows_all_of(name) {
        shown
    } else {
        format!("{shown} ({})", end_of_id(analysis, settable))
    }
}

/// The last letters of the id: the first ones of ids that were made together are the same.
fn end_of_id(analysis: &Analysis, settable: &Settable<'_>) -> String {
    let id = settable.text(&analysis.id);
    match id.char_indices().nth_back(ID_END - 1) {
        Some((start, _)) if start > 0 => format!("…{}", &id[start..]),
        _ => id,
    }
}

fn verdict_of(metrics: &Metrics, language: Language, settable: &Settable<'_>) -> Value {
    let verdict = verdict(metrics);
    let label = metrics.label.as_deref().map(|label| settable.text(label));
    json!({
        "key": verdict.as_str(),
        "name": verdict.name(language),
        "sentence": verdict_sentence(metrics, language),
        "because": (verdict != Verdict::Uncertain).then(|| reason(metrics, label.as_deref(), language)).flatten(),
    })
}

/// What the colours of an overlay mean, as far as they can be in it.
fn overlay_key(metrics: &Metrics, language: Language) -> Vec<Value> {
    let words = words(language);
    let listed = metrics.defects.as_deref().unwrap_or_default();
    let classes = Class::ALL
        .into_iter()
        .filter(|class| class.among(listed).next().is_some())
        .map(|class| (class.as_str(), words.get(&format!("defect.{}.plural", class.as_str())).to_owned()));
    let value = |figure: Figure| figure.of(metrics);
    let judged = value(Figure::RoiPercent).zip(value(Figure::GlarePercent));
    let areas = [
        // Where it cannot be known from the figures, the picture may show it.
        ("uncovered", value(Figure::UncoveredPercent).is_none_or(|share| share > 0.0)),
        ("glare", value(Figure::GlarePercent).is_none_or(|share| share > 0.0)),
        ("outside", judged.is_none_or(|(judged, glare)| judged + glare < 99.9)),
    ];
    let areas = areas
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(area, _)| (area, words.get(&format!("overlay.{area}")).to_owned()));
    classes.chain(areas).map(|(key, name)| json!({ "key": key, "name": name })).collect()
}

/// A name without the folders before it that are called by an id: those say nothing to a reader.
pub(super) fn file_name(path: &str) -> &str {
    let mut name = path;
    while let Some((folder, rest)) = name.split_once('/')
        && is_id(folder)
        && !rest.is_empty()
    {
        name = rest;
    }
    name
}

/// Whether it is written as a UUID is.
fn is_id(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// What should be done, with the standard or the practice that says so.
fn recommendations(metrics: &Metrics, language: Language, rules: &Rules) -> Vec<Value> {
    let words = words(language);
    rules
        .recommend(metrics, language)
        .into_iter()
        .map(|one| {
            let source = match one.source {
                Some(source) => [Some(source.standard), source.clause, source.threshold]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" · "),
                None => words.get("label.practice").to_owned(),
            };
            json!({
                "priority": one.priority.as_str(),
                "when": words.of("label", one.priority.as_str()),
                "text": one.text,
                "source": source,
            })
        })
        .collect()
}

/// The rating of every class that was found, by the standard that rates it.
fn ratings(metrics: &Metrics, language: Language) -> Vec<Value> {
    let words = words(language);
    grades(metrics, language)
        .into_iter()
        .map(|grade| {
            json!({
                "class": grade.class,
                "name": words.get(&format!("defect.{}.plural", grade.class)),
                "count": integer(language, grade.count),
                "area": share(language, grade.area_percent),
                "standard": grade.standard.unwrap_or(NOT_MEASURED),
                "rating": grade.rating.as_deref().unwrap_or_else(|| words.get("label.no_rating")),
                "note": grade.note,
            })
        })
        .collect()
}

fn severity(metrics: &Metrics, language: Language) -> Value {
    let known = metrics.severity.as_deref().filter(|word| matches!(*word, "low" | "medium" | "high"));
    let key = known.unwrap_or("unknown");
    let words = words(language);
    json!({
        "key": key,
        "name": words.get(&format!("severity.{key}")),
        "meaning": words.find(&format!("severity_meaning.{key}")),
    })
}

/// The rows of the defect table, and what was left out of it.
fn defects(report: &Report, metrics: &Metrics, settable: &Settable<'_>) -> Value {
    let language = report.language;
    let words = words(language);
    let Some(defects) = &metrics.defects else { return Value::Null };
    let alone = !report.combined && report.analyses.len() == 1;
    let limit = match (report.template, alone) {
        (Template::Summary, _) => 0,
        (Template::Standard, true) => 25,
        (Template::Standard, false) => 5,
        (Template::Detailed, true) => 200,
        (Template::Detailed, false) => 30,
    };
    let total = metrics.defects_detected.unwrap_or(0).max(defects.len() as u64);
    let shown = defects.len().min(limit);
    let rows: Vec<Value> = defects
        .iter()
        .take(shown)
        .enumerate()
        .map(|(position, defect)| {
            let place = place_of(defect, metrics.width, metrics.height);
            json!({
                "number": integer(language, position as u64 + 1),
                "class": class(defect),
                "name": class_name(defect, language, settable),
                "size": format!("{}\u{a0}×\u{a0}{}", integer(language, defect.width.into()), integer(language, defect.height.into())),
                "area": share_in_column(language, defect.area_percent),
                "delta_e": decimal(language, defect.delta_e, 1),
                "place": place.map_or(words.get("place.unknown"), |place| place.name(language)),
            })
        })
        .collect();
    let more = ((shown as u64) < total).then(|| {
        words.fill(
            "label.more_defects",
            &[("shown", &integer(language, shown as u64)), ("total", &integer(language, total))],
        )
    });
    json!({ "rows": rows, "more": more })
}

/// A class that templates have a sign for, or `other`.
fn class(defect: &Defect) -> &str {
    match defect.class.as_str() {
        known @ ("rust" | "crack" | "blister" | "flake" | "streak" | "bead") => known,
        _ => "other",
    }
}

fn class_name(defect: &Defect, language: Language, settable: &Settable<'_>) -> String {
    match words(language).find(&format!("defect.{}.name", defect.class)) {
        Some(name) => name.to_owned(),
        None => settable.text(&defect.class),
    }
}

/// The boxes of all defects as shares of the picture's sides.
fn map(metrics: &Metrics) -> Value {
    let (Some(defects), Some(width), Some(height)) = (&metrics.defects, metrics.width, metrics.height) else {
        return Value::Null;
    };
    if width == 0 || height == 0 {
        return Value::Null;
    }
    let aspect = (f64::from(height) / f64::from(width)).clamp(0.2, 5.0);
    let boxes: Vec<Value> = defects
        .iter()
        .map(|defect| {
            let along = |start: u32, length: u32, whole: u32| {
                let start = (f64::from(start) / f64::from(whole)).clamp(0.0, 1.0);
                (start, (f64::from(length) / f64::from(whole)).min(1.0 - start))
            };
            let (x, width) = along(defect.x, defect.width, width);
            let (y, height) = along(defect.y, defect.height, height);
            json!({ "class": class(defect), "x": x, "y": y, "width": width, "height": height })
        })
        .collect();
    json!({ "aspect": aspect, "boxes": boxes })
}

fn model(metrics: &Metrics, language: Language, settable: &Settable<'_>) -> Value {
    let Some(version) = metrics.model_version.as_deref() else { return Value::Null };
    json!({
        "version": settable.text(version),
        "label": metrics.label.as_deref().map(|label| settable.text(label)),
        "probability": metrics.probability.filter(|p| p.is_finite()).map(|p| index(language, p)),
    })
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_name_is_told_whole_but_for_folders_that_are_ids() {
        let id = "0193f1a2-7c40-7e3b-9a51-2f6f0c8d1e77";
        assert_eq!(file_name(&format!("{id}/{id}/hall 2/a.jpg")), "hall 2/a.jpg");
        for name in ["line1/a.jpg", "<script>alert(1)</script>.jpg", "../../etc/passwd", "a.jpg", "", "/"] {
            assert_eq!(file_name(name), name);
        }
        assert_eq!(file_name(&format!("{id}/")), format!("{id}/"));
    }
}
