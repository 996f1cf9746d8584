//! The job types that this program carries out, and how their params become typed.

use std::{collections::BTreeMap, sync::Arc};

use forgeos_core::{Job, JobContext, JobError};
use futures::future::BoxFuture;
use schemars::{
    Schema,
    transform::{Transform, transform_subschemas},
};

use crate::{dispatch, jobs};

/// What a handler returns: the results as JSON text.
pub type HandlerResult = Result<String, JobError>;

type Handler = dyn Fn(JobContext) -> BoxFuture<'static, HandlerResult> + Send + Sync;

/// One registered job type.
pub struct JobType {
    /// The word in `jobs.job_type`.
    pub name: &'static str,
    /// Jobs of this type that run at once, unless the settings say otherwise.
    pub default_slots: usize,
    handler: Box<Handler>,
    check: fn(&str) -> Result<(), JobError>,
    schemas: fn() -> (Schema, Schema),
}

impl std::fmt::Debug for JobType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobType").field("name", &self.name).finish_non_exhaustive()
    }
}

impl JobType {
    /// Decodes the params and runs the job.
    pub fn run(&self, context: JobContext) -> BoxFuture<'static, HandlerResult> {
        (self.handler)(context)
    }

    /// What is wrong with params, as far as it shows without data.
    pub fn check(&self, params: &str) -> Result<(), JobError> {
        (self.check)(params)
    }

    /// JSON Schema of the params.
    #[must_use]
    pub fn params_schema(&self) -> Schema {
        (self.schemas)().0
    }

    /// JSON Schema of the results.
    #[must_use]
    pub fn results_schema(&self) -> Schema {
        (self.schemas)().1
    }
}

/// Says in the schema of params what dispatch does: keys that start with `_` are the caller's own.
#[derive(Debug, Clone)]
struct AdmitOwnKeys;

impl Transform for AdmitOwnKeys {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("additionalProperties") == Some(&serde_json::Value::Bool(false)) {
            schema.insert("patternProperties".to_owned(), serde_json::json!({ "^_": {} }));
        }
        transform_subschemas(self, schema);
    }
}

/// The registered job types by name; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, Arc<JobType>>,
}

impl Registry {
    /// No job type.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The job types of the product.
    #[must_use]
    pub fn product() -> Self {
        Self::new()
            .with::<jobs::BatchAnalysis>(2)
            .with::<jobs::ReportGeneration>(2)
            .with::<jobs::ModelTraining>(1)
            .with::<jobs::DataExport>(2)
    }

    /// Adds a job type.
    #[must_use]
    pub fn with<J: Job>(mut self, default_slots: usize) -> Self {
        let job_type = JobType {
            name: J::NAME,
            default_slots,
            handler: Box::new(|context| Box::pin(dispatch::decode_and_run::<J>(context))),
            check: |params| dispatch::decode_params::<J>(Some(params))?.validate(),
            schemas: || {
                let mut params = schemars::schema_for!(J);
                AdmitOwnKeys.transform(&mut params);
                (params, schemars::schema_for!(J::Results))
            },
        };
        self.types.insert(J::NAME, Arc::new(job_type));
        self
    }

    /// A job type by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<JobType>> {
        self.types.get(name)
    }

    /// All job types, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<JobType>> {
        self.types.values()
    }

    /// All names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.types.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_params_admits_the_callers_own_keys_wherever_it_refuses_others() {
        for job_type in Registry::product().iter() {
            let schema = job_type.params_schema().to_value().to_string();
            let closed = schema.matches(r#""additionalProperties":false"#).count();
            let open = schema.matches(r#""patternProperties":{"^_":{}}"#).count();
            assert!(closed > 0 && closed == open, "{}: {closed} and {open}", job_type.name);
        }
    }
}
