//! From a claimed row to its handler: decodes the params, runs the job, turns the results into JSON text. A row that
//! does not decode fails alone, with a message that names the field.

use forgeos_core::{ErrorCode, Job, JobContext, JobError};
use serde_json::Value;

use crate::registry::HandlerResult;

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
    let text = params.unwrap_or("null");
    let mut value: Value = serde_json::from_str(text).map_err(|error| {
        JobError::bad_params("params cannot be read as JSON of usual depth and numbers").because(error)
    })?;
    let Value::Object(map) = &mut value else {
        return Err(JobError::bad_params(format!("params must be a JSON object, not {}", kind_of(&value))));
    };
    map.retain(|key, _| !key.starts_with('_'));
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.inner().to_string();
        let message =
            if path == "." { format!("params: {reason}") } else { format!("params.{path}: {reason}") };
        JobError::bad_params(message)
    })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Echo {
        #[allow(dead_code)]
        count: u8,
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
    fn errors_name_the_field_and_what_is_wrong() {
        assert!(decode_params::<Echo>(Some(r#"{"count": 3, "_trace": {"a": 1}}"#)).is_ok());
        assert_eq!(message(None), "params must be a JSON object, not null");
        assert_eq!(message(Some("[1]")), "params must be a JSON object, not an array");
        assert!(message(Some(r#"{"count": 300}"#)).starts_with("params.count: invalid value"));
        assert!(message(Some(r#"{"count": 1, "colour": 2}"#)).contains("unknown field `colour`"));
        assert!(message(Some(r#"{}"#)).contains("missing field `count`"));
    }

    #[test]
    fn hostile_json_is_bad_params() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(message(Some(&deep)).contains("cannot be read"));
        assert!(message(Some(r#"{"count": 1e999999}"#)).contains("params"));
    }
}
