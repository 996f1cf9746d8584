//! The labelled images of a training, as params or a row of `training_sessions` give them. Both are somebody else's
//! words: checked in the same way, refused with the same sentences.

use std::collections::{BTreeMap, HashMap};

use forgeos_core::JobError;
use forgeos_learning::Region as MarkedRegion;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use crate::jobs::params;

/// Most images of one training.
pub const MAX_IMAGES: usize = 10_000;
/// Most different labels.
const MAX_CLASSES: usize = 32;
/// Fewest images of a class: below that neither a fold nor a figure means anything.
const MIN_IMAGES_A_CLASS: usize = 10;
/// Most characters of a label.
const MAX_LABEL: usize = 64;
/// Most characters of a group.
const MAX_GROUP: usize = 200;
/// Most regions of one image: more are not looked at.
const MAX_REGIONS: usize = forgeos_learning::features::MAX_REGIONS;
/// Most regions of one training.
const MAX_REGIONS_IN_ALL: usize = 100_000;
/// No side of a picture that is read is longer.
const MAX_PIXEL: f64 = 1_000_000.0;

/// Labelled images, the lists in the same order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// The images: ids as a `batch_analysis` takes them.
    #[serde(deserialize_with = "params::ids")]
    #[schemars(length(min = 1, max = 10_000))]
    pub images: Vec<Uuid>,
    /// The label of each image; two different words or more.
    pub labels: Vec<String>,
    /// Boxes with labels on some of the images.
    #[serde(default)]
    pub annotations: Option<Vec<Annotation>>,
    /// What each image belongs to (a part, a day): no group is split between training and test. Without them groups are
    /// inferred from the names of the files.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
}

/// What is known of one image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// One of the images.
    #[serde(deserialize_with = "params::id")]
    pub image_id: Uuid,
    /// The boxes.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// What the image belongs to, in place of `groups`; then every image needs one.
    #[serde(default)]
    pub group: Option<String>,
}

/// A box in pixels of the upright image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// From the left.
    #[schemars(range(min = 0.0))]
    pub x: f64,
    /// From the top.
    #[schemars(range(min = 0.0))]
    pub y: f64,
    /// Above 0.
    pub width: f64,
    /// Above 0.
    pub height: f64,
    /// What it shows. A word that labels no image counts for the label of its image.
    pub label: String,
}

/// One image to learn from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) image: Uuid,
    pub(super) label: String,
    pub(super) group: Option<String>,
    pub(super) regions: Vec<MarkedRegion>,
}

impl TrainingData {
    /// What types cannot say. The error names the entry and what is allowed.
    pub(super) fn check(&self) -> Result<(), JobError> {
        self.entries().map(|_| ())
    }

