//! Runs the standard profile over a folder of labelled photographs and prints what it sees.
//!
//! `calibrate FOLDER [--png OUT] [--every N]`: the folder holds `labels.csv` with the columns
//! `file,label,mask,class,group`; label is `good` or `defect`, a mask is white where the defect is. With `--png`,
//! pictures of the region maps are written to that folder. A picture instead of the folder is judged and printed.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use forgeos_imaging::{Judgement, Picture, Region, Sensitivity, standard};

struct Row {
    defect: bool,
    judged: [Judgement; 3],
    mask: Option<Picture>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().ok_or("usage: calibrate FOLDER [--png OUT] [--every N]")?);
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let out = option("--png");
    let every: usize = option("--every").map_or(Ok(1), |v| v.parse())?;
    if folder.is_file() {
        for file in arguments.iter().take_while(|a| !a.starts_with("--")).map(Path::new) {
            let picture = load(file)?;
            let judged = standard::judge(&picture, Sensitivity::Medium);
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            if let Some(out) = out {
                side_by_side(&picture, &judged).save(Path::new(out).join(format!("{stem}.png")))?;
            }
            print_judgement(&stem, &judged);
        }
        return Ok(());
    }
    let labels = std::fs::read_to_string(folder.join("labels.csv"))?;
    let mut rows = Vec::new();
    for (number, line) in labels.lines().skip(1).enumerate().filter(|(i, _)| i % every == 0) {
        let fields: Vec<&str> = line.split(',').collect();
        let [file, label, mask, class, ..] = fields[..] else { continue };
        let picture = load(&folder.join(file))?;
        let judged = [Sensitivity::Low, Sensitivity::Medium, Sensitivity::High]
            .map(|sensitivity| standard::judge(&picture, sensitivity));
        if let Some(out) = out {
            let name = format!("{number:04}_{class}.png");
            side_by_side(&picture, &judged[1]).save(Path::new(out).join(&name))?;
            print_judgement(&format!("{name} {file}"), &judged[1]);
        }
        let mask = if mask.is_empty() { None } else { Some(load(&folder.join(mask))?) };
        rows.push(Row { defect: label == "defect", judged, mask });
    }
    report(&rows);
    Ok(())
}

fn print_judgement(name: &str, j: &Judgement) {
    let uncovered = j.regions.cells.iter().filter(|c| **c == Region::Uncovered).count();
    println!(
        "{name}: n={} coverage={:.2} edge={:.2} severity={:?} confidence={:.2} roi={:.0} cvi={:.2} cqi={:.2} uncovered={:.2}% {}",
        j.defects_detected,
        j.coverage_percent,
        j.edge_coverage_ratio,
        j.severity,
        j.confidence,
        j.roi_percent,
        j.cvi,
        j.cqi,
        100.0 * uncovered as f64 / j.regions.cells.len() as f64,
        j.defects
            .iter()
            .take(6)
            .map(|d| format!("{:?} {:.2}% dE{:.0}", d.class, d.area_percent, d.delta_e))
            .collect::<Vec<_>>()
            .join(", ")
    );
}

fn load(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let decoded = image::load_from_memory(&std::fs::read(path)?)?.to_rgb8();
    Ok(Picture { width: decoded.width(), height: decoded.height(), rgb: decoded.into_raw() })
}

