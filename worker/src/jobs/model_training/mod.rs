//! `model_training`: labelled photographs in, a model and an account of how good it is out.
//!
//! The session is taken for the job, its pictures are read and described, a model is trained and tried, and its files
//! and rows are written together. Nothing of it is kept half: another attempt starts again. What is learned, and how it
//! is tried, is decided in `forgeos-learning`.

mod data;
mod gallery;
mod learning;
mod params;
mod results;
mod session;
mod writing;

use forgeos_core::{
    Job, JobContext, JobError, JobStatus, Remedy, StopReason,
    db::{
        DbError,
        training::{OpenSession, TrainedSession},
    },
    storage::Bucket,
};

pub use data::{Annotation, MAX_IMAGES, Region, TrainingData};
pub use params::{ModelTraining, TrainingOptions};
pub use results::{TrainingArtifact, TrainingResults};

use super::leftovers;
use learning::Deadline;
use session::Task;

impl Job for ModelTraining {
    const NAME: &'static str = "model_training";
    type Results = TrainingResults;

    fn validate(&self) -> Result<(), JobError> {
        self.check()
    }

    async fn run(&self, ctx: &JobContext) -> Result<TrainingResults, JobError> {
        ctx.check_stop()?;
        let deadline = Deadline::of(ctx, &self.options);
        let trained = match session::open(ctx, self).await? {
            Task::Tell(trained) => trained,
            Task::Train(session) => match self.train(ctx, &session, deadline).await {
                Ok(trained) => {
                    if ctx.lease().attempt > 1 {
                        tidy(ctx, JobStatus::Running).await;
                    }
                    trained
                }
                Err(error) => return Err(leave(ctx, error).await),
            },
        };
        session::tell(ctx, trained).await
    }
}

impl ModelTraining {
    async fn train(
        &self,
        ctx: &JobContext,
        session: &OpenSession,
        deadline: Deadline,
    ) -> Result<TrainedSession, JobError> {
        let version = writing::version_of(ctx.job.claimed_at, session.id);
        let work = async {
            let entries = session::data_of(session)?.entries()?;
            let classes: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
            let words = || classes.iter().map(String::as_str);
            data::enough_of_each_class(words(), words(), "")?;
            let mut gallery =
                tokio::time::timeout(deadline.left(), gallery::describe(ctx, session.owner, entries))
                    .await
                    .unwrap_or_else(|_| Err(deadline.missed("all images were read")))?;
            let left = gallery.pictures.iter().map(|picture| picture.entry.label.as_str());
            data::enough_of_each_class(left, words(), &gallery.left_out_words())?;
            tracing::info!(
                images = gallery.described,
                left_out = gallery.left_out.len(),
                step = "describing",
                "images described"
            );
            let trained = learning::train(ctx, &self.options, gallery.take_pictures(), deadline).await?;
            tracing::info!(
                accuracy = trained.evaluation.accuracy,
                step = "training",
                "model trained and tried"
            );
            let metrics = writing::metrics_of(&trained.evaluation, &gallery)?;
            let files = writing::put(ctx, &version, trained).await?;
            Ok::<_, JobError>((metrics, files))
        };
        let (accuracy_metrics, files) = tokio::select! {
            biased;
            // What a thread is at is left to itself: it looks at the same signal.
            () = ctx.stop.wait() => return Err(stopped(ctx)),
            done = work => done?,
        };
        let trained = TrainedSession { id: session.id, model_version: version, accuracy_metrics };
        writing::record(ctx, session, &trained, &files).await?;
        Ok(trained)
    }
}

fn stopped(ctx: &JobContext) -> JobError {
    let unnamed = || JobError::transient(forgeos_core::ErrorCode::Internal, "the job was stopped");
    ctx.check_stop().err().unwrap_or_else(unnamed)
}

/// The last words of an attempt that does not complete. The session is closed by the row of the job itself.
async fn leave(ctx: &JobContext, error: JobError) -> JobError {
    // A cancel shows first as a refused write when it is faster than the heartbeat that tells of it.
    let lease_refused = matches!(
        error.cause.as_deref().and_then(|cause| cause.downcast_ref::<DbError>()),
        Some(DbError::LeaseLost)
    );
    match ctx.stop.reason() {
        Some(StopReason::LeaseLost) => {}
        Some(StopReason::Cancelled) => tidy(ctx, JobStatus::Cancelled).await,
        _ if lease_refused => tidy(ctx, JobStatus::Cancelled).await,
        None if error.remedy == Remedy::None => tidy(ctx, JobStatus::Running).await,
        _ => {}
    }
    error
}

async fn tidy(ctx: &JobContext, status: JobStatus) {
    leftovers::delete(ctx, Bucket::Models, status).await;
}
