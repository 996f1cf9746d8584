//! One report from its analyses to its rows: gather, set, put, settle.
//!
//! A file counts when its rows and its item are written, in one transaction under the fence; until then an interrupted
//! attempt leaves nothing but an object that no row points to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::SecondsFormat;
use forgeos_core::{
    ErrorCode, JobContext, JobError,
    db::{
        DbError,
        artifacts::{self, NewArtifact},
        items::{self, ClaimedItem},
        report_sources::{self, SourceAnalysis},
        reports::{self, NewReport},
    },
    storage::{Bucket, Key, StoredObject},
};
use forgeos_reporting::{
    model::{Analysis, LeftOut, Report},
    pdf::Setter,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    COMBINED, document,
    failure::{ReportFailure, Trouble, in_writing},
    params::{ReportFormat, ReportGeneration},
    pictures::{Album, long_side_for},
    results::ReportError,
    typeset::{Typeset, typeset},
};
use crate::jobs::patience::{TRIES, patiently, pause};

/// Rows of analyses that are read at once.
const ROWS_AT_ONCE: usize = 200;
/// PostgreSQL's code for a row that refers to one that is gone.
const FOREIGN_KEY_VIOLATION: &str = "23503";

/// Of a file's steps, those in which it is set; the rest is writing.
const SETTING_TENTHS: u64 = 9;

/// Steps of a combined report: every analysis is collected once, and set once for each file.
fn steps_of(analyses: usize, files: usize) -> u64 {
    analyses as u64 * (1 + files as u64)
}

/// What all reports of a job share.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) ctx: JobContext,
    pub(super) params: Arc<ReportGeneration>,
    pub(super) setter: Arc<Setter>,
    pub(super) album: Album,
    /// Set when a file was stored that no row will point to.
    pub(super) orphans: Arc<AtomicBool>,
}

/// A file in the store.
struct Stored {
    format: ReportFormat,
    key: Key,
    object: StoredObject,
    pages: Option<u64>,
    has_pictures: bool,
}

/// What becomes of an item.
enum Outcome {
    Files { analysis_id: Option<Uuid>, files: Vec<Stored>, left_out: Vec<ReportError> },
    Failed { failure: ReportFailure, left_out: Vec<ReportError> },
}

impl Writer {
    /// The report of one analysis. An error concerns the whole job.
    pub(super) async fn single(
        &self,
        item: ClaimedItem,
        source: Option<SourceAnalysis>,
    ) -> Result<(), JobError> {
        let outcome = match self.try_single(&item, source.as_ref()).await {
            Ok(outcome) => outcome,
            Err(Trouble::Report(failure)) => {
                // One line for all of them stands at the end of the attempt.
                tracing::debug!(item = %item.item, error.code = %failure.code, "no report: {}", failure.message);
                Outcome::Failed { failure, left_out: Vec::new() }
            }
            Err(Trouble::Job(error)) => return Err(error),
        };
        self.settle(&item, outcome).await
    }

    async fn try_single(
        &self,
        item: &ClaimedItem,
        source: Option<&SourceAnalysis>,
    ) -> Result<Outcome, Trouble> {
        let mut analysis = document::analysis(source, self.ctx.job.user_id)?;
        if let Some(source) = source {
            self.illustrate(&mut analysis, source, long_side_for(1)).await?;
        }
        let report = Arc::new(self.report_of(vec![analysis], Vec::new()));
        let mut files = Vec::new();
        for format in self.params.formats() {
            let set = typeset(&self.ctx, &self.setter, &report, format, |_| {}).await?;
            files.push(self.put(&item.item, set).await?);
        }
        Ok(Outcome::Files { analysis_id: source.map(|source| source.id), files, left_out: Vec::new() })
    }

