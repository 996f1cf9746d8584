//! This machine: room on the disk, files of reports, threads and memory.

use forgeos_reporting::pdf::{Setter, SetterOptions};

use super::{Finding, words};
use crate::settings::Settings;

/// Less free disk than this is worth a word, in bytes.
const LITTLE: u64 = 1 << 30;
/// With less than this nothing works for long.
const TOO_LITTLE: u64 = 100 << 20;

pub(super) fn examine(settings: &Settings, findings: &mut Vec<Finding>) {
    let setter = Setter::new(SetterOptions {
        templates_dir: settings.reporting.templates_dir.clone(),
        rules_file: settings.reporting.rules_file.clone(),
        fonts_dir: settings.reporting.fonts_dir.clone(),
    });
    findings.push(match setter {
        Ok(_) => Finding::ok("reports", "templates, fonts and rules can be used"),
        Err(error) => Finding::fail("reports", words(error), "look at the files that [reporting] names"),
    });
    // Where nothing is kept, nothing can fill up.
    if let Some((place, free)) = free_disk(settings) {
        let found = format!("{:.1} GB free below {place}", free as f64 / 1e9);
        let mend = "make room, or set data_dir to a larger disk";
        findings.push(match free {
            free if free < TOO_LITTLE => Finding::fail("disk", found, mend),
            free if free < LITTLE => Finding::warn("disk", found, mend),
            _ => Finding::ok("disk", found),
        });
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let budget = settings.worker.memory_budget_mb;
    findings.push(Finding::ok("machine", format!("{threads} cores, {budget} MiB for pictures under way")));
}

/// Free bytes for this user where `data_dir` is, or will be.
fn free_disk(settings: &Settings) -> Option<(String, u64)> {
    let place = settings.data_dir.ancestors().find(|folder| folder.is_dir())?;
    let disk = rustix::fs::statvfs(place).ok()?;
    Some((place.display().to_string(), disk.f_bavail.saturating_mul(disk.f_frsize)))
}
