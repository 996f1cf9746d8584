//! `enqueue`.

use std::io::Read;

use forgeos_core::db::{
    Db, DbError,
    console::{self, NewJob},
};
use serde_json::Value;

use super::{Failure, Outcome, arguments::Enqueue, output, watch};

pub(super) async fn enqueue(db: &Db, what: &Enqueue, params: &Value) -> Outcome {
    let job = NewJob {
        job_type: &what.job_type,
        params,
        user: what.user,
        priority: what.priority.into(),
        run_at: what.run_at,
        unique_key: what.unique_key.as_deref(),
    };
    let id = console::enqueue(db, &job).await.map_err(|error| match error {
        // An unknown type, a user's limit: the database says what is allowed.
        DbError::Refused { message, .. } => Failure::WrongUse(message),
        other => other.into(),
    })?;
    if !what.wait {
        if what.json {
            output::json(&serde_json::json!({ "id": id }));
        } else {
            output::text(&id.to_string());
        }
        return Ok(());
    }
    if !what.json {
        output::note(&format!("job {id}"));
    }
    watch::watch(db, id, what.json).await
}

/// JSON text, `@file` or `-`.
pub(super) fn read_params(text: &str) -> Result<Value, Failure> {
    let (text, origin) = if text == "-" {
        let mut stdin = String::new();
        std::io::stdin().read_to_string(&mut stdin)?;
        (stdin, "stdin".to_owned())
    } else if let Some(file) = text.strip_prefix('@') {
        let read = std::fs::read_to_string(file);
        (read.map_err(|error| Failure::WrongUse(format!("cannot read `{file}`: {error}")))?, file.to_owned())
    } else {
        (text.to_owned(), "--params".to_owned())
    };
    match serde_json::from_str(&text) {
        Ok(params @ Value::Object(_)) => Ok(params),
        Ok(_) => {
            Err(Failure::WrongUse(format!("{origin} must hold a JSON object, like {{\"image_ids\": […]}}")))
        }
        Err(error) => Err(Failure::WrongUse(format!("{origin} does not hold valid JSON: {error}"))),
    }
}