    /// One report of all the analyses.
    pub(super) async fn combined(&self, item: ClaimedItem, ids: &[Uuid]) -> Result<(), JobError> {
        let formats = self.params.formats();
        let steps = steps_of(ids.len(), formats.len());
        let (analyses, told) = self.gather(ids, steps).await?;
        let (mut left_out, told): (Vec<ReportError>, Vec<LeftOut>) = told.into_iter().unzip();
        let failure = if analyses.is_empty() {
            ReportFailure::new(ErrorCode::NothingToDo, "none of the analyses can be reported on")
        } else {
            let report = Arc::new(self.report_of(analyses, told));
            match self.set_combined(&report, &formats, ids.len() as u64).await {
                Ok(files) => {
                    let outcome = Outcome::Files { analysis_id: None, files, left_out };
                    return self.settle(&item, outcome).await;
                }
                Err(Trouble::Job(error)) => return Err(error),
                Err(Trouble::Report(failure)) => failure,
            }
        };
        let told: Vec<Uuid> = left_out.iter().map(|error| error.analysis_id).collect();
        left_out.extend(ids.iter().filter(|id| !told.contains(id)).map(|id| failure.of_analysis(*id)));
        self.settle(&item, Outcome::Failed { failure, left_out }).await
    }

    async fn set_combined(
        &self,
        report: &Arc<Report>,
        formats: &[ReportFormat],
        collected: u64,
    ) -> Result<Vec<Stored>, Trouble> {
        let mut files = Vec::new();
        let steps = steps_of(collected as usize, formats.len());
        for (place, format) in formats.iter().enumerate() {
            let before = collected * (1 + place as u64);
            let progress = self.ctx.progress.clone();
            progress.set("typesetting", before, steps);
            let told = move |set: usize| {
                progress.set("typesetting", before + set as u64 * SETTING_TENTHS / 10, steps);
            };
            let set = typeset(&self.ctx, &self.setter, report, *format, told).await?;
            self.ctx.progress.set("writing", before + collected * SETTING_TENTHS / 10, steps);
            files.push(self.put(COMBINED, set).await?);
        }
        Ok(files)
    }

    /// The analyses with their pictures, in the order of `ids`, and those that cannot be reported on, as the results
    /// and as the report tell it.
    async fn gather(
        &self,
        ids: &[Uuid],
        steps: u64,
    ) -> Result<(Vec<Analysis>, Vec<(ReportError, LeftOut)>), JobError> {
        let (owner, side) = (self.ctx.job.user_id, long_side_for(ids.len()));
        let (mut analyses, mut left_out) = (Vec::with_capacity(ids.len()), Vec::new());
        let mut done = 0;
        self.ctx.progress.set("collecting", 0, steps);
        for some in ids.chunks(ROWS_AT_ONCE) {
            let mut session = self.ctx.db.session().await?;
            let mut sources = report_sources::find(&mut session, owner, some).await?;
            session.finish().await?;
            let sources: Vec<_> = some.iter().map(|id| (*id, sources.remove(id))).collect();
            let mut illustrated = stream::iter(sources)
                .map(|(id, source)| async move {
                    let mut analysis = match document::analysis(source.as_ref(), owner) {
                        Ok(analysis) => analysis,
                        Err(failure) => {
                            let told = document::left_out(source.as_ref(), owner, id, &failure);
                            return Ok(Err((failure.of_analysis(id), told)));
                        }
                    };
                    if let Some(source) = source {
                        self.illustrate(&mut analysis, &source, side).await?;
                    }
                    Ok::<_, JobError>(Ok(analysis))
                })
                .buffered(self.ctx.compute.threads() + 2);
            while let Some(gathered) = illustrated.try_next().await? {
                match gathered {
                    Ok(analysis) => analyses.push(analysis),
                    Err(error) => left_out.push(error),
                }
                done += 1;
                self.ctx.progress.set("collecting", done, steps);
            }
        }
        Ok((analyses, left_out))
    }

    /// Only a PDF has pictures in it; tables link to them.
    async fn illustrate(
        &self,
        analysis: &mut Analysis,
        source: &SourceAnalysis,
        long_side: u32,
    ) -> Result<(), JobError> {
        if !self.params.options.include_images {
            return Ok(());
        }
        if self.params.formats().contains(&ReportFormat::Pdf) {
            return self.album.illustrate(analysis, source, long_side).await;
        }
        self.album.link(analysis, source);
        Ok(())
    }

