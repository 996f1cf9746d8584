//! What a `batch_analysis` job may be asked for.

use forgeos_core::JobError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::jobs::params::unique_ids;

/// Most images of one job.
pub const MAX_IMAGES: usize = 10_000;
/// No model has a longer version.
const MAX_VERSION_BYTES: usize = 200;

/// Judges the coatings on many photographs; one row of `analyses` for each.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchAnalysis {
    /// The images: ids of objects in bucket `images`, ids of rows of `analyses`, or the names of the user's objects in
    /// bucket `images` without their endings. A duplicate counts once.
    #[serde(deserialize_with = "unique_ids")]
    #[schemars(length(min = 1, max = 10_000))]
    pub image_ids: Vec<Uuid>,
    /// How they are judged.
    #[serde(default)]
    pub options: Options,
}

/// How images are judged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How small a deviation counts as a defect.
    pub sensitivity: Sensitivity,
    /// Whether a picture with the findings outlined is written to bucket `outputs`.
    pub include_visualization: bool,
    /// Which definition of the indices is used.
    pub profile: Profile,
    /// A trained model of the same user that labels the images as well; severity and confidence follow it.
    #[schemars(length(min = 1, max = 200))]
    pub model_version: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Medium,
            include_visualization: true,
            profile: Profile::Standard,
            model_version: None,
        }
    }
}

/// How small a deviation counts as a defect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Only what is plain to see.
    Low,
    /// The default.
    #[default]
    Medium,
    /// Also what is faint or tiny.
    High,
}

/// Which definition of the indices is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Finds the panel first, then judges it locally.
    #[default]
    Standard,
    /// The platform's global colour and texture statistics.
    Reference,
}

impl BatchAnalysis {
    pub(super) fn check(&self) -> Result<(), JobError> {
        match self.image_ids.len() {
            0 => Err(JobError::bad_params("`image_ids` is empty; 1 to 10000 ids are allowed")),
            count if count > MAX_IMAGES => Err(JobError::bad_params(format!(
                "`image_ids` names {count} images; 1 to 10000 are allowed, split the batch"
            ))),
            _ => self.check_model_version(),
        }
    }

    fn check_model_version(&self) -> Result<(), JobError> {
        let Some(version) = &self.options.model_version else { return Ok(()) };
        if version.trim().is_empty() || version.len() > MAX_VERSION_BYTES {
            return Err(JobError::bad_params(format!(
                "`options.model_version` must have 1 to {MAX_VERSION_BYTES} characters; leave it out to use no model"
            )));
        }
        Ok(())
    }

    /// The options as the measuring takes them.
    #[must_use]
    pub fn judge_options(&self) -> forgeos_imaging::Options {
        forgeos_imaging::Options {
            sensitivity: match self.options.sensitivity {
                Sensitivity::Low => forgeos_imaging::Sensitivity::Low,
                Sensitivity::Medium => forgeos_imaging::Sensitivity::Medium,
                Sensitivity::High => forgeos_imaging::Sensitivity::High,
            },
            profile: match self.options.profile {
                Profile::Standard => forgeos_imaging::Profile::Standard,
                Profile::Reference => forgeos_imaging::Profile::Reference,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn read(params: Value) -> Result<BatchAnalysis, String> {
        crate::dispatch::decode_params(Some(&params.to_string())).map_err(|error| error.message)
    }

    const A: &str = "00000000-0000-0000-0000-00000000000a";
    const B: &str = "00000000-0000-0000-0000-00000000000b";

    #[test]
    fn only_ids_are_needed() {
        let params = read(json!({"image_ids": [A]})).unwrap();
        assert_eq!(params.options, Options::default());
        assert!(params.options.include_visualization);
        assert!(params.check().is_ok());
    }

    #[test]
    fn null_counts_as_absent() {
        let params = read(json!({"image_ids": [A], "options": null})).unwrap();
        assert_eq!(params.options, Options::default());
        let options = json!({"sensitivity": null, "include_visualization": null, "profile": null,
            "model_version": null});
        assert_eq!(read(json!({"image_ids": [A], "options": options})).unwrap().options, Options::default());
    }

    #[test]
    fn a_duplicate_counts_once_at_its_first_place() {
        let params = read(json!({"image_ids": [B, A, B.to_uppercase(), A]})).unwrap();
        assert_eq!(params.image_ids, [B.parse::<Uuid>().unwrap(), A.parse().unwrap()]);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        for (params, words) in [
            (json!({}), vec!["image_ids"]),
            (json!({"image_ids": [A, "nonsense"]}), vec!["image_ids[1]: must be a UUID", "`nonsense`"]),
            (json!({"image_ids": "a"}), vec!["image_ids: must be an array"]),
            (json!({"image_ids": [A], "colour": 1}), vec!["`colour`"]),
            (json!({"image_ids": [A], "options": {"colour": 1}}), vec!["`colour`", "sensitivity"]),
            (json!({"image_ids": [A], "options": {"sensitivity": "max"}}), vec!["`max`", "`high`"]),
            (json!({"image_ids": [A], "options": {"profile": "x"}}), vec!["`x`", "`reference`"]),
        ] {
            let error = read(params.clone()).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{params}: {error}");
            }
        }
    }

    #[test]
    fn the_number_of_images_is_limited_after_duplicates_are_gone() {
        assert!(read(json!({"image_ids": []})).unwrap().check().is_err());
        let ids: Vec<_> = (0..=MAX_IMAGES as u128).map(|n| Uuid::from_u128(n).to_string()).collect();
        let error = read(json!({"image_ids": ids})).unwrap().check().unwrap_err();
        assert!(error.message.contains("10001"), "{error}");
        let same: Vec<_> = (0..20_000).map(|_| A).collect();
        assert!(read(json!({"image_ids": same})).unwrap().check().is_ok());
    }
}
