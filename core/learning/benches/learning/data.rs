//! Folders of labelled pictures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use forgeos_imaging::Limits;
use forgeos_learning::{Description, Region, describe_picture};
use rayon::prelude::*;

/// A labelled picture, described.
pub(crate) struct Pictured {
    pub name: String,
    pub label: String,
    pub group: String,
    pub description: Description,
    pub decode_ms: f64,
    pub describe_ms: f64,
}

/// The folder itself, or those in it that hold `labels.csv`.
pub(crate) fn sets(folder: &Path) -> Vec<PathBuf> {
    if folder.join("labels.csv").exists() {
        return vec![folder.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.join("labels.csv").exists()).collect();
    found.sort();
    found
}

/// The box round everything that a mask marks.
fn bounds(mask: &Path) -> Region {
    let mask = forgeos_imaging::decode(&std::fs::read(mask).unwrap(), &Limits::default()).unwrap();
    let marked = mask.rgb.chunks_exact(3).enumerate().filter(|(_, pixel)| pixel[0] > 127);
    let places: Vec<(f64, f64)> =
        marked.map(|(i, _)| ((i % mask.width as usize) as f64, (i / mask.width as usize) as f64)).collect();
    let least = |of: fn(&(f64, f64)) -> f64| places.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| places.iter().map(of).fold(0.0, f64::max);
    let (x, y) = (least(|p| p.0), least(|p| p.1));
    let (width, height) = (most(|p| p.0) - x + 1.0, most(|p| p.1) - y + 1.0);
    Region { x, y, width, height, label: "defect".to_owned() }
}

/// Reads and describes every picture of a set; the masks of defects become boxes if wanted.
pub(crate) fn read(set: &Path, with_masks: bool) -> Vec<Pictured> {
    let mut reader = csv::Reader::from_path(set.join("labels.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    rows.into_par_iter()
        .map(|row| {
            let bytes = std::fs::read(set.join(&row["file"])).unwrap();
            let mask = row.get("mask").filter(|mask| with_masks && !mask.is_empty());
            let regions: Vec<Region> = mask.map(|mask| bounds(&set.join(mask))).into_iter().collect();
            let begun = Instant::now();
            let picture = forgeos_imaging::decode(&bytes, &Limits::default()).unwrap();
            let decoded = Instant::now();
            let description = describe_picture(&picture, regions.as_slice());
            Pictured {
                name: row["file"].clone(),
                label: row["label"].clone(),
                group: row["group"].clone(),
                description,
                decode_ms: (decoded - begun).as_secs_f64() * 1e3,
                describe_ms: decoded.elapsed().as_secs_f64() * 1e3,
            }
        })
        .collect()
}

/// Five parts of whole groups, labels balanced: the groups in a random order, each to the part that has least of its
/// more frequent label.
pub(crate) fn parts(pictures: &[Pictured], seed: usize) -> Vec<usize> {
    let mut groups: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for picture in pictures {
        *groups.entry(&picture.group).or_default().entry(&picture.label).or_default() += 1;
    }
    let mut order: Vec<(&str, BTreeMap<&str, usize>)> = groups.into_iter().collect();
    fastrand::Rng::with_seed(seed as u64 + 100).shuffle(&mut order);
    order.sort_by_key(|(_, labels)| std::cmp::Reverse(labels.values().sum::<usize>()));
    let mut held: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); 5];
    let mut part_of = BTreeMap::new();
    for (group, labels) in order {
        let (label, _) = labels.iter().max_by_key(|(_, n)| **n).unwrap();
        let load = |part: &BTreeMap<&str, usize>| {
            (part.get(label).copied().unwrap_or(0), part.values().sum::<usize>())
        };
        let part = (0..5).min_by_key(|&p| load(&held[p])).unwrap();
        labels.iter().for_each(|(l, n)| *held[part].entry(l).or_default() += n);
        part_of.insert(group, part);
    }
    pictures.iter().map(|p| part_of[p.group.as_str()]).collect()
}

pub(crate) fn mean(pictures: &[Pictured], of: impl Fn(&Pictured) -> f64) -> f64 {
    pictures.iter().map(of).sum::<f64>() / pictures.len().max(1) as f64
}
