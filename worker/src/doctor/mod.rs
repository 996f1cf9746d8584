//! Checks what a worker needs, before it is needed: settings, database, rights, wake-up, storage, reports, machine. Each
//! finding that is not good says how to mend it. Nothing is changed but small files that it writes and deletes again.

mod database;
mod http;
mod machine;
mod storage;

use serde::Serialize;

use crate::{
    database::{Database, DatabaseError},
    settings::Settings,
};

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// The worker runs, but not as well, or not as safely, as it could.
    Warn,
    /// The worker, or some of its jobs, cannot run.
    Fail,
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was checked, in a word or two.
    pub check: &'static str,
    /// How good it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// How to mend it; none where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), mend: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    fn fail(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, found: found.into(), mend: Some(mend.into()) }
    }
}

/// Checks everything, in the order in which a worker would need it.
pub async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![settings_finding(settings)];
    match Database::open(settings).await {
        Ok(opened) => {
            database::examine(settings, &opened, &mut findings).await;
            let db = opened.pool(1);
            storage::examine(settings, Some(&db), &mut findings).await;
            db.close().await;
            opened.close().await;
        }
        Err(error) => {
            let mend = match &error {
                DatabaseError::MissingFile { .. } => {
                    "correct the path in the URL, or let the worker's user read the file"
                }
                _ => "set DATABASE_URL, or install PostgreSQL's binaries for the embedded one",
            };
            findings.push(Finding::fail("database", words(error), mend));
            storage::examine(settings, None, &mut findings).await;
        }
    }
    http::examine(settings, &mut findings).await;
    machine::examine(settings, &mut findings);
    findings
}

/// Settings that cannot be read have ended the program before.
fn settings_finding(settings: &Settings) -> Finding {
    let place = settings.data_dir.display();
    let found =
        format!("{}, data_dir {place}", if settings.production { "production" } else { "development" });
    Finding::ok("settings", found)
}

/// An error with its causes, in one line and without secrets.
fn words(error: impl Into<anyhow::Error>) -> String {
    crate::cli::one_line(&error.into())
}
