//! `prune`.

use forgeos_core::db::Db;

use super::{Outcome, arguments::Prune as Arguments, output};
use crate::{
    environment::open_storage,
    settings::{RetentionSettings, Settings},
    upkeep::prune::{Prune, Pruned},
};

pub(super) async fn prune(db: &Db, settings: &Settings, arguments: &Arguments) -> Outcome {
    let storage = open_storage(settings, db).await?;
    let defaults = settings.retention;
    let retention = RetentionSettings {
        completed_days: arguments.completed_days.unwrap_or(defaults.completed_days),
        failed_days: arguments.failed_days.unwrap_or(defaults.failed_days),
        log_days: arguments.log_days.unwrap_or(defaults.log_days),
        ..defaults
    };
    let prune = Prune { db, storage: &storage, retention };
    let pruned = if arguments.dry_run { prune.look().await? } else { prune.run().await? };
    if arguments.json {
        output::json(&pruned);
    } else {
        print(&pruned, retention, arguments.dry_run);
    }
    Ok(())
}

fn print(pruned: &Pruned, retention: RetentionSettings, dry_run: bool) {
    let older = |days: u32| match days {
        0 => "kept for ever".to_owned(),
        1 => "older than a day".to_owned(),
        days => format!("older than {days} days"),
    };
    let row = |what: &str, count: u64, which: String| [what.to_owned(), count.to_string(), which];
    output::table(
        ["WHAT", if dry_run { ">WOULD GO" } else { ">DELETED" }, "WHICH"],
        &[
            row("completed jobs", pruned.completed, older(retention.completed_days)),
            row("failed jobs", pruned.failed, older(retention.failed_days)),
            row("cancelled jobs", pruned.cancelled, older(retention.failed_days)),
            row("lines of logs", pruned.log_lines, older(retention.log_days)),
            row(
                "files",
                pruned.files,
                format!("no row leads to them; {:.1} MB", pruned.file_bytes as f64 / 1e6),
            ),
        ],
    );
    if pruned.left > 0 {
        output::note(&format!("{} left: the store did not let go of a file; try again later", pruned.left));
    }
}