    fn report_of(&self, analyses: Vec<Analysis>, left_out: Vec<LeftOut>) -> Report {
        let params = &self.params;
        Report {
            template: params.template.into(),
            language: params.language.into(),
            job_id: self.ctx.lease().job.to_string(),
            generated_at: self.ctx.job.claimed_at,
            include_recommendations: params.options.include_recommendations,
            include_images: params.options.include_images,
            combined: params.combined,
            analyses,
            left_out,
        }
    }

    async fn put(&self, item: &str, file: Typeset) -> Result<Stored, Trouble> {
        let Typeset { format, bytes, pages, has_pictures } = file;
        let lease = self.ctx.lease();
        let owner = self.ctx.job.owner_folder();
        let key = Key::of_job(&owner, lease.job, lease.attempt, item, format.as_str())
            .map_err(|why| ReportFailure::new(ErrorCode::Internal, why.to_string()))?;
        let object = patiently(|| self.ctx.storage.put(Bucket::Reports, &key, bytes.clone(), format.mime()))
            .await
            .map_err(in_writing)?;
        Ok(Stored { format, key, object, pages, has_pictures })
    }

    /// Writes all rows of one item together, under the fence.
    async fn settle(&self, item: &ClaimedItem, outcome: Outcome) -> Result<(), JobError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_settle(item, &outcome).await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(_) | DbError::Unavailable(_)) if tries < TRIES => pause(tries).await,
                Err(error) if error.code() == Some(FOREIGN_KEY_VIOLATION) => {
                    // Its user has deleted the analysis while its report was set.
                    self.orphans.store(true, Ordering::Relaxed);
                    let gone = Outcome::Failed { failure: ReportFailure::not_found(), left_out: Vec::new() };
                    return Box::pin(self.settle(item, gone)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn try_settle(&self, item: &ClaimedItem, outcome: &Outcome) -> Result<(), DbError> {
        let lease = self.ctx.lease();
        let mut transaction = self.ctx.db.begin_fenced(lease).await?;
        let error = match outcome {
            Outcome::Failed { failure, left_out } => {
                let mut error = failure.to_json();
                if !left_out.is_empty() {
                    error["left_out"] = json!(left_out);
                }
                Some(error)
            }
            Outcome::Files { analysis_id, files, left_out } => {
                for file in files {
                    self.record(&mut transaction, &item.item, *analysis_id, file, left_out).await?;
                }
                None
            }
        };
        if !items::finish(&mut transaction, lease, item, None, error.as_ref()).await? {
            // Its commit may have counted although the answer was lost; or somebody else has the item. Either way
            // there is nothing left to write.
            tracing::debug!(item = %item.item, "the item is not this worker's any more");
            return transaction.rollback().await;
        }
        transaction.commit().await
    }

    async fn record(
        &self,
        transaction: &mut forgeos_core::db::Transaction,
        item: &str,
        analysis_id: Option<Uuid>,
        file: &Stored,
        left_out: &[ReportError],
    ) -> Result<(), DbError> {
        let (lease, owner) = (self.ctx.lease(), self.ctx.job.user_id);
        let metadata = self.metadata(file, left_out);
        let url = self.ctx.storage.url(Bucket::Reports, &file.key);
        let report = NewReport {
            id: reports::id_of(lease, item, file.format.as_str()),
            analysis_id,
            url: &url,
            template: self.params.template.as_str(),
            metadata: &metadata,
        };
        reports::record(transaction, owner, &report).await?;
        let artifact = NewArtifact {
            item,
            kind: file.format.artifact_kind(),
            bucket: Bucket::Reports,
            key: &file.key,
            object: &file.object,
            mime_type: file.format.mime(),
        };
        artifacts::record(transaction, lease, owner, &artifact).await
    }

    /// `reports.metadata`. A table has no pages: 0, so that the key is always a number.
    fn metadata(&self, file: &Stored, left_out: &[ReportError]) -> Value {
        let mut metadata = json!({
            "pages": file.pages.unwrap_or(0),
            "size_bytes": file.object.size_bytes,
            "format": file.format.as_str(),
            "generated_at": self.ctx.job.claimed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "includes_images": file.has_pictures,
            "language": self.params.language.as_str(),
        });
        if !left_out.is_empty() {
            metadata["left_out"] = json!(left_out);
        }
        metadata
    }
}
