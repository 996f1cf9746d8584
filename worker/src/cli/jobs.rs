//! `jobs`.

use forgeos_core::{
    JobId, JobStatus,
    db::{
        Db,
        console::{self, JobFilter},
    },
};
use serde_json::{Value, json};

use super::{
    Failure, JobsCommand, Outcome,
    arguments::Which,
    check_type,
    output::{self, duration, short},
    watch,
};

/// Jobs of a bulk command that are looked up at once.
const ROUND: i64 = 1000;

pub(super) async fn jobs(db: &Db, command: JobsCommand) -> Outcome {
    match command {
        JobsCommand::List { which, limit, json } => list(db, &which, limit, json).await,
        JobsCommand::Show { id, json } => show(db, id, json).await,
        JobsCommand::Watch { id, json } => watch::watch(db, id, json).await,
        JobsCommand::Cancel { ids, which, json } => change(db, Change::Cancel, &ids, &which, json).await,
        JobsCommand::Retry { ids, which, json } => change(db, Change::Retry, &ids, &which, json).await,
        JobsCommand::Explain { id, json } => explain(db, id, json).await,
        JobsCommand::Stats { json } => stats(db, json).await,
        JobsCommand::Adopt { json } => {
            let adopted = console::adopt(db).await?;
            if json {
                output::json(&json!({ "adopted": adopted }));
            } else {
                output::text(&format!("{adopted} pending jobs adopted"));
            }
            Ok(())
        }
    }
}

/// What is wrong with a command whatever the database holds.
pub(super) fn check(command: &JobsCommand) -> Outcome {
    match command {
        JobsCommand::Cancel { ids, which, .. } => Change::Cancel.check(ids, which),
        JobsCommand::Retry { ids, which, .. } => Change::Retry.check(ids, which),
        _ => Ok(()),
    }
}

fn filter(which: &Which) -> JobFilter<'_> {
    JobFilter {
        job_type: which.job_type.as_deref(),
        status: which.status,
        user: which.user,
        older_seconds: which.older,
    }
}

async fn list(db: &Db, which: &Which, limit: i64, json: bool) -> Outcome {
    let lines = console::list(db, &filter(which), limit).await?;
    if lines.is_empty()
        && let Some(name) = &which.job_type
    {
        check_type(db, name).await?;
    }
    if json {
        output::json(&lines);
        return Ok(());
    }
    let rows: Vec<[String; 8]> = lines
        .into_iter()
        .map(|line| {
            let what = match (&line.error_message, line.percent) {
                (Some(message), _) => short(message, 200),
                (None, Some(percent)) if line.status == "running" => format!("{percent:.0} %"),
                _ => String::new(),
            };
            [
                line.id.to_string(),
                line.job_type,
                line.status,
                line.priority.to_string(),
                line.attempt.to_string(),
                duration(line.age_seconds),
                line.run_seconds.map(duration).unwrap_or_default(),
                what,
            ]
        })
        .collect();
    if rows.is_empty() {
        output::text("no jobs");
    } else {
        output::table(["ID", "TYPE", "STATUS", ">PRIO", ">ATTEMPT", ">AGE", ">RAN", "NOTE"], &rows);
    }
    Ok(())
}

pub(super) fn no_such_job(id: JobId) -> Failure {
    Failure::Failed(anyhow::anyhow!("there is no job {id}"))
}

async fn show(db: &Db, id: JobId, json: bool) -> Outcome {
    let Some(job) = console::show(db, id).await? else { return Err(no_such_job(id)) };
    if json {
        output::json(&job);
        return Ok(());
    }
    for key in [
        "id",
        "job_type",
        "status",
        "user_id",
        "priority",
        "attempt",
        "max_attempts",
        "crashes",
        "created_at",
        "run_at",
        "started_at",
        "completed_at",
        "locked_by",
        "locked_until",
        "unique_key",
        "progress",
        "error_code",
        "error_message",
        "items",
        "params",
        "results",
    ] {
        match job.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Object(fields)) if fields.is_empty() => {}
            Some(Value::String(text)) => {
                output::text(&format!("{} {text}", output::bold(&format!("{key:<14}"))))
            }
            Some(value) => {
                output::text(&format!(
                    "{} {}",
                    output::bold(&format!("{key:<14}")),
                    short(&value.to_string(), 2000)
                ));
            }
        }
    }
    for (title, key, shown) in [
        ("attempts that did not complete", "attempts", ["attempt", "outcome", "error_code", "ended_at"]),
        ("files", "artifacts", ["kind", "bucket", "key", "size_bytes"]),
        ("log", "logs", ["logged_at", "level", "message", ""]),
    ] {
        let Some(rows) = job.get(key).and_then(Value::as_array).filter(|rows| !rows.is_empty()) else {
            continue;
        };
        output::text(&output::bold(title));
        for row in rows {
            let cells: Vec<String> = shown
                .iter()
                .filter_map(|name| match row.get(name)? {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                })
                .collect();
            output::text(&format!("  {}", cells.join("  ")));
        }
    }
    Ok(())
}

