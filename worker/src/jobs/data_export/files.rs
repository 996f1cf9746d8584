//! The files of one export: written side by side, checked together, recorded together.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use forgeos_core::{
    ErrorCode, JobContext, JobError,
    db::{
        DbError,
        artifacts::{self, NewArtifact},
        reports::{self, NewReport},
    },
    storage::{Bucket, Key, StorageError, StorageResult, StoredObject, Upload},
};
use forgeos_exporting::{Format, Output};
use futures::future::{join_all, try_join_all};
use serde_json::json;

use super::{DataExport, Dataset, ExportFile, ExportResults};

/// `reports.template` of an export.
const TEMPLATE: &str = "data_export";
/// How often rows are tried to be written before the fault counts.
const TRIES: u32 = 3;

/// The files while they are written.
#[derive(Debug)]
pub(super) struct Files(Vec<File>);

#[derive(Debug)]
struct File {
    output: Output,
    key: Key,
    upload: Option<Upload>,
}

/// A file that lies in the store, whole.
#[derive(Debug)]
pub(super) struct StoredFile {
    output: Output,
    key: Key,
    object: StoredObject,
}

/// What the files hold.
#[derive(Debug)]
pub(super) struct Content {
    /// When the snapshot was taken.
    pub(super) taken_at: DateTime<Utc>,
    pub(super) rows: u64,
    /// Texts that were cut because a cell holds no more, one number a file.
    pub(super) cells_cut: Vec<u64>,
}

impl Files {
    /// Names them; nothing is written yet.
    pub(super) fn new(ctx: &JobContext, dataset: Dataset, outputs: &[Output]) -> Result<Self, JobError> {
        let (lease, owner) = (ctx.lease(), ctx.job.owner_folder());
        let name = dataset.table().as_str();
        let files = outputs.iter().map(|&output| {
            let extension = output.format.extension(output.compression);
            let key = Key::of_job(&owner, lease.job, lease.attempt, name, extension)?;
            Ok(File { output, key, upload: None })
        });
        files.collect::<Result<_, StorageError>>().map(Self).map_err(JobError::from)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Begins to write.
    pub(super) async fn open(&mut self, ctx: &JobContext) -> Result<(), JobError> {
        let alone = self.len() == 1;
        for file in &mut self.0 {
            let mime = file.output.format.mime_type(file.output.compression);
            let upload = ctx.storage.upload(Bucket::Exports, &file.key, mime).await.map_err(refused)?;
            file.upload = Some(if alone { upload } else { upload.one_part_at_a_time() });
        }
        Ok(())
    }

    /// Appends bytes to each file, all at once: the slowest holds up the others.
    pub(super) async fn write(&mut self, bytes: &[Vec<u8>]) -> Result<(), JobError> {
        let writes = self.0.iter_mut().zip(bytes).map(async |(file, bytes)| match &mut file.upload {
            Some(upload) => upload.write(bytes).await,
            None => Ok(()),
        });
        try_join_all(writes).await.map(drop).map_err(refused)
    }

    /// Makes them visible and reads each back; in the order of the outputs. An error may leave some of them in the
    /// store.
    pub(super) async fn finish(&mut self, ctx: &JobContext) -> Result<Vec<StoredFile>, JobError> {
        let ends =
            self.0.iter_mut().filter_map(|file| Some((file.upload.take()?, &file.key, file.output))).map(
                async |(upload, key, output)| {
                    let mut object = upload.finish().await?;
                    let (size_bytes, sha256) = ctx.storage.checksum(Bucket::Exports, key).await?;
                    object.verified = size_bytes == object.size_bytes && sha256 == object.sha256;
                    StorageResult::Ok(StoredFile { output, key: key.clone(), object })
                },
            );
        let stored = try_join_all(ends).await.map_err(refused)?;
        match stored.iter().find(|file| !file.object.verified) {
            Some(file) => Err(JobError::transient(
                ErrorCode::StorageUnavailable,
                "the object store does not hold what was written to it; the export will be tried again",
            )
            .because(format!(
                "`{}` is not the {} bytes that were written",
                file.key, file.object.size_bytes
            ))),
            None => Ok(stored),
        }
    }

    /// Undoes what was not finished.
    pub(super) async fn abort(&mut self) {
        join_all(self.0.iter_mut().filter_map(|file| file.upload.take()).map(Upload::abort)).await;
    }
}

/// Writes the rows of all files in one transaction, under the fence: from here on they count.
pub(super) async fn record(
    ctx: &JobContext,
    job: &DataExport,
    content: &Content,
    stored: &[StoredFile],
) -> Result<ExportResults, JobError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_record(ctx, job, content, stored).await {
            Ok(files) => return Ok(ExportResults { rows: content.rows, files }),
            Err(DbError::Conflict(_) | DbError::Unavailable(_)) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(100..400) * u64::from(tries))).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn try_record(
    ctx: &JobContext,
    job: &DataExport,
    content: &Content,
    stored: &[StoredFile],
) -> Result<Vec<ExportFile>, DbError> {
    let (lease, owner) = (ctx.lease(), ctx.job.user_id);
    let dataset = job.dataset.table().as_str();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    let mut files = Vec::with_capacity(stored.len());
    let rows = content.rows;
    for (StoredFile { output, key, object }, cells_cut) in stored.iter().zip(&content.cells_cut) {
        let format = output.format.as_str();
        let file = ExportFile {
            report_id: reports::id_of(lease, dataset, format),
            format: format.to_owned(),
            bucket: Bucket::Exports.as_str().to_owned(),
            key: key.to_string(),
            url: ctx.storage.url(Bucket::Exports, key),
            size_bytes: object.size_bytes,
            sha256: object.sha256.clone(),
            rows,
        };
        let mut metadata = json!({
            "format": format,
            "size_bytes": object.size_bytes,
            "generated_at": content.taken_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "rows": rows,
            "sha256": object.sha256,
            "dataset": dataset,
            "compression": output.compression.as_str(),
        });
        if output.format == Format::Xlsx {
            metadata["cells_cut"] = json!(cells_cut);
        }
        let report = NewReport {
            id: file.report_id,
            analysis_id: None,
            url: &file.url,
            template: TEMPLATE,
            metadata: &metadata,
        };
        reports::record(&mut transaction, owner, &report).await?;
        let artifact = NewArtifact {
            item: dataset,
            kind: &format!("export_{format}"),
            bucket: Bucket::Exports,
            key,
            object,
            mime_type: output.format.mime_type(output.compression),
        };
        artifacts::record(&mut transaction, lease, owner, &artifact).await?;
        files.push(file);
    }
    transaction.commit().await?;
    Ok(files)
}

/// Removes what attempts that were killed left half written.
pub(super) async fn remove_unfinished(ctx: &JobContext) -> StorageResult<()> {
    let lease = ctx.lease();
    for attempt in 1..=lease.attempt {
        let folder = Key::parse(format!("{}/{}/{attempt}", ctx.job.owner_folder(), lease.job))?;
        ctx.storage.remove_unfinished(Bucket::Exports, &folder).await?;
    }
    Ok(())
}

/// What the store refuses now it refuses for all jobs: an operator's to mend, and nobody's attempt.
fn refused(error: StorageError) -> JobError {
    match error {
        StorageError::Denied(_) | StorageError::NotFound => JobError::outage(
            ErrorCode::StorageUnavailable,
            "the object store does not let the worker write to bucket `exports`; the job will go on when an operator has mended it",
        )
        .because(error),
        error => error.into(),
    }
}