fn report(rows: &[Row]) {
    for (level, name) in ["low", "medium", "high"].iter().enumerate() {
        let share = |defect: bool, sure: f64| {
            let chosen: Vec<_> =
                rows.iter().filter(|r| r.defect == defect && r.judged[level].confidence >= sure).collect();
            let alarms = chosen.iter().filter(|r| alarm(&r.judged[level])).count();
            format!("{:.2} of {}", alarms as f64 / chosen.len().max(1) as f64, chosen.len())
        };
        println!(
            "{name:7} alarms: good {} defect {} | where confidence >= 0.6: good {} defect {}",
            share(false, 0.0),
            share(true, 0.0),
            share(false, 0.6),
            share(true, 0.6)
        );
        let (mut hit, mut painted, mut wanted) = (0u64, 0u64, 0u64);
        for row in rows {
            let counts = overlap(&row.judged[level], row.mask.as_ref());
            hit += counts.0;
            painted += if row.defect { counts.1 } else { 0 };
            wanted += counts.2;
        }
        println!(
            "        pixels of defect pictures: recall {:.3} precision {:.3} IoU {:.3}",
            hit as f64 / wanted.max(1) as f64,
            hit as f64 / painted.max(1) as f64,
            hit as f64 / (painted + wanted - hit).max(1) as f64
        );
    }
    let medium =
        |f: &dyn Fn(&Judgement) -> f64| auc(rows.iter().map(|r| (f(&r.judged[1]), r.defect)).collect());
    println!(
        "AUC: defect area {:.3}, largest ΔE x area {:.3}, number {:.3}, 1 - cqi {:.3}, 1 - confidence {:.3}",
        medium(&|j| j.defects.iter().map(|d| d.area_percent).sum()),
        medium(&|j| j
            .defects
            .iter()
            .map(|d| f64::from(d.delta_e) * d.area_percent.sqrt())
            .fold(0.0, f64::max)),
        medium(&|j| f64::from(j.defects_detected)),
        medium(&|j| 1.0 - j.cqi),
        medium(&|j| 1.0 - j.confidence)
    );
    for defect in [false, true] {
        let chosen: Vec<_> = rows.iter().filter(|r| r.defect == defect).map(|r| &r.judged[1]).collect();
        let mean = |f: &dyn Fn(&Judgement) -> f64| {
            chosen.iter().map(|j| f(j)).sum::<f64>() / chosen.len().max(1) as f64
        };
        println!(
            "{}: {} pictures, mean confidence {:.2}, roi {:.0} %, coverage {:.2} %, defects {:.1}",
            if defect { "defect" } else { "good" },
            chosen.len(),
            mean(&|j| j.confidence),
            mean(&|j| j.roi_percent),
            mean(&|j| j.coverage_percent),
            mean(&|j| f64::from(j.defects_detected))
        );
    }
}

fn alarm(judged: &Judgement) -> bool {
    judged.defects_detected > 0 || judged.regions.cells.contains(&Region::Uncovered)
}

fn is_finding(region: Region) -> bool {
    !matches!(region, Region::Outside | Region::Coat | Region::Glare)
}

/// Pixels of the region map that are found and marked, found, marked.
fn overlap(judged: &Judgement, mask: Option<&Picture>) -> (u64, u64, u64) {
    let (mut hit, mut painted, mut wanted) = (0, 0, 0);
    let map = &judged.regions;
    for (i, region) in map.cells.iter().enumerate() {
        let (x, y) = (i as u32 % map.width, i as u32 / map.width);
        let marked = mask.is_some_and(|m| {
            let (mx, my) = (x * m.width / map.width, y * m.height / map.height);
            m.rgb[3 * (my * m.width + mx) as usize] > 127
        });
        painted += u64::from(is_finding(*region));
        wanted += u64::from(marked);
        hit += u64::from(is_finding(*region) && marked);
    }
    (hit, painted, wanted)
}

/// Probability that a defect picture scores higher than a good one; ties count half.
fn auc(scores: Vec<(f64, bool)>) -> f64 {
    let (defect, good): (Vec<_>, Vec<_>) = scores.into_iter().partition(|s| s.1);
    let mut won = 0.0;
    for (d, _) in &defect {
        for (g, _) in &good {
            won += if d > g {
                1.0
            } else if d == g {
                0.5
            } else {
                0.0
            };
        }
    }
    won / (defect.len() * good.len()).max(1) as f64
}

/// The picture and its region map, each at most 700 pixels wide.
fn side_by_side(picture: &Picture, judged: &Judgement) -> image::RgbImage {
    let map = &judged.regions;
    let shrink = map.width.max(map.height).div_ceil(700);
    let (w, h) = (map.width / shrink, map.height / shrink);
    image::RgbImage::from_fn(w * 2, h, |x, y| {
        let (mx, my) = (x % w * shrink, y * shrink);
        let (px, py) = (mx * picture.width / map.width, my * picture.height / map.height);
        let at = 3 * (py as usize * picture.width as usize + px as usize);
        let source = [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]];
        if x < w {
            return image::Rgb(source);
        }
        let mut region = Region::Outside;
        for i in 0..shrink * shrink {
            let found = map.cells[((my + i / shrink) * map.width + mx + i % shrink) as usize];
            if i == 0 || found as u8 > region as u8 {
                region = found;
            }
        }
        image::Rgb(match region {
            Region::Outside => [40, 0, 60],
            Region::Coat => source.map(|v| v / 2 + 40),
            Region::Uncovered => [60, 120, 255],
            Region::Glare => [255, 255, 160],
            Region::Rust => [255, 90, 0],
            Region::Crack => [255, 0, 0],
            Region::Blister => [255, 0, 255],
            Region::Flake => [0, 220, 0],
            Region::Streak => [0, 255, 255],
            Region::Bead => [255, 255, 0],
        })
    })
}