async fn explain(db: &Db, id: JobId, json: bool) -> Outcome {
    let reasons = console::explain(db, id).await?;
    if reasons.is_empty() {
        return Err(no_such_job(id));
    }
    if json {
        let reasons: Vec<Value> =
            reasons.iter().map(|(reason, detail)| json!({ "reason": reason, "detail": detail })).collect();
        output::json(&reasons);
    } else {
        let rows: Vec<[String; 2]> = reasons.into_iter().map(|(reason, detail)| [reason, detail]).collect();
        output::table(["REASON", "DETAIL"], &rows);
    }
    Ok(())
}

async fn stats(db: &Db, json: bool) -> Outcome {
    let lines = console::stats(db).await?;
    if json {
        output::json(&lines);
        return Ok(());
    }
    let number = |n: Option<i64>| n.unwrap_or_default().to_string();
    let rows: Vec<[String; 8]> = lines
        .into_iter()
        .map(|line| {
            let paused = if line.paused.unwrap_or_default() { "paused" } else { "" };
            let mut waits = String::new();
            if line.waiting.unwrap_or_default() > 0 {
                waits = line.oldest_waiting_seconds.map(duration).unwrap_or_default();
            }
            [
                line.job_type.unwrap_or_default(),
                number(line.waiting),
                waits,
                number(line.running),
                number(line.scheduled),
                number(line.expired_leases),
                number(line.failed_last_hour),
                match line.not_adopted.unwrap_or_default() {
                    0 => paused.to_owned(),
                    n => format!("{paused} {n} wait for `jobs adopt`").trim().to_owned(),
                },
            ]
        })
        .collect();
    output::table(
        ["TYPE", ">WAITING", ">OLDEST", ">RUNNING", ">LATER", ">LEASE LOST", ">FAILED (1 h)", "NOTE"],
        &rows,
    );
    Ok(())
}

#[derive(Clone, Copy)]
enum Change {
    Cancel,
    Retry,
}

impl Change {
    async fn apply(self, db: &Db, id: JobId) -> Result<bool, Failure> {
        Ok(match self {
            Self::Cancel => console::cancel(db, id).await?,
            Self::Retry => console::retry(db, id).await?,
        })
    }

    /// What is done, why it may not be, and to which jobs it can be.
    fn words(self) -> (&'static str, &'static str, &'static [JobStatus]) {
        match self {
            Self::Cancel => {
                ("cancelled", "it is finished, or there is none", &[JobStatus::Pending, JobStatus::Running])
            }
            Self::Retry => (
                "sent back to the queue",
                "it is neither failed nor cancelled, its unique key is taken, or there is none",
                &[JobStatus::Failed, JobStatus::Cancelled],
            ),
        }
    }

    fn check(self, ids: &[JobId], which: &Which) -> Outcome {
        if ids.is_empty() != which.says_something() {
            return Err(Failure::WrongUse(
                "give ids, or say which jobs by --type, --status, --user, --older; not both".to_owned(),
            ));
        }
        let (done, _, allowed) = self.words();
        if which.status.is_some_and(|status| !allowed.contains(&status)) {
            let words: Vec<&str> = allowed.iter().map(|status| status.as_str()).collect();
            return Err(Failure::WrongUse(format!("only {} jobs can be {done}", words.join(" and "))));
        }
        Ok(())
    }
}

/// Changes the jobs that were checked by [`Change::check`].
async fn change(db: &Db, change: Change, ids: &[JobId], which: &Which, json: bool) -> Outcome {
    if which.says_something() {
        change_matching(db, change, which, json).await
    } else {
        change_each(db, change, ids, json).await
    }
}

async fn change_each(db: &Db, change: Change, ids: &[JobId], json: bool) -> Outcome {
    let (done, why_not, _) = change.words();
    let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
    for &id in ids {
        if change.apply(db, id).await? {
            changed.push(id);
            if !json {
                output::text(&format!("{id} {done}"));
            }
        } else {
            unchanged.push(id);
            output::error(&format!("{id} not {done}: {why_not}"));
        }
    }
    if json {
        output::json(&json!({ "changed": changed, "unchanged": unchanged }));
    }
    if unchanged.is_empty() { Ok(()) } else { Err(Failure::Said) }
}

async fn change_matching(db: &Db, change: Change, which: &Which, json: bool) -> Outcome {
    let (done, _, allowed) = change.words();
    let statuses: Vec<JobStatus> =
        allowed.iter().copied().filter(|status| which.status.is_none_or(|s| s == *status)).collect();
    let mut count = 0_u64;
    loop {
        let mut changed = 0_u64;
        for id in console::matching(db, &filter(which), &statuses, ROUND).await? {
            changed += u64::from(change.apply(db, id).await?);
        }
        count += changed;
        // What could not be changed is found again each time.
        if changed == 0 {
            break;
        }
    }
    if count == 0
        && let Some(name) = &which.job_type
    {
        check_type(db, name).await?;
    }
    if json {
        output::json(&json!({ "changed": count }));
    } else {
        output::text(&format!("{count} jobs {done}"));
    }
    Ok(())
}
