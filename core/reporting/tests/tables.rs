//! The tables of a report as other programs read them.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx};
use forgeos_reporting::{
    csv::{COLUMNS, csv},
    model::{Analysis, Capture, Defect, Language, LeftOut, Metrics, Picture, Report, Template},
    xlsx::xlsx,
};

fn analysis(number: u32, filename: &str, metrics: Metrics) -> Analysis {
    Analysis {
        id: format!("00000000-0000-4000-8000-{number:012}"),
        job_id: None,
        created_at: "2026-11-21T12:00:00Z".parse().ok(),
        filename: Some(filename.to_owned()),
        metrics,
        photograph: None,
        overlay: None,
        overlay_needs_key: false,
        lightness: None,
    }
}

fn measured(severity: &str, cqi: f64) -> Metrics {
    let defect = Defect {
        class: "crack".to_owned(),
        x: 1,
        y: 2,
        width: 3,
        height: 4,
        area_percent: 0.5,
        delta_e: 12.5,
    };
    Metrics {
        cvi: Some(0.75),
        cqi: Some(cqi),
        coverage_percent: Some(98.25),
        defects_detected: Some(1),
        severity: Some(severity.to_owned()),
        defects: Some(vec![defect]),
        capture: Some(Capture { sharpness: Some(0.5), ..Capture::default() }),
        ..Metrics::default()
    }
}

fn report(language: Language, analyses: Vec<Analysis>) -> Report {
    Report {
        template: Template::Standard,
        language,
        job_id: "job".to_owned(),
        generated_at: "2026-11-21T13:00:00Z".parse().unwrap(),
        include_recommendations: true,
        include_images: true,
        combined: true,
        analyses,
        left_out: Vec::new(),
    }
}

fn open(report: &Report) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(xlsx(report).unwrap())).unwrap()
}

fn sheet(report: &Report, name: &str) -> Range<Data> {
    open(report).worksheet_range(name).unwrap()
}

/// The cell below a heading.
fn below<'a>(sheet: &'a Range<Data>, heading: &str) -> &'a Data {
    let column = sheet.headers().unwrap().iter().position(|name| name == heading).unwrap();
    sheet.get((1, column)).unwrap()
}

fn part(bytes: Vec<u8>, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\u{202e}gnp.elif שלום",
    "😀👩‍👩‍👧.jpg",
    "nul\0 and bell\u{7}",
    "a,b\"c\"\r\nd",
    "_x0041_",
    "https://example.com/?a=b&c=d",
];

#[test]
fn each_analysis_is_a_row_of_typed_cells() {
    let mut analysis = analysis(1, "panel.jpg", measured("high", 0.5));
    let url = |text: &str| Some(Picture { bytes: [].into(), extension: "jpg", url: Some(text.to_owned()) });
    analysis.photograph = url("https://example.com/a b.jpg");
    analysis.overlay = url("s3://outputs/x.jpg");
    let report = report(Language::En, vec![analysis]);
    let sheet = sheet(&report, "Analyses");
    assert_eq!(below(&sheet, "File name"), &Data::String("panel.jpg".to_owned()));
    assert_eq!(below(&sheet, "CQI"), &Data::Float(0.5));
    assert_eq!(below(&sheet, "Coverage (%)"), &Data::Float(98.25));
    assert_eq!(below(&sheet, "Severity"), &Data::String("High".to_owned()));
    assert_eq!(below(&sheet, "Verdict"), &Data::String("Repair".to_owned()));
    assert_eq!(below(&sheet, "Sharpness"), &Data::Float(0.5));
    assert_eq!(below(&sheet, "Glare (%)"), &Data::Empty);
    assert!(matches!(below(&sheet, "Analysed (UTC)"), Data::DateTime(time) if time.as_f64() == 46_347.5));
    assert_eq!(below(&sheet, "Photograph"), &Data::String("Open".to_owned()));
    assert_eq!(below(&sheet, "Findings"), &Data::String("s3://outputs/x.jpg".to_owned()));
    let bytes = xlsx(&report).unwrap();
    let xml = part(bytes.clone(), "xl/worksheets/sheet2.xml");
    assert!(
        xml.contains("frozen")
            && xml.contains("<autoFilter ref=\"A1:AB2\"")
            && xml.contains("<conditionalFormatting")
    );
    assert_eq!(xml.matches("<hyperlink ").count(), 1);
    assert!(part(bytes, "xl/worksheets/_rels/sheet2.xml.rels").contains("https://example.com/a%20b.jpg"));
}

