//! Sets a collection of sample reports into a folder, to be looked at and to be measured.
//!
//! `cargo run --release -p forgeos-reporting --example report -- FOLDER [TEMPLATES_DIR [NAME]]`. Photographs are drawn and judged as
//! the demo does; nothing is read but the folder of templates, if one
//! is given. With a name, only reports whose name begins with it are set.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use forgeos_imaging::{Limits, Options, decode, inspect, judge, overlay, print};
use forgeos_reporting::csv::csv;
use forgeos_reporting::model::{
    Analysis, Capture, Defect, Language, LeftOut, Measured, Metrics, Picture, Report, Template,
};
use forgeos_reporting::pdf::{Setter, SetterOptions};
use forgeos_reporting::xlsx::xlsx;

/// Long side of a picture that takes half a page's width, at about 200 pixels per inch.
const PRINT_SIDE: u32 = 800;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| "reports".into());
    let templates_dir = arguments.next().filter(|dir| !dir.as_os_str().is_empty());
    let wanted = arguments.next().map(|name| name.display().to_string()).unwrap_or_default();
    std::fs::create_dir_all(&folder).unwrap();

    let started = Instant::now();
    let setter = Setter::new(SetterOptions { templates_dir, ..SetterOptions::default() });
    let setter = setter.unwrap_or_else(|error| {
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said.push_str(&format!(": {error}"));
            cause = error.source();
        }
        println!("{said}");
        std::process::exit(1)
    });
    println!("fonts and templates read in {:.0?}", started.elapsed());

    let started = Instant::now();
    let photographs: Vec<Analysis> =
        forgeos_samples::demo_set().iter().filter_map(|s| analysed(&s.file_name(), &s.bytes)).collect();
    println!("{} photographs drawn and judged in {:.0?}", photographs.len(), started.elapsed());
    let rusty = photographs.iter().find(|a| a.filename.as_deref() == Some("rust_spots.jpg")).unwrap();
    let clean = photographs.iter().find(|a| a.filename.as_deref() == Some("clean_panel.jpg")).unwrap();

    let set = |name: &str, report: Report| {
        if !name.starts_with(&wanted) {
            return;
        }
        for language in [Language::En, Language::No] {
            let report = Report { language, ..report.clone() };
            let started = Instant::now();
            let pdf = setter.pdf(&report).unwrap();
            let word = if language == Language::En { "en" } else { "no" };
            println!(
                "{name}-{word}: {} pages, {} kB, {:.1?}",
                pdf.pages,
                pdf.bytes.len() / 1000,
                started.elapsed()
            );
            std::fs::write(folder.join(format!("{name}-{word}.pdf")), pdf.bytes).unwrap();
            if ["standard-batch", "standard-hostile", "standard-scripts"].contains(&name) {
                let table = folder.join(format!("{name}-{word}"));
                std::fs::write(table.with_extension("xlsx"), xlsx(&report).unwrap()).unwrap();
                std::fs::write(table.with_extension("csv"), csv(&report)).unwrap();
            }
        }
    };
    for template in [Template::Summary, Template::Standard, Template::Detailed] {
        let name = format!("{template:?}").to_lowercase();
        set(&name, report(template, vec![rusty.clone()]));
        set(&format!("{name}-clean"), report(template, vec![clean.clone()]));
        set(&format!("{name}-heavy"), report(template, vec![heavy(rusty)]));
        set(&format!("{name}-seed"), report(template, vec![seed_row()]));
        set(&format!("{name}-hostile"), report(template, vec![hostile(rusty)]));
        set(&format!("{name}-reference"), report(template, vec![reference(rusty)]));
        set(&format!("{name}-weak"), report(template, vec![weak(rusty)]));
        set(&format!("{name}-model"), report(template, vec![by_model(clean)]));
        set(&format!("{name}-missing"), report(template, vec![without_pictures(rusty)]));
        set(
            &format!("{name}-unasked"),
            Report { include_images: false, ..report(template, vec![without_pictures(rusty)]) },
        );
        set(
            &format!("{name}-three"),
            report(template, vec![rusty.clone(), without_pictures(clean), weak(rusty)]),
        );
        set(&format!("{name}-scripts"), report(template, scripts(&photographs)));
        set(&format!("{name}-eight"), report(template, many(&photographs, 8, true)));
        set(&format!("{name}-batch"), report(template, photographs.clone()));
        set(&format!("{name}-thirty"), report(template, many(&photographs, 30, true)));
        set(&format!("{name}-300"), report(template, many(&photographs, 300, true)));
        set(
            &format!("{name}-300-without-pictures"),
            Report { include_images: false, ..report(template, many(&photographs, 300, false)) },
        );
    }
    if !wanted.is_empty() {
        // Takes long, so only by name: for memory.
        set("thousand", report(Template::Standard, many(&photographs, 1_000, true)));
    }
}

