//! The row of `training_sessions` that a job trains: made from inline data, or taken as it stands.

use forgeos_core::{
    ErrorCode, JobContext, JobError,
    db::{
        models,
        training::{self, OpenSession, Opening, SessionData, TrainedSession},
    },
};
use serde_json::Value;

use super::{data::TrainingData, params::ModelTraining, results::TrainingResults};
use crate::dispatch::decode;

/// What is to be done.
pub(super) enum Task {
    /// Train this session.
    Train(OpenSession),
    /// Nothing: an earlier attempt has written the model, and died before it could say so.
    Tell(TrainedSession),
}

/// Takes the session for this job. From here on it ends with the job, however that ends.
pub(super) async fn open(ctx: &JobContext, params: &ModelTraining) -> Result<Task, JobError> {
    let (lease, owner) = (ctx.lease(), ctx.job.user_id);
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    let id = match (&params.data, params.training_session_id) {
        (Some(_), _) => {
            let notes = params.notes.as_deref();
            training::create(&mut transaction, lease, owner, &data_as_given(ctx), notes).await?
        }
        (None, Some(id)) => id,
        (None, None) => {
            return Err(JobError::bad_params("one of `training_session_id` and `data` is needed"));
        }
    };
    let opening = training::open(&mut transaction, lease, owner, id).await?;
    transaction.commit().await?;
    match opening {
        Opening::Open(session) => Ok(Task::Train(session)),
        Opening::Trained(trained) => Ok(Task::Tell(trained)),
        Opening::HeldBy(job) => Err(JobError::permanent(
            ErrorCode::DependencyFailed,
            format!("the job {job} trains this training session; ask again when it has ended, or cancel it"),
        )),
        Opening::NotFound => {
            Err(JobError::not_found("`training_session_id`: there is no training session with this id"))
        }
    }
}

/// The inline data as its caller wrote it.
fn data_as_given(ctx: &JobContext) -> Value {
    let params = ctx.job.params.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    params.and_then(|mut params| params.get_mut("data").map(Value::take)).unwrap_or_default()
}

/// The images of a session. The row's words are its user's: they are checked like params.
pub(super) fn data_of(session: &OpenSession) -> Result<TrainingData, JobError> {
    match &session.data {
        SessionData::Text(text) => decode("data", text),
        SessionData::Absent => Err(JobError::bad_params(
            "the training session has no `data`; `data` holds `images` and their `labels`",
        )),
        SessionData::TooLarge => Err(JobError::bad_params(format!(
            "`data` of the training session is larger than {} MB",
            training::MAX_DATA_BYTES >> 20
        ))),
    }
}

/// The answer of the job, from the rows that count.
pub(super) async fn tell(ctx: &JobContext, trained: TrainedSession) -> Result<TrainingResults, JobError> {
    let mut session = ctx.db.session().await?;
    let files = models::of_job(&mut session, ctx.lease()).await?;
    session.finish().await?;
    Ok(TrainingResults::of(ctx, trained, files))
}
