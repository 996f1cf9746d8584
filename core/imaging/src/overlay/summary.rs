//! What the strip beside the photograph says, in words and numbers, before it is laid out.

use super::labels;
use super::palette::{CLASSES, GLARE, Rgb, UNCOVERED, class_color, class_name};
use crate::{Judgement, Profile, Region};

/// One line of the legend.
pub(crate) struct Entry {
    pub(crate) color: Rgb,
    pub(crate) hatched: bool,
    pub(crate) name: &'static str,
    pub(crate) figure: String,
}

/// One numbered finding.
pub(crate) struct Finding {
    pub(crate) number: usize,
    pub(crate) color: Rgb,
    pub(crate) name: &'static str,
    pub(crate) area: String,
    pub(crate) contrast: String,
}

/// An index with its name and, when it is a share, how full its bar is.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) level: f32,
}

pub(crate) struct Summary {
    pub(crate) defects: String,
    pub(crate) source: String,
    pub(crate) figures: [Figure; 4],
    pub(crate) confidence: f32,
    pub(crate) confidence_words: String,
    pub(crate) legend: Vec<Entry>,
    /// The largest defects, which are numbered.
    pub(crate) findings: Vec<Finding>,
    /// All defects, numbered or not.
    pub(crate) found: u32,
}

/// `and 18 more`, when not all of them are listed.
pub(crate) fn and_more(found: u32, listed: usize) -> Option<String> {
    let more = found.saturating_sub(listed as u32);
    (more > 0).then(|| format!("and {} more", grouped(more)))
}

/// Below this the confidence is called low, below the other moderate.
const LOW: f64 = 0.5;
const MODERATE: f64 = 0.75;
/// From this share of the panel on, glare is named as a reason.
const MUCH_GLARE: f64 = 5.0;
/// Below this share of the picture, the small panel is named as a reason.
const LITTLE_PANEL: f64 = 30.0;
/// Below this number of pixels, the small picture is named as a reason.
const FEW_PIXELS: u64 = 300_000;

impl Summary {
    pub(crate) fn of(judgement: &Judgement) -> Self {
        let mut counts = [0u32; 256];
        for region in &judgement.regions.cells {
            counts[*region as usize] += 1;
        }
        let count = |region: Region| f64::from(counts[region as usize]);
        let all = judgement.regions.cells.len() as f64;
        let (glare, outside, uncovered) =
            (count(Region::Glare), count(Region::Outside), count(Region::Uncovered));
        let panel = all - outside;
        let glare_percent = share(glare, panel);
        let uncovered_percent = share(uncovered, panel - glare);
        let index = |name, value: f64| Figure { name, value: format!("{value:.3}"), level: value as f32 };
        let profile = match judgement.profile {
            Profile::Standard => "Standard profile",
            Profile::Reference => "Reference profile",
        };
        Self {
            defects: match judgement.defects_detected {
                0 => "No defects".to_owned(),
                1 => "1 defect".to_owned(),
                many => format!("{} defects", grouped(many)),
            },
            source: format!("{profile} · {} × {} px", judgement.width, judgement.height),
            figures: [
                index("Quality index", judgement.cqi),
                index("Visual index", judgement.cvi),
                Figure {
                    name: "Coverage",
                    value: percent(judgement.coverage_percent),
                    level: judgement.coverage_percent as f32 / 100.0,
                },
                Figure {
                    name: "Edge ratio",
                    value: format!("{:.2}", judgement.edge_coverage_ratio),
                    level: judgement.edge_coverage_ratio as f32,
                },
            ],
            confidence: judgement.confidence as f32,
            confidence_words: confidence_words(judgement, glare_percent),
            legend: legend(judgement, uncovered_percent, glare_percent),
            findings: findings(judgement),
            found: judgement.defects_detected,
        }
    }
}

fn confidence_words(judgement: &Judgement, glare_percent: f64) -> String {
    let judged = format!("{:.0} % of the picture was judged", judgement.roi_percent);
    if judgement.confidence >= MODERATE {
        return judged;
    }
    let word = if judgement.confidence < LOW { "Low" } else { "Moderate" };
    let mut reasons = Vec::new();
    if glare_percent >= MUCH_GLARE {
        reasons.push(format!("glare on {glare_percent:.0} % of the panel"));
    }
    if judgement.roi_percent < LITTLE_PANEL {
        reasons.push(format!("only {:.0} % of the picture could be judged", judgement.roi_percent));
    }
    if u64::from(judgement.width) * u64::from(judgement.height) < FEW_PIXELS {
        reasons.push("the picture is small".to_owned());
    }
    if reasons.is_empty() { format!("{word}. {judged}") } else { format!("{word}: {}", reasons.join(", ")) }
}

fn legend(judgement: &Judgement, uncovered_percent: f64, glare_percent: f64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = CLASSES
        .into_iter()
        .filter_map(|class| {
            let of_class = || judgement.defects.iter().filter(move |defect| defect.class == class);
            let area: f64 = of_class().map(|defect| defect.area_percent).sum();
            let number = of_class().count();
            (number > 0).then(|| Entry {
                color: class_color(class),
                hatched: false,
                name: class_name(class),
                figure: format!("{} · {}", grouped(number as u32), percent(area)),
            })
        })
        .collect();
    if uncovered_percent > 0.0 {
        entries.push(Entry {
            color: UNCOVERED,
            hatched: true,
            name: "Uncovered",
            figure: percent(uncovered_percent),
        });
    }
    if glare_percent > 0.0 {
        entries.push(Entry { color: GLARE, hatched: true, name: "Glare", figure: percent(glare_percent) });
    }
    entries
}

fn findings(judgement: &Judgement) -> Vec<Finding> {
    labels::numbered(judgement)
        .into_iter()
        .enumerate()
        .map(|(place, index)| {
            let defect = &judgement.defects[index];
            Finding {
                number: place + 1,
                color: class_color(defect.class),
                name: class_name(defect.class),
                area: percent(defect.area_percent),
                contrast: format!("ΔE {:.0}", defect.delta_e),
            }
        })
        .collect()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { 100.0 * part / whole } else { 0.0 }
}

/// Two decimals, or `< 0.01 %` for something that is not nothing.
fn percent(value: f64) -> String {
    if value > 0.0 && value < 0.005 { "< 0.01 %".to_owned() } else { format!("{value:.2} %") }
}

/// `12 345`.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_counted() {
        assert_eq!(and_more(30, 12).as_deref(), Some("and 18 more"));
        assert_eq!(and_more(2_012, 12).as_deref(), Some("and 2\u{a0}000 more"));
        assert_eq!(and_more(12, 12), None);
        assert_eq!(and_more(0, 12), None);
    }
}