fn report(template: Template, analyses: Vec<Analysis>) -> Report {
    let combined = analyses.len() > 1;
    let left_out = |id: &str, code: &str| LeftOut {
        analysis_id: id.to_owned(),
        code: code.to_owned(),
        ..LeftOut::default()
    };
    Report {
        template,
        language: Language::En,
        job_id: "0193f1a2-7c40-7e3b-9a51-2f6f0c8d1e77".to_owned(),
        generated_at: moment(),
        include_recommendations: true,
        include_images: true,
        combined,
        left_out: if combined {
            vec![
                left_out("5c1f4e0a-93c7-4d0e-8a10-6d1f6a5b1e01", "damaged_image"),
                left_out("9d2e7b31-52a8-4f60-b0cb-0b7b3a7c2f02", "not_found"),
            ]
        } else {
            Vec::new()
        },
        analyses,
    }
}

fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_269_900, 0).unwrap()
}

/// The photograph judged, or nothing when it cannot be read.
fn analysed(name: &str, bytes: &[u8]) -> Option<Analysis> {
    let limits = Limits::default();
    let source = decode(bytes, &limits).ok()?;
    let judgement = judge(&source, Options::default());
    let photograph = print::fit(bytes, &limits, PRINT_SIDE).ok()?;
    let drawn = overlay::render(&source, &judgement);
    let size = inspect(&drawn, &limits).ok()?;
    let part = overlay::photograph_part((size.width, size.height), (source.width, source.height));
    let overlay = print::fit_part(&drawn, &limits, PRINT_SIDE, part).ok()?;
    let picture = |jpeg: Vec<u8>, bucket: &str| {
        let url = Some(format!("https://example.com/{bucket}/{name}"));
        Some(Picture { bytes: jpeg.into(), extension: "jpg", url })
    };
    let defects = judgement.defects.iter().take(200).map(|defect| Defect {
        class: format!("{:?}", defect.class).to_lowercase(),
        x: defect.bounds.x,
        y: defect.bounds.y,
        width: defect.bounds.width,
        height: defect.bounds.height,
        area_percent: defect.area_percent,
        delta_e: f64::from(defect.delta_e),
    });
    Some(Analysis {
        id: format!("0193f1a2-7c40-7e3b-9a51-{:012x}", name.bytes().map(u64::from).sum::<u64>() * 7_919_993),
        job_id: Some("0193f1a0-1111-7e3b-9a51-2f6f0c8d1e77".to_owned()),
        created_at: Some(moment() - Duration::hours(3)),
        filename: Some(name.to_owned()),
        metrics: Metrics {
            cvi: Some(judgement.cvi),
            cqi: Some(judgement.cqi),
            coverage_percent: Some(judgement.coverage_percent),
            edge_coverage_ratio: Some(judgement.edge_coverage_ratio),
            defects_detected: Some(judgement.defects_detected.into()),
            severity: Some(format!("{:?}", judgement.severity).to_lowercase()),
            confidence: Some(judgement.confidence),
            processing_time_ms: Some(412),
            profile: Some("standard".to_owned()),
            sensitivity: Some("medium".to_owned()),
            width: Some(judgement.width),
            height: Some(judgement.height),
            roi_percent: Some(judgement.roi_percent),
            defects: Some(defects.collect()),
            capture: Some(Capture {
                glare_percent: Some(judgement.capture.glare_percent),
                clipped_percent: Some(judgement.capture.clipped_percent),
                sharpness: Some(judgement.capture.sharpness),
                lighting_evenness: Some(judgement.capture.lighting_evenness),
            }),
            ..Metrics::default()
        },
        photograph: picture(photograph.jpeg, "images"),
        overlay: picture(overlay.jpeg, "outputs"),
        overlay_needs_key: part.is_some(),
        lightness: Some(photograph.lightness),
    })
}

/// 200 listed defects of 312, a model, every class.
fn heavy(base: &Analysis) -> Analysis {
    let mut analysis = base.clone();
    let classes = ["rust", "flake", "blister", "crack", "streak", "bead"];
    let (width, height) = (analysis.metrics.width.unwrap(), analysis.metrics.height.unwrap());
    let defects = (0..200_u32).map(|n| Defect {
        class: classes[(n % 6) as usize].to_owned(),
        x: n * 7919 % (width - 80),
        y: n * 6271 % (height - 80),
        width: 80 - n / 4,
        height: 20 + n * 37 % 60,
        area_percent: 2.0 / f64::from(n + 1),
        delta_e: 8.0 + f64::from(n % 30),
    });
    analysis.metrics.defects = Some(defects.collect());
    analysis.metrics.defects_detected = Some(312);
    analysis.metrics.severity = Some("high".to_owned());
    analysis.metrics.confidence = Some(0.83);
    analysis.metrics.model_version = Some("20261121-3f0a7c1d".to_owned());
    analysis.metrics.label = Some("corroded".to_owned());
    analysis.metrics.probability = Some(0.91);
    analysis
}

