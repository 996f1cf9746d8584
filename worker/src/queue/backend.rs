//! The apalis backend over `public.jobs`: receives what the claim loop has put into the lane, and nothing else. It never fails,
//! because an error would end the worker; it never decodes, because that is dispatch's work.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use tower::layer::util::Identity;
use uuid::Uuid;

use super::{lanes::Lane, leases::HeldJob};

/// One lane's source of jobs.
#[derive(Debug)]
pub struct JobsBackend {
    lane: Arc<Lane>,
}

impl JobsBackend {
    /// The backend of a lane.
    #[must_use]
    pub fn new(lane: Arc<Lane>) -> Self {
        Self { lane }
    }
}

impl Backend for JobsBackend {
    type Task = Task<HeldJob>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        self.lane.poll_next(cx).map(|next| {
            next.map(|held| {
                let lease = held.job.lease;
                let attempt = usize::try_from(lease.attempt - 1).unwrap_or(0);
                Ok(TaskBuilder::new(held).task_id(TaskId::Uuid(lease.job.0)).attempt(attempt).build())
            })
        })
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for JobsBackend {
    type Args = HeldJob;
    type Id = Uuid;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
