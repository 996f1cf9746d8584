//! `artifacts`: the files that jobs wrote, and links to read them with.

use std::time::Duration;

use forgeos_core::{
    db::{
        Db,
        artifacts::{self, ArtifactFilter},
    },
    storage::{Bucket, Key},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Failure, Outcome,
    arguments::ArtifactsCommand,
    output::{self, duration},
};
use crate::{
    environment::open_storage,
    settings::{FileAccess, Settings},
};

pub(super) async fn artifacts(db: &Db, settings: &Settings, command: ArtifactsCommand) -> Outcome {
    match command {
        ArtifactsCommand::List { job, user, kind, limit, json } => {
            let filter = ArtifactFilter { job, user, kind: kind.as_deref() };
            list(db, filter, limit, json).await
        }
        ArtifactsCommand::Url { id, valid_for, json } => {
            url(db, settings, id, Duration::from_secs(valid_for), json).await
        }
    }
}

async fn list(db: &Db, filter: ArtifactFilter<'_>, limit: i64, json: bool) -> Outcome {
    let lines = artifacts::list(db, filter, limit).await?;
    if json {
        output::json(&lines);
        return Ok(());
    }
    let rows: Vec<[String; 6]> = lines
        .into_iter()
        .map(|line| {
            [
                line.id.to_string(),
                line.job_id.map_or_else(|| "-".to_owned(), |job| job.to_string()),
                line.kind,
                format!("{:.1} kB", line.size_bytes as f64 / 1e3),
                duration(line.age_seconds),
                format!("{}/{}", line.bucket, line.key),
            ]
        })
        .collect();
    output::table(["ID", "JOB", "KIND", ">SIZE", ">AGE", "FILE"], &rows);
    Ok(())
}

async fn url(db: &Db, settings: &Settings, id: Uuid, valid_for: Duration, json: bool) -> Outcome {
    let Some((bucket, key)) = artifacts::find(db, id).await? else {
        return Err(Failure::Failed(anyhow::anyhow!(
            "no file has the id {id}; `artifacts list` and `results.files` of a job name them"
        )));
    };
    let storage = open_storage(settings, db).await?;
    let (bucket, key) = (bucket.parse::<Bucket>()?, Key::parse(key)?);
    // Where no signature is asked for, an end would be a promise that nobody keeps.
    let url = if storage.is_folder() && settings.http.files != FileAccess::Signed {
        storage.url(bucket, &key)
    } else {
        storage.signed_url(bucket, &key, valid_for).await?
    };
    if json {
        output::json(&json!({"id": id, "url": url}));
    } else {
        output::text(&url);
    }
    Ok(())
}