    /// Each image once, in the order of its first place.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, JobError> {
        let labels = self.checked_labels()?;
        let mut groups = self.checked_groups()?;
        let mut regions = self.checked_regions()?;
        let mut entries: Vec<Entry> = Vec::with_capacity(self.images.len());
        let mut places: HashMap<Uuid, usize> = HashMap::with_capacity(self.images.len());
        for (at, (image, label)) in self.images.iter().zip(labels).enumerate() {
            if let Some(earlier) = places.get(image).map(|place| &entries[*place]) {
                if earlier.label != label {
                    return Err(JobError::bad_params(format!(
                        "`data.labels[{at}]` is `{label}`, but the same image was labelled `{}` before",
                        earlier.label
                    )));
                }
                continue;
            }
            places.insert(*image, entries.len());
            entries.push(Entry {
                image: *image,
                label: label.to_owned(),
                group: groups.remove(image),
                regions: regions.remove(image).unwrap_or_default(),
            });
        }
        Ok(entries)
    }

    fn checked_labels(&self) -> Result<Vec<&str>, JobError> {
        match self.images.len() {
            0 => return Err(JobError::bad_params("`data.images` is empty")),
            count if count > MAX_IMAGES => {
                return Err(JobError::bad_params(format!(
                    "`data.images` names {count} images; at most {MAX_IMAGES} are allowed"
                )));
            }
            _ => {}
        }
        same_length("data.labels", self.labels.len(), self.images.len())?;
        let labels = self
            .labels
            .iter()
            .enumerate()
            .map(|(at, label)| word(&format!("data.labels[{at}]"), label, MAX_LABEL))
            .collect::<Result<Vec<_>, _>>()?;
        // Words that differ in capitals alone are one word, written carelessly: two classes would be made of one.
        let mut classes: BTreeMap<String, &str> = BTreeMap::new();
        for label in &labels {
            let first = classes.entry(label.to_lowercase()).or_insert(label);
            if first != label {
                return Err(JobError::bad_params(format!(
                    "`data.labels` has both `{first}` and `{label}`; write them alike"
                )));
            }
        }
        match classes.len() {
            1 => Err(JobError::bad_params("`data.labels` has only one word; two or more are needed")),
            count if count > MAX_CLASSES => Err(JobError::bad_params(format!(
                "`data.labels` has {count} different words; at most {MAX_CLASSES} are allowed"
            ))),
            _ => Ok(labels),
        }
    }

    fn checked_groups(&self) -> Result<HashMap<Uuid, String>, JobError> {
        let marked: Vec<(usize, &Annotation, &String)> = self
            .annotations
            .iter()
            .flatten()
            .enumerate()
            .filter_map(|(at, annotation)| Some((at, annotation, annotation.group.as_ref()?)))
            .collect();
        let mut groups = HashMap::new();
        if let Some(given) = &self.groups {
            same_length("data.groups", given.len(), self.images.len())?;
            if !marked.is_empty() {
                return Err(JobError::bad_params(
                    "groups are given in `data.groups` and in `data.annotations`; give them in one place",
                ));
            }
            for (at, (image, group)) in self.images.iter().zip(given).enumerate() {
                let group = word(&format!("data.groups[{at}]"), group, MAX_GROUP)?;
                one_group(*image, groups.entry(*image).or_insert_with(|| group.to_owned()), group)?;
            }
        }
        for (at, annotation, group) in &marked {
            let group = word(&format!("data.annotations[{at}].group"), group, MAX_GROUP)?;
            let image = annotation.image_id;
            one_group(image, groups.entry(image).or_insert_with(|| group.to_owned()), group)?;
        }
        if !marked.is_empty()
            && let Some(image) = self.images.iter().find(|image| !groups.contains_key(image))
        {
            return Err(JobError::bad_params(format!(
                "`data.annotations` give groups to some images and none to `{image}`; give one to each image, or to none"
            )));
        }
        Ok(groups)
    }

    fn checked_regions(&self) -> Result<HashMap<Uuid, Vec<MarkedRegion>>, JobError> {
        let known: std::collections::HashSet<&Uuid> = self.images.iter().collect();
        let mut regions: HashMap<Uuid, Vec<MarkedRegion>> = HashMap::new();
        let mut in_all = 0;
        for (at, annotation) in self.annotations.iter().flatten().enumerate() {
            if !known.contains(&annotation.image_id) {
                return Err(JobError::bad_params(format!(
                    "`data.annotations[{at}].image_id` is `{}`, which is not one of `data.images`",
                    annotation.image_id
                )));
            }
            let of_image = regions.entry(annotation.image_id).or_default();
            for (nth, region) in annotation.regions.iter().enumerate() {
                of_image.push(region.checked(&format!("data.annotations[{at}].regions[{nth}]"))?);
            }
            in_all += annotation.regions.len();
            if of_image.len() > MAX_REGIONS || in_all > MAX_REGIONS_IN_ALL {
                return Err(JobError::bad_params(format!(
                    "`data.annotations[{at}]` has too many regions; {MAX_REGIONS} an image and \
                     {MAX_REGIONS_IN_ALL} in all are allowed"
                )));
            }
        }
        Ok(regions)
    }
}

