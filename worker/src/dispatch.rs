//! From a claimed row to its handler: decodes the params, runs the job, turns the results into JSON text. A row that
//! does not decode fails alone, with a message that names the field.

mod strict;

use forgeos_core::{ErrorCode, Job, JobContext, JobError};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::registry::HandlerResult;
use strict::{Strict, kind_of};

/// Runs one attempt of a job of type `J`.
pub async fn decode_and_run<J: Job>(context: JobContext) -> HandlerResult {
    let job: J = decode_params(context.job.params.as_deref())?;
    job.validate()?;
    let results = job.run(&context).await?;
    serde_json::to_string(&results).map_err(|error| {
        JobError::permanent(ErrorCode::Internal, "the results could not be written as JSON").because(error)
    })
}

/// Typed params from the row's text. Keys that start with `_` are the caller's own and are passed over.
pub fn decode_params<J: Job>(params: Option<&str>) -> Result<J, JobError> {
    decode("params", params.unwrap_or("null"))
}

/// The same for any JSON object that somebody else wrote into a row; `name` is what messages call it.
pub(crate) fn decode<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, JobError> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| {
        JobError::bad_params(format!("{name} cannot be read as JSON of usual depth and numbers"))
            .because(error)
    })?;
    let Value::Object(map) = &mut value else {
        return Err(JobError::bad_params(format!("{name} must be a JSON object, not {}", kind_of(&value))));
    };
    map.retain(|key, _| !key.starts_with('_'));
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let path = error.path().to_string();
        let wrong = error.into_inner();
        JobError::bad_params(if path == "." {
            format!("{name}: {wrong}")
        } else {
            format!("{name}.{path}: {wrong}")
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Echo {
        count: u8,
        #[serde(default)]
        options: Option<Options>,
        #[serde(default)]
        tone: Option<Tone>,
        #[serde(default)]
        any: Option<Value>,
    }

    #[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code)]
    struct Options {
        loud: bool,
        share: f64,
        words: Vec<String>,
    }

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Tone {
        High,
        Low,
        Hertz(u32),
    }

    impl Job for Echo {
        const NAME: &'static str = "echo";
        type Results = ();
        async fn run(&self, _: &JobContext) -> Result<(), JobError> {
            Ok(())
        }
    }

    fn message(params: Option<&str>) -> String {
        let error = decode_params::<Echo>(params).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadParams);
        error.message
    }

    #[test]
    fn good_params_of_every_kind_are_read() {
        for good in [
            r#"{"count": 3, "_trace": {"a": 1}}"#,
            r#"{"count": 3, "options": null, "tone": null, "any": {"_x": [1, 2.5, -3, null, true, "t"]}}"#,
            r#"{"count": 3, "options": {"loud": true, "share": 1, "words": ["a"], "_mine": 1}, "tone": "low"}"#,
            r#"{"count": 3, "tone": {"hertz": 440}}"#,
        ] {
            decode_params::<Echo>(Some(good)).unwrap();
        }
    }

    #[test]
    fn errors_name_the_field_what_is_allowed_and_what_was_found() {
        assert_eq!(message(None), "params must be a JSON object, not null");
        for (params, expected) in [
            ("[1]", "params must be a JSON object, not an array"),
            ("{}", "params: `count` is missing"),
            (r#"{"count": 300}"#, "params.count: must be a whole number from 0 to 255, not `300`"),
            (r#"{"count": "3"}"#, "params.count: must be a whole number from 0 to 255, not a string"),
            (
                r#"{"count": 1, "colour": 2, "_x": 1, "size": 3}"#,
                "params: unknown key `colour`, `size`; allowed: `count`, `options`, `tone`, `any`",
            ),
            (r#"{"count": 1, "options": []}"#, "params.options: must be an object, not an array"),
            (r#"{"count": 1, "options": [true, 1, []]}"#, "params.options: must be an object, not an array"),
            (
                r#"{"count": 1, "options": {"laut": 1}}"#,
                "params.options: unknown key `laut`; allowed: `loud`, `share`, `words`",
            ),
            (
                r#"{"count": 1, "options": {"loud": 1}}"#,
                "params.options.loud: must be true or false, not `1`",
            ),
            (
                r#"{"count": 1, "options": {"words": ["a", {}]}}"#,
                "params.options.words[1]: must be a string, not an object",
            ),
            (
                r#"{"count": 1, "tone": "HIGH"}"#,
                "params.tone: must be one of `high`, `low`, `hertz`, not `HIGH`",
            ),
            (
                r#"{"count": 1, "tone": {"hertz": -1}}"#,
                "params.tone.hertz: must be a whole number from 0 to 4294967295, not `-1`",
            ),
        ] {
            assert_eq!(message(Some(params)), expected);
        }
    }

    #[test]
    fn a_message_stays_short_and_in_one_line_whatever_the_keys_are() {
        let keys: serde_json::Map<String, Value> =
            (0..100).map(|n| (format!("\u{1b}[31m{n}\n{}", "k".repeat(10_000)), Value::Null)).collect();
        let message = message(Some(&Value::Object(keys).to_string()));
        assert!(message.contains("and 95 more") && message.chars().count() < 400, "{message}");
        assert!(!message.contains(char::is_control), "{message}");
    }

    #[test]
    fn hostile_json_is_bad_params() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(message(Some(&deep)).contains("cannot be read"));
        assert!(message(Some(r#"{"count": 1e999999}"#)).contains("params"));
    }
}
