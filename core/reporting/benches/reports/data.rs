//! The data of the bench: made up once, written into a folder as JSON lists and JPEG files, and read by every case.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use forgeos_reporting::model::{Analysis, Capture, Defect, Language, Metrics, Picture, Report, Template};
use forgeos_samples::Panel;
use serde::{Deserialize, Serialize};

use crate::Fallible;

/// The most analyses that a case has.
const MOST: usize = 1000;
/// Different pictures; each is used by many analyses, made unique by a comment, so that no program stores it once only.
const DRAWN: usize = 24;
/// Columns and rows of the photographs that were judged.
const SIDES: (u32, u32) = (4032, 3024);
/// What the peers print; ours come from its rules.
const ADVICE: [&str; 3] = [
    "Repair the rusted spots before the next season: clean to bare metal, prime, and coat again (ISO 12944-5).",
    "Measure the dry film thickness along the margin, where coverage is lower than inside (ISO 2808).",
    "Take the photograph again without glare to make the figures surer.",
];

/// One analysis as it stands in the lists.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: String,
    filename: String,
    created_at: DateTime<Utc>,
    metrics: Metrics,
    lightness: Vec<u32>,
    photograph: String,
    overlay: String,
    recommendations: Vec<String>,
}

/// The folder with all data. Removed at the end unless it was asked for.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    kept: bool,
    /// Bytes of the two pictures of the analysis of reports on one.
    pub(crate) one_bytes: u64,
    /// Mean bytes of the two pictures of the analyses of reports on many.
    pub(crate) many_bytes: u64,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Folder {
    /// Draws the pictures, or takes the JPEG files of `pictures` in the order of their names.
    pub(crate) fn new(pictures: Option<&Path>, keep: Option<&Path>) -> Fallible<Self> {
        let path = keep.map_or_else(
            || std::env::temp_dir().join(format!("reports-bench-{}", std::process::id())),
            Path::to_owned,
        );
        std::fs::create_dir_all(&path)?;
        let mut folder = Self { path, kept: keep.is_some(), one_bytes: 0, many_bytes: 0 };
        let (large, small) = match pictures {
            Some(pictures) => {
                let taken = jpegs(pictures)?;
                (taken.clone(), taken)
            }
            // The sizes at which the worker prints one and hundreds.
            None => (vec![drawn(0, 1200, false), drawn(0, 1200, true)], {
                (0..DRAWN).flat_map(|seed| [drawn(seed, 480, false), drawn(seed, 480, true)]).collect()
            }),
        };
        folder.one_bytes = folder.write("one", 1, &large)?;
        folder.many_bytes = folder.write("many", MOST, &small)? / MOST as u64;
        Ok(folder)
    }

    /// Writes a list and its pictures; gives the bytes of all pictures.
    fn write(&self, name: &str, count: usize, pictures: &[Vec<u8>]) -> Fallible<u64> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for index in 0..count {
            let names = ["photograph", "overlay"].map(|role| format!("{name}-{index}-{role}.jpg"));
            for (role, file) in names.iter().enumerate() {
                let picture = commented(&pictures[(2 * index + role) % pictures.len()], file);
                bytes += picture.len() as u64;
                std::fs::write(self.path.join(file), picture)?;
            }
            let [photograph, overlay] = names;
            rows.push(row(index, photograph, overlay));
        }
        std::fs::write(self.path.join(format!("{name}.json")), serde_json::to_vec(&rows)?)?;
        Ok(bytes)
    }
}

/// The list that a report on so many analyses reads.
pub(crate) fn list_for(analyses: usize) -> &'static str {
    if analyses == 1 { "one.json" } else { "many.json" }
}

