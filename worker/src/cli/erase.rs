//! `erase`: everything of one user goes, files before rows, so that an interrupted run leaves nothing that nobody knows of.
//! What the user has in the queue is cancelled first and waited for, or a running job would write anew.

use std::time::{Duration, Instant};

use forgeos_core::{
    db::{Db, erase},
    ids::UserId,
    storage::{Bucket, Key, Storage, StorageError},
};
use futures::StreamExt;
use serde::Serialize;

use super::{Failure, Outcome, arguments::Erase, output};
use crate::{environment::open_storage, settings::Settings};

/// How often it is looked whether the workers have let go.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What went, or would go.
#[derive(Serialize)]
pub(super) struct Erased {
    user: UserId,
    #[serde(flatten)]
    rows: erase::OwnedRows,
    files: u64,
    file_bytes: u64,
    deleted: bool,
}

/// What is deleted is gone: it takes a word more than the command.
pub(super) fn check(arguments: &Erase) -> Outcome {
    if arguments.dry_run || arguments.yes {
        return Ok(());
    }
    Err(Failure::WrongUse(
        "this deletes all rows and files of the user for good; say --yes, or --dry-run to see what would go"
            .into(),
    ))
}

pub(super) async fn erase(db: &Db, settings: &Settings, arguments: &Erase) -> Outcome {
    let erased = everything_of(db, settings, arguments.user, arguments.dry_run).await?;
    if arguments.json {
        output::json(&erased);
    } else {
        print(&erased);
    }
    Ok(())
}

/// Erases a user, or counts what that would be.
pub(super) async fn everything_of(
    db: &Db,
    settings: &Settings,
    user: UserId,
    dry_run: bool,
) -> Result<Erased, Failure> {
    let storage = open_storage(settings, db).await?;
    let mut session = db.session().await?;
    let rows = erase::count(&mut session, user).await?;
    session.finish().await?;
    if !dry_run {
        wait_for_workers(db, user, Duration::from_secs(settings.worker.lease_seconds)).await?;
    }
    let mut erased = Erased { user, rows, files: 0, file_bytes: 0, deleted: !dry_run };
    for bucket in Bucket::ALL {
        files(&storage, bucket, dry_run, &mut erased).await?;
    }
    if !dry_run {
        let mut session = db.session().await?;
        erase::delete(&mut session, user).await?;
        session.finish().await?;
    }
    Ok(erased)
}

/// A holder learns of the cancellation from its heartbeat; one that is gone holds its job until its lease ends.
async fn wait_for_workers(db: &Db, user: UserId, lease: Duration) -> Outcome {
    let until = Instant::now() + lease * 2;
    loop {
        let mut session = db.session().await?;
        let held = erase::cancel(&mut session, user).await?;
        session.finish().await?;
        if held == 0 {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Failure::Failed(anyhow::anyhow!(
                "{held} jobs of the user are cancelled, but a worker still holds them; nothing was deleted: try again later"
            )));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn files(storage: &Storage, bucket: Bucket, dry_run: bool, erased: &mut Erased) -> Outcome {
    let folder = Key::parse(erased.user.to_string())?;
    let found: Vec<_> = storage.list(bucket, Some(&folder)).collect().await;
    for object in found {
        let object = match object {
            Ok(object) => object,
            // A bucket that was never made holds nothing.
            Err(StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if !dry_run {
            storage.delete(bucket, &object.key).await?;
        }
        erased.files += 1;
        erased.file_bytes += object.size_bytes;
    }
    Ok(())
}

fn print(erased: &Erased) {
    let rows = erased.rows;
    let line = |what: &str, count: i64| [what.to_owned(), count.to_string()];
    output::table(
        ["WHAT", if erased.deleted { ">DELETED" } else { ">WOULD GO" }],
        &[
            line("jobs", rows.jobs),
            line("analyses", rows.analyses),
            line("reports", rows.reports),
            line("training sessions", rows.training_sessions),
            line("artifacts", rows.artifacts),
            line("audit log", rows.audit_log),
            ["files".to_owned(), format!("{} ({:.1} MB)", erased.files, erased.file_bytes as f64 / 1e6)],
        ],
    );
}
