//! This machine: room on the disk, files of reports, threads and memory.

use std::path::Path;

use forgeos_core::storage::Storage;
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
    let store = Storage::folder(&settings.storage, &settings.data_dir);
    let mut said = None;
    for (folder, setting) in [(Some(&settings.data_dir), "data_dir"), (store.as_ref(), "storage.url")] {
        // Where nothing is kept, nothing can fill up.
        let Some((place, device, free)) = folder.and_then(|folder| free_disk(folder)) else { continue };
        if said.replace(device) == Some(device) {
            continue;
        }
        let found = format!("{:.1} GB free below {place}", free as f64 / 1e9);
        let mend = format!("make room, or set {setting} to a larger disk");
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

/// Where a folder is or will be: the place, its disk, and the free bytes there for this user.
fn free_disk(folder: &Path) -> Option<(String, u64, u64)> {
    let place = folder.ancestors().find(|folder| folder.is_dir())?;
    let device = rustix::fs::stat(place).ok()?.st_dev;
    let disk = rustix::fs::statvfs(place).ok()?;
    Some((place.display().to_string(), device, disk.f_bavail.saturating_mul(disk.f_frsize)))
}