/// The report on the first `count` analyses of a list.
pub(crate) fn report(
    folder: &Path,
    list: &str,
    count: usize,
    template: &str,
    pictures: bool,
) -> Fallible<Report> {
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(folder.join(list))?)?;
    let picture = |name: &str| -> std::io::Result<Option<Picture>> {
        let bytes = if pictures { std::fs::read(folder.join(name))? } else { return Ok(None) };
        Ok(Some(Picture { bytes: bytes.into(), extension: "jpg", url: None }))
    };
    let analyses = rows.into_iter().take(count).map(|row| {
        Ok(Analysis {
            photograph: picture(&row.photograph)?,
            overlay: picture(&row.overlay)?,
            overlay_needs_key: true,
            id: row.id,
            job_id: None,
            created_at: Some(row.created_at),
            filename: Some(row.filename),
            metrics: row.metrics,
            lightness: Some(row.lightness),
        })
    });
    Ok(Report {
        template: match template {
            "summary" => Template::Summary,
            "detailed" => Template::Detailed,
            _ => Template::Standard,
        },
        language: Language::En,
        job_id: "0192f3a4-1111-7000-8000-000000000000".to_owned(),
        generated_at: start(),
        include_recommendations: true,
        include_images: true,
        combined: count > 1,
        analyses: analyses.collect::<std::io::Result<_>>()?,
        left_out: Vec::new(),
    })
}

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// Analysis number `index`: eight defects on average, everything measured.
fn row(index: usize, photograph: String, overlay: String) -> Row {
    let mut dice = 0x9E37_79B9_u32.wrapping_mul(index as u32 + 1) | 1;
    let mut share = move || {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        f64::from(dice >> 8) / f64::from(1 << 24)
    };
    let count = 2 + (13.0 * share()) as usize;
    let mut defects: Vec<Defect> = (0..count)
        .map(|_| {
            let class = ["rust", "crack", "blister", "flake", "streak", "bead"][(6.0 * share()) as usize];
            let (width, height) = (10 + (180.0 * share()) as u32, 10 + (180.0 * share()) as u32);
            Defect {
                class: class.to_owned(),
                x: (share() * f64::from(SIDES.0 - width)) as u32,
                y: (share() * f64::from(SIDES.1 - height)) as u32,
                width,
                height,
                area_percent: 70.0 * f64::from(width * height) / f64::from(SIDES.0 * SIDES.1),
                delta_e: 6.0 + 30.0 * share(),
            }
        })
        .collect();
    defects.sort_by(|a, b| b.area_percent.total_cmp(&a.area_percent));
    Row {
        id: format!("0192f3a4-0000-7000-8000-{index:012}"),
        filename: format!("hull-{:02}-panel-{index:04}.jpg", index / 50),
        created_at: start() - Duration::minutes(37 * (MOST - index) as i64),
        metrics: Metrics {
            cvi: Some(0.5 + 0.5 * share()),
            cqi: Some(0.4 + 0.6 * share()),
            coverage_percent: Some(85.0 + 15.0 * share()),
            edge_coverage_ratio: Some(0.8 + 0.2 * share()),
            defects_detected: Some(count as u64),
            severity: Some(["low", "medium", "high"][count / 5].to_owned()),
            confidence: Some(0.6 + 0.4 * share()),
            processing_time_ms: Some(40),
            profile: Some("standard".to_owned()),
            sensitivity: Some("medium".to_owned()),
            width: Some(SIDES.0),
            height: Some(SIDES.1),
            roi_percent: Some(80.0 + 20.0 * share()),
            defects: Some(defects),
            capture: Some(Capture {
                glare_percent: Some(4.0 * share()),
                clipped_percent: Some(2.0 * share()),
                sharpness: Some(share()),
                lighting_evenness: Some(share()),
            }),
            ..Metrics::default()
        },
        lightness: (0..64).map(|step| 200_000 / (1 + (step - 35_i32).unsigned_abs().pow(2))).collect(),
        photograph,
        overlay,
        recommendations: ADVICE.map(str::to_owned).to_vec(),
    }
}

/// A panel with eight spots; with frames around them it is the overlay.
fn drawn(seed: usize, width: u32, framed: bool) -> Vec<u8> {
    let (columns, rows) = (width as f32, 0.75 * width as f32);
    let color = [150, 90 + 5 * seed as u8, 200 - 5 * seed as u8];
    let mut panel =
        Panel::new(width, width * 3 / 4).color(color).noise(2.0).lighting(0.2).seed(seed as u64 + 1);
    for spot in 0..8 {
        let (x, y) =
            (columns * (0.1 + 0.11 * spot as f32), rows * (0.2 + 0.6 * ((seed + 3 * spot) % 8) as f32 / 8.0));
        let (radius, line) = (columns * 0.02, columns / 300.0);
        panel = panel.disc(x, y, radius, [92, 51, 23]);
        if framed {
            let (left, top, side) = (x - 1.3 * radius, y - 1.3 * radius, 2.6 * radius);
            for (x, y, width, height) in [
                (left, top, side, line),
                (left, top + side, side + line, line),
                (left, top, line, side),
                (left + side, top, line, side),
            ] {
                panel = panel.strip(x, y, width, height, [230, 40, 40]);
            }
        }
    }
    panel.draw().jpeg(82)
}

/// `jpeg` with a comment after its first marker.
fn commented(jpeg: &[u8], text: &str) -> Vec<u8> {
    let (start, rest) = jpeg.split_at(2);
    [start, &[0xFF, 0xFE, 0, text.len() as u8 + 2], text.as_bytes(), rest].concat()
}

fn jpegs(folder: &Path) -> Fallible<Vec<Vec<u8>>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg")));
    files.sort();
    if files.is_empty() {
        return Err(format!("`{}` holds no `.jpg`", folder.display()).into());
    }
    Ok(files.iter().map(std::fs::read).collect::<Result<_, _>>()?)
}
