//! `doctor`.

use super::{Failure, Outcome, output};
use crate::{
    doctor::{self, Verdict},
    settings::Settings,
};

pub(super) async fn doctor(settings: &Settings, json: bool) -> Outcome {
    let findings = doctor::examine(settings).await;
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    if json {
        output::json(&serde_json::json!({ "verdict": worst, "findings": findings }));
    } else {
        for finding in &findings {
            let mark = match finding.verdict {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            output::text(&format!("{mark}  {:<11} {}", finding.check, finding.found));
            if let Some(mend) = &finding.mend {
                output::text(&format!("      {:<11} → {mend}", ""));
            }
        }
        output::text(match worst {
            Verdict::Ok => "all is well",
            Verdict::Warn => "a worker can run here; see the warnings",
            Verdict::Fail => "a worker cannot run here as it should",
        });
    }
    if worst == Verdict::Fail { Err(Failure::Said) } else { Ok(()) }
}