/// A row from before the worker came: eight figures, one of them missing, no picture.
fn seed_row() -> Analysis {
    Analysis {
        id: "7f000000-0000-4000-8000-000000000001".to_owned(),
        job_id: None,
        created_at: Some(moment() - Duration::days(200)),
        filename: Some("old/photo 1.jpg".to_owned()),
        metrics: Metrics {
            cvi: Some(0.71),
            cqi: Some(0.66),
            coverage_percent: Some(93.4),
            defects_detected: Some(7),
            severity: Some("medium".to_owned()),
            ..Metrics::default()
        },
        photograph: None,
        overlay: None,
        overlay_needs_key: false,
        lightness: None,
    }
}

/// Of the profile `reference`.
fn reference(base: &Analysis) -> Analysis {
    let mut analysis = base.clone();
    analysis.metrics.profile = Some("reference".to_owned());
    (analysis.metrics.cqi, analysis.metrics.cvi) = (Some(0.61), Some(0.44));
    analysis.metrics.coverage_percent = Some(48.37);
    analysis
}

/// Taken badly: glare, blur, wrong exposure.
fn weak(base: &Analysis) -> Analysis {
    let mut analysis = base.clone();
    analysis.filename = Some("glare.jpg".to_owned());
    analysis.metrics.confidence = Some(0.18);
    analysis.metrics.roi_percent = Some(21.4);
    analysis.metrics.capture = Some(Capture {
        glare_percent: Some(34.2),
        clipped_percent: Some(18.9),
        sharpness: Some(0.12),
        lighting_evenness: Some(0.31),
    });
    analysis
}

/// A model has said otherwise than the figures.
fn by_model(base: &Analysis) -> Analysis {
    let mut analysis = base.clone();
    let measured =
        Measured { severity: analysis.metrics.severity.clone(), confidence: analysis.metrics.confidence };
    analysis.metrics.measured = Some(measured);
    analysis.metrics.severity = Some("high".to_owned());
    analysis.metrics.confidence = Some(0.88);
    analysis.metrics.model_version = Some("20261121-3f0a7c1d-52a8-4f60-b0cb-0b7b3a7c2f02".to_owned());
    analysis.metrics.label = Some("delamination".to_owned());
    analysis.metrics.probability = Some(0.91);
    analysis
}

fn without_pictures(base: &Analysis) -> Analysis {
    Analysis { photograph: None, overlay: None, lightness: None, ..base.clone() }
}

/// Names in scripts that no font has, and one without a date.
fn scripts(base: &[Analysis]) -> Vec<Analysis> {
    let names = ["涂层检查.jpg", "塗装検査.jpg", "파란벽.jpg", "पुल.jpg", "สะพาน.jpg", "мост-1.jpg"];
    let mut analyses = many(base, names.len(), true);
    for (analysis, name) in analyses.iter_mut().zip(names) {
        analysis.filename = Some(name.to_owned());
    }
    analyses[0].created_at = None;
    analyses
}

fn hostile(base: &Analysis) -> Analysis {
    let name =
        "#panic(\"x\") <b>bold</b> $x$ *a* _b_ `c` \\u{0} \u{0}\u{7} שלום مرحبا 🎨👩‍🔧 \u{202E}abc 漢字 ";
    let mut analysis = base.clone();
    analysis.filename = Some(name.to_owned() + &"x".repeat(10_000));
    analysis.created_at = None;
    analysis.metrics.label = Some("#emoji.face".to_owned());
    analysis
}

/// `count` analyses over some weeks, with figures that differ.
fn many(base: &[Analysis], count: usize, pictures: bool) -> Vec<Analysis> {
    (0..count)
        .map(|n| {
            let mut analysis = base[n % base.len()].clone();
            let sway = (n as f64 * 0.37).sin() * 0.08;
            analysis.id = format!("0193f1a2-7c40-7e3b-9a51-{n:012}");
            analysis.filename = Some(format!("hall-{}/panel-{:04}.jpg", n / 50 + 1, n + 1));
            analysis.created_at = Some(moment() - Duration::hours(((count - n) * 5) as i64));
            analysis.metrics.cqi = analysis.metrics.cqi.map(|v| (v + sway).clamp(0.0, 1.0));
            if !pictures {
                analysis = without_pictures(&analysis);
            }
            analysis
        })
        .collect()
}