#[test]
fn links_are_the_addresses_themselves() {
    for (url, target) in [
        (
            "file:///srv/forgeos/images/u/a%20b%C3%A5.jpg",
            Some("file:///srv/forgeos/images/u/a%20b%C3%A5.jpg"),
        ),
        ("file:///srv/forgeos/images/u/a.jpg", Some("file:///srv/forgeos/images/u/a.jpg")),
        ("file:///C:/images/a.jpg", Some("file:///C:/images/a.jpg")),
        ("https://example.com/bj%C3%B8rn.jpg", Some("https://example.com/bjørn.jpg")),
        ("file:///srv/%E7%AD%8B.jpg", Some("file:///srv/筋.jpg")),
        // The writer would make `%2523` of it: an address as text is better than a link to another one.
        ("https://example.com/a%23b.jpg", None),
    ] {
        let mut one = analysis(1, "a.jpg", Metrics::default());
        one.photograph = Some(Picture { bytes: [].into(), extension: "jpg", url: Some(url.to_owned()) });
        let report = report(Language::En, vec![one]);
        let shown = below(&sheet(&report, "Analyses"), "Photograph").clone();
        if let Some(target) = target {
            let relations = part(xlsx(&report).unwrap(), "xl/worksheets/_rels/sheet2.xml.rels");
            assert!(
                relations.contains(&format!("Target=\"{target}\" TargetMode=\"External\"")),
                "{relations}"
            );
            assert_eq!(shown, Data::String("Open".to_owned()));
        } else {
            assert_eq!(shown, Data::String(url.to_owned()));
        }
    }
}

#[test]
fn each_defect_is_a_row() {
    let report = report(
        Language::No,
        vec![analysis(1, "a", Metrics::default()), analysis(2, "b", measured("low", 0.9))],
    );
    let sheet = sheet(&report, "Skader");
    assert_eq!(sheet.height(), 2);
    assert_eq!(below(&sheet, "Nr."), &Data::Float(2.0));
    assert_eq!(below(&sheet, "Skadetype"), &Data::String("Sprekk".to_owned()));
    assert_eq!(below(&sheet, "Areal (%)"), &Data::Float(0.5));
    assert_eq!(below(&sheet, "Høyde (piksler)"), &Data::Float(4.0));
}

#[test]
fn the_summary_has_figures_and_charts() {
    let analyses = [("low", 0.9), ("low", 0.7), ("high", f64::NAN), ("odd", 0.2)];
    let analyses =
        analyses.into_iter().map(|(severity, cqi)| analysis(1, "a", measured(severity, cqi))).collect();
    let report = report(Language::No, analyses);
    let sheet = sheet(&report, "Sammendrag");
    let row = |name: &str| sheet.rows().find(|row| row[0] == Data::String(name.to_owned())).unwrap().to_vec();
    let cqi = row("Kvalitetsindeks (CQI)");
    assert_eq!(cqi[1], Data::Float(3.0));
    assert_eq!(cqi[3], Data::Float(0.7));
    assert_eq!(cqi[4..6], [Data::Float(0.2), Data::Float(0.9)]);
    assert_eq!(row("Lav")[1..3], [Data::Float(2.0), Data::Float(0.5)]);
    assert_eq!(row("Ikke vurdert")[1], Data::Float(1.0));
    assert_eq!(row("0,9–1,0")[1], Data::Float(1.0));
    assert_eq!(row("Sprekk")[1], Data::Float(4.0));
    assert!(part(xlsx(&report).unwrap(), "xl/charts/chart3.xml").contains("Sammendrag"));
}

#[test]
fn what_was_left_out_is_listed_with_its_reason() {
    let mut report = report(Language::En, Vec::new());
    assert_eq!(open(&report).sheet_names(), ["Summary", "Analyses", "Defects"]);
    let message = "=the analysis is <not> there".to_owned();
    report.left_out.push(LeftOut {
        analysis_id: "x".to_owned(),
        code: "not_found".to_owned(),
        message: message.clone(),
        ..LeftOut::default()
    });
    assert_eq!(below(&sheet(&report, "Left out"), "Reason"), &Data::String(message));
}