impl Region {
    fn checked(&self, name: &str) -> Result<MarkedRegion, JobError> {
        for (side, value, least) in [
            ("x", self.x, 0.0),
            ("y", self.y, 0.0),
            ("width", self.width, f64::MIN_POSITIVE),
            ("height", self.height, f64::MIN_POSITIVE),
        ] {
            if !(least..=MAX_PIXEL).contains(&value) {
                let range = if least > 0.0 { "above 0 and at most" } else { "from 0 to" };
                return Err(JobError::bad_params(format!(
                    "`{name}.{side}` must be {range} {MAX_PIXEL} pixels"
                )));
            }
        }
        let label = word(&format!("{name}.label"), &self.label, MAX_LABEL)?.to_owned();
        Ok(MarkedRegion { x: self.x, y: self.y, width: self.width, height: self.height, label })
    }
}

/// Refuses images that no model can be made of: a class with too few of them. `when` says what became of the others.
pub(super) fn enough_of_each_class<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    classes: impl IntoIterator<Item = &'a str>,
    when: &str,
) -> Result<(), JobError> {
    let mut counts: BTreeMap<&str, usize> = classes.into_iter().map(|class| (class, 0)).collect();
    for label in labels {
        *counts.entry(label).or_default() += 1;
    }
    let few: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count < MIN_IMAGES_A_CLASS)
        .map(|(class, count)| format!("`{class}` has {count}"))
        .collect();
    if few.is_empty() {
        return Ok(());
    }
    Err(JobError::bad_params(format!(
        "a class needs at least {MIN_IMAGES_A_CLASS} images: {}{when}",
        few.join(", ")
    )))
}

fn same_length(name: &str, found: usize, images: usize) -> Result<(), JobError> {
    if found == images {
        return Ok(());
    }
    Err(JobError::bad_params(format!(
        "`{name}` has {found} entries for {images} images; one for each is needed"
    )))
}

/// A text without the blanks around it: one line, not empty, not too long.
fn word<'a>(name: &str, text: &'a str, most: usize) -> Result<&'a str, JobError> {
    let word = text.trim();
    if word.is_empty() {
        return Err(JobError::bad_params(format!("`{name}` is empty")));
    }
    if word.chars().any(char::is_control) {
        return Err(JobError::bad_params(format!("`{name}` has a control character")));
    }
    if word.chars().count() > most {
        return Err(JobError::bad_params(format!("`{name}` has more than {most} characters")));
    }
    Ok(word)
}

