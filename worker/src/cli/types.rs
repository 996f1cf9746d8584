//! `types` and `workers`.

use forgeos_core::db::{Db, console};

use super::{
    Failure, Outcome,
    arguments::TypesCommand,
    check_type,
    output::{self, duration},
};

pub(super) async fn types(db: &Db, command: TypesCommand) -> Outcome {
    let (name, found, words, json) = match command {
        TypesCommand::List { json } => return list(db, json).await,
        TypesCommand::Pause { name, json } => {
            let found = console::set_paused(db, &name, true).await?;
            (name, found, "is paused; running jobs go on", json)
        }
        TypesCommand::Resume { name, json } => {
            let found = console::set_paused(db, &name, false).await?;
            (name, found, "is resumed", json)
        }
        TypesCommand::Limit { name, running, per_user, pending, fair, json } => {
            let cap = |argument: Option<super::arguments::CapArgument>| argument.map(|cap| cap.0);
            let found =
                console::set_limits(db, &name, cap(running), cap(per_user), cap(pending), fair).await?;
            (name, found, "has new limits", json)
        }
    };
    if found {
        if json {
            output::json(&console::types(db).await?.into_iter().find(|line| line.name == name));
        } else {
            output::text(&format!("{name} {words}"));
        }
        return Ok(());
    }
    check_type(db, &name).await
}

/// What is wrong with a command whatever the database holds.
pub(super) fn check(command: &TypesCommand) -> Outcome {
    match command {
        TypesCommand::Limit { name, running: None, per_user: None, pending: None, fair: None, .. } => {
            Err(Failure::WrongUse(format!(
                "say what to limit of `{name}`: --running, --per-user, --pending, --fair"
            )))
        }
        _ => Ok(()),
    }
}

async fn list(db: &Db, json: bool) -> Outcome {
    let lines = console::types(db).await?;
    if json {
        output::json(&lines);
        return Ok(());
    }
    let cap = |cap: Option<i32>| cap.map_or_else(|| "-".to_owned(), |cap| cap.to_string());
    let rows: Vec<[String; 9]> = lines
        .into_iter()
        .map(|line| {
            [
                line.name,
                if line.paused { "paused" } else { "active" }.to_owned(),
                line.max_attempts.to_string(),
                duration(line.timeout_seconds.into()),
                cap(line.max_running),
                cap(line.max_running_per_user),
                cap(line.max_pending_per_user),
                if line.fair { "in turns" } else { "in order" }.to_owned(),
                if line.user_may_enqueue { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    output::table(
        [
            "TYPE",
            "STATE",
            ">ATTEMPTS",
            ">TIME LIMIT",
            ">RUNNING",
            ">PER USER",
            ">PENDING PER USER",
            "CLAIMED",
            "USERS MAY ENQUEUE",
        ],
        &rows,
    );
    Ok(())
}

pub(super) async fn workers(db: &Db, json: bool) -> Outcome {
    let lines = console::workers(db).await?;
    if json {
        output::json(&lines);
        return Ok(());
    }
    if lines.is_empty() {
        output::text("no workers; start one with `forgeos-worker run`");
        return Ok(());
    }
    let rows: Vec<[String; 7]> = lines
        .into_iter()
        .map(|line| {
            let slots = line.slots.as_object().map(|slots| {
                slots.iter().map(|(name, n)| format!("{name}:{n}")).collect::<Vec<_>>().join(" ")
            });
            [
                line.id.to_string(),
                line.host.unwrap_or_default(),
                line.version.unwrap_or_default(),
                duration(line.up_seconds),
                format!("{} ago", duration(line.silent_seconds.max(0.0))),
                line.http_address.unwrap_or_else(|| "-".to_owned()),
                slots.unwrap_or_default(),
            ]
        })
        .collect();
    output::table(["ID", "HOST", "VERSION", ">UP", ">HEARD", "HTTP", "SLOTS"], &rows);
    Ok(())
}
