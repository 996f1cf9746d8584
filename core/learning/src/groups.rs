//! Which pictures belong together: the same part, position or capture run.
//!
//! Pictures of one run resemble each other in ways that have nothing to do with what they show. A test that has some
//! of a run in training and the rest in the test measures how well the run was memorised. Groups that a caller names
//! are taken at their word; otherwise they are inferred, and the report says from what. Inferred groups are a guess:
//! they are used only when they leave every label in several groups, and never to refuse a training.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::sample::Sample;

/// Groups that inference must find at least, to be of use.
const FEWEST: usize = 4;
/// Pictures taken this much later than the one before, in seconds, begin another run.
const RUN_GAP_SECONDS: i64 = 600;
/// A number this many times the usual step behind the one before begins another run.
const NUMBER_GAP: u64 = 4;

/// Gives every picture a key, or finds none.
type Attempt = fn(&[Sample]) -> Option<Vec<String>>;

/// From what the groups are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSource {
    /// The caller named them.
    Given,
    /// What stands before the number in the names of the files.
    NamePrefixes,
    /// Pauses between the times at which the pictures were taken.
    CaptureTimes,
    /// Gaps in the numbers of the files.
    NameNumbers,
    /// Nothing was found: every picture stands for itself.
    None,
}

/// The group of every picture, as numbers from 0, and from what they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// One a picture.
    pub of: Vec<usize>,
    /// Number of groups.
    pub count: usize,
    /// From what they are known.
    pub source: GroupSource,
}

impl Groups {
    /// Finds the groups of samples.
    #[must_use]
    pub fn find(samples: &[Sample]) -> Self {
        if samples.iter().any(|s| s.group.is_some()) {
            // A picture without a group stands for itself.
            let keys = samples.iter().enumerate().map(|(i, s)| match &s.group {
                Some(group) => (0, group.clone()),
                None => (1, format!("{i:08}")),
            });
            return Self::numbered(keys.collect(), GroupSource::Given);
        }
        let attempts: [(GroupSource, Attempt); 3] = [
            (GroupSource::NamePrefixes, by_prefix),
            (GroupSource::CaptureTimes, by_time),
            (GroupSource::NameNumbers, by_number),
        ];
        for (source, attempt) in attempts {
            if let Some(keys) = attempt(samples) {
                let groups = Self::numbered(keys, source);
                if groups.is_useful(samples) {
                    return groups;
                }
            }
        }
        Self { of: (0..samples.len()).collect(), count: samples.len(), source: GroupSource::None }
    }

    fn numbered<K: Ord>(keys: Vec<K>, source: GroupSource) -> Self {
        let distinct: BTreeSet<&K> = keys.iter().collect();
        let numbers: BTreeMap<&K, usize> = distinct.into_iter().zip(0..).collect();
        let of = keys.iter().map(|key| numbers[key]).collect();
        Self { of, count: numbers.len(), source }
    }

    /// Whether a guess parts the pictures, and leaves every label in several groups.
    fn is_useful(&self, samples: &[Sample]) -> bool {
        let mut of_label: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (sample, &group) in samples.iter().zip(&self.of) {
            of_label.entry(&sample.label).or_default().insert(group);
        }
        self.count >= FEWEST
            && self.count * 10 <= samples.len() * 9
            && of_label.values().all(|groups| groups.len() >= 3)
    }
}

/// The name of a file without folder and extension, cut before its last number, and that number.
fn parted(name: &str) -> (String, Option<u64>) {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let Some(end) = stem.rfind(|c: char| c.is_ascii_digit()) else { return (stem.to_owned(), None) };
    let start = stem[..=end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |i| i + stem[i..].chars().next().map_or(1, char::len_utf8));
    (stem[..start].to_owned(), stem[start..=end].parse().ok())
}

/// Random names, as uploads get them, say nothing: long, and mostly hexadecimal digits.
fn is_random(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let hexadecimal = stem.bytes().filter(u8::is_ascii_hexdigit).count();
    stem.len() >= 24 && hexadecimal + 4 >= stem.len()
}

fn by_prefix(samples: &[Sample]) -> Option<Vec<String>> {
    if samples.iter().any(|s| is_random(&s.name)) {
        return None;
    }
    let prefixes: Vec<String> = samples.iter().map(|s| parted(&s.name).0).collect();
    // A prefix that is the label in other words groups nothing.
    let labels: BTreeSet<&str> = samples.iter().map(|s| s.label.as_str()).collect();
    let is_label = |p: &str| {
        labels.iter().any(|l| p.to_lowercase().trim_matches(['_', '-', ' ', '.']) == l.to_lowercase())
    };
    if prefixes.iter().any(|p| is_label(p)) { None } else { Some(prefixes) }
}

fn by_time(samples: &[Sample]) -> Option<Vec<String>> {
    let times: Vec<i64> = samples.iter().map(|s| s.captured_at).collect::<Option<_>>()?;
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by_key(|&i| (times[i], i));
    let mut run = 0;
    let mut keys = vec![String::new(); samples.len()];
    for (position, &index) in order.iter().enumerate() {
        if position > 0 && times[index].saturating_sub(times[order[position - 1]]) > RUN_GAP_SECONDS {
            run += 1;
        }
        keys[index] = format!("{run:08}");
    }
    Some(keys)
}

fn by_number(samples: &[Sample]) -> Option<Vec<String>> {
    if samples.iter().any(|s| is_random(&s.name)) {
        return None;
    }
    let parts: Vec<(String, u64)> = samples
        .iter()
        .map(|s| {
            let (prefix, number) = parted(&s.name);
            number.map(|number| (prefix, number))
        })
        .collect::<Option<_>>()?;
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by(|&a, &b| parts[a].cmp(&parts[b]));
    let same = |pair: &&[usize]| parts[pair[0]].0 == parts[pair[1]].0;
    let step = |pair: &[usize]| parts[pair[1]].1 - parts[pair[0]].1;
    let mut steps: Vec<u64> = order.windows(2).filter(same).map(step).collect();
    steps.sort_unstable();
    let usual = *steps.get(steps.len() / 2)?;
    let mut run = 0;
    let mut keys = vec![String::new(); samples.len()];
    for (position, &index) in order.iter().enumerate() {
        if position > 0 {
            let pair = &order[position - 1..=position];
            if !same(&pair) || step(pair) > usual.max(1).saturating_mul(NUMBER_GAP) {
                run += 1;
            }
        }
        keys[index] = format!("{run:08}");
    }
    Some(keys)
}