/// Which side of a test an image stands on must not depend on which of two entries was read first.
fn one_group(image: Uuid, known: &str, given: &str) -> Result<(), JobError> {
    if known == given {
        return Ok(());
    }
    Err(JobError::bad_params(format!(
        "image `{image}` is in two groups, `{known}` and `{given}`; give it one"
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn entries(data: Value) -> Result<Vec<Entry>, String> {
        crate::dispatch::decode::<TrainingData>("data", &data.to_string())
            .and_then(|data| data.entries())
            .map_err(|error| error.message)
    }

    #[test]
    fn an_image_counts_once_with_all_that_is_said_of_it() {
        let region = json!({"x": 1, "y": 2.5, "width": 3, "height": 4, "label": " defect "});
        let found = entries(json!({
            "images": [id(1), id(2), id(1)], "labels": ["good ", "defect", "good"],
            "annotations": [{"image_id": id(2), "regions": [region]}, {"image_id": id(2), "regions": [region]}],
            "groups": ["a", "b", "a"],
        }))
        .unwrap();
        assert_eq!(found.iter().map(|entry| entry.label.as_str()).collect::<Vec<_>>(), ["good", "defect"]);
        assert_eq!(found[0].group.as_deref(), Some("a"));
        assert_eq!((found[1].regions.len(), found[1].regions[0].label.as_str()), (2, "defect"));
    }

    #[test]
    fn groups_may_stand_in_the_annotations() {
        let of = |image, group: &str| json!({"image_id": id(image), "group": group});
        let data = |annotations: Value| json!({"images": [id(1), id(2)], "labels": ["a", "b"], "annotations": annotations});
        let found = entries(data(json!([of(1, "p"), of(2, "q")]))).unwrap();
        assert_eq!(found[1].group.as_deref(), Some("q"));
        assert!(entries(data(json!([of(1, "p")]))).unwrap_err().contains("give one to each image"));
        let mut both = data(json!([of(1, "p"), of(2, "q")]));
        both["groups"] = json!(["p", "q"]);
        assert!(entries(both).unwrap_err().contains("in one place"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let two = |extra: Value| {
            let mut data = json!({"images": [id(1), id(2)], "labels": ["good", "bad"]});
            data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            data
        };
        let boxed = |region: Value| two(json!({"annotations": [{"image_id": id(1), "regions": [region]}]}));
        let many: Vec<Uuid> = (0..10_001).map(id).collect();
        for (data, words) in [
            (json!([]), "data must be a JSON object"),
            (json!({"labels": ["a", "b"]}), "`images` is missing"),
            (json!({"images": [], "labels": []}), "`data.images` is empty"),
            (json!({"images": many, "labels": []}), "at most 10000"),
            (two(json!({"images": [id(1), "x"]})), "data.images[1]: must be a UUID, not `x`"),
            (two(json!({"images": [id(1), id(1)]})), "`data.labels[1]` is `bad`"),
            (two(json!({"labels": ["good"]})), "`data.labels` has 1 entries for 2 images"),
            (two(json!({"labels": ["good", 7]})), "data.labels[1]: must be a string"),
            (two(json!({"labels": ["good", "good "]})), "only one word"),
            (two(json!({"labels": ["good", "Good"]})), "both `good` and `Good`"),
            (two(json!({"labels": ["good", " "]})), "`data.labels[1]` is empty"),
            (two(json!({"labels": ["good", "a\u{1b}b"]})), "`data.labels[1]` has a control character"),
            (two(json!({"labels": ["good", "x".repeat(65)]})), "more than 64 characters"),
            (
                json!({"images": [id(1), id(1), id(2)], "labels": ["good", "good", "bad"], "groups": ["a", "b", "c"]}),
                "is in two groups, `a` and `b`",
            ),
            (two(json!({"groups": ["a"]})), "`data.groups` has 1 entries"),
            (two(json!({"groups": ["a", ""]})), "`data.groups[1]` is empty"),
            (two(json!({"annotations": [{"image_id": id(3)}]})), "`data.annotations[0].image_id`"),
            (two(json!({"annotations": {}})), "data.annotations: must be an array"),
            (
                boxed(json!({"x": -1, "y": 0, "width": 1, "height": 1, "label": "a"})),
                "regions[0].x` must be from 0",
            ),
            (boxed(json!({"x": 0, "y": 0, "width": 0, "height": 1, "label": "a"})), "width` must be above 0"),
            (boxed(json!({"x": 0, "y": 1e300, "width": 1, "height": 1, "label": "a"})), "regions[0].y`"),
            (boxed(json!({"x": 0, "y": 0, "width": 1, "height": 1})), "`label` is missing"),
            (two(json!({"colour": 1})), "unknown key `colour`"),
        ] {
            let error = entries(data).unwrap_err();
            assert!(error.contains(words), "{error} should contain {words}");
        }
    }

    #[test]
    fn a_class_of_fewer_than_ten_images_is_refused_by_name() {
        let labels = |good: usize, bad: usize| [vec!["good"; good], vec!["bad"; bad]].concat();
        let check = |labels: Vec<&'static str>| enough_of_each_class(labels, ["good", "bad"], "");
        assert!(check(labels(10, 10)).is_ok());
        assert_eq!(
            check(labels(12, 9)).unwrap_err().message,
            "a class needs at least 10 images: `bad` has 9"
        );
        let none_left = check(labels(12, 0)).unwrap_err().message;
        assert_eq!(none_left, "a class needs at least 10 images: `bad` has 0");
    }
}