#[test]
fn what_was_left_out_is_told_by_name_and_status_in_every_language() {
    let mut reasons = Vec::new();
    for status in [Some("pending"), Some("processing"), Some("failed"), Some("cancelled"), Some("?"), None] {
        let mut report = report(Language::No, Vec::new());
        report.left_out.push(LeftOut {
            filename: Some("bru.jpg".to_owned()),
            status: status.map(str::to_owned),
            code: "dependency_failed".to_owned(),
            ..LeftOut::default()
        });
        let sheet = sheet(&report, "Utelatt");
        assert_eq!(below(&sheet, "Filnavn"), &Data::String("bru.jpg".to_owned()));
        reasons.push(below(&sheet, "Årsak").to_string());
    }
    assert_eq!(reasons[0], "Analysen er ikke startet.");
    assert_eq!(reasons[1], "Analysen pågår fortsatt.");
    let count = reasons.len();
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons.len(), count, "{reasons:?}");
}

#[test]
fn hostile_text_is_text_in_both_tables() {
    let analyses = HOSTILE
        .iter()
        .map(|text| analysis(1, text, Metrics { label: Some((*text).to_owned()), ..Metrics::default() }));
    let mut analyses: Vec<Analysis> = analyses.collect();
    analyses.push(analysis(1, &"å".repeat(10_000), Metrics::default()));
    analyses.push(analysis(1, &"x".repeat(40_000), Metrics::default()));
    let report = report(Language::En, analyses);
    let xml = part(xlsx(&report).unwrap(), "xl/worksheets/sheet2.xml");
    assert!(!xml.contains("<f>") && !xml.contains("<hyperlink"));
    let sheet = sheet(&report, "Analyses");
    let shown = |row: u32| sheet.get_value((row, 1)).unwrap().to_string();
    for (row, text) in (1..).zip(HOSTILE) {
        let expected = text.replace(['\0', '\u{7}'], "\u{fffd}").replace("\r\n", "\n");
        assert_eq!(shown(row), expected);
    }
    assert_eq!(shown(9).chars().count(), 10_000);
    assert_eq!(shown(10).chars().count(), 32_767);

    let file = csv(&report);
    let rows: Vec<_> =
        ::csv::Reader::from_reader(file.as_slice()).into_records().map(Result::unwrap).collect();
    assert_eq!(&rows[1][3], "'=cmd|' /C calc'!A0");
    assert_eq!(&rows[5][3], "a,b\"c\"\r\nd");
    assert_eq!(rows[9][3].len(), 40_000);
}

#[test]
fn the_csv_has_one_header_in_every_language_and_decimal_points() {
    let of = |language| csv(&report(language, vec![analysis(1, "a", measured("low", 0.125))]));
    assert_eq!(of(Language::En), of(Language::No));
    let text = String::from_utf8(of(Language::No)).unwrap();
    let mut lines = text.split("\r\n");
    assert_eq!(lines.next().unwrap(), COLUMNS.join(","));
    assert_eq!(
        lines.next().unwrap(),
        "00000000-0000-4000-8000-000000000001,,2026-11-21T12:00:00.000000Z,a,0.75,0.125,98.25,,1,low,,,,,,,,crack,0.5,,,0.5,,,,,,,pass"
    );
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let made =
        || report(Language::En, (0..50).map(|number| analysis(number, "a", measured("low", 0.5))).collect());
    assert_eq!(xlsx(&made()).unwrap(), xlsx(&made()).unwrap());
    assert_eq!(csv(&made()), csv(&made()));
}

#[test]
fn many_defects_are_written_all() {
    let mut metrics = measured("high", 0.1);
    metrics.defects = Some(vec![metrics.defects.unwrap()[0].clone(); 300]);
    let report = report(Language::En, vec![analysis(1, "a", metrics); 100]);
    assert_eq!(sheet(&report, "Defects").height(), 30_001);
}

#[test]
fn a_date_that_was_not_recorded_is_an_empty_cell() {
    let undated = Analysis { created_at: None, ..analysis(1, "panel.jpg", measured("low", 0.5)) };
    let report = report(Language::En, vec![undated]);
    assert_eq!(below(&sheet(&report, "Analyses"), "Analysed (UTC)"), &Data::Empty);
    let text = String::from_utf8(csv(&report)).unwrap();
    assert!(text.contains("\r\n00000000-0000-4000-8000-000000000001,,,panel.jpg,"), "{text}");
}
