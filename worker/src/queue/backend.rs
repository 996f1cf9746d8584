//! The apalis backend over `public.jobs`: receives what the claim loop has claimed, and nothing else. It never fails,
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
use tokio::sync::mpsc;
use tower::layer::util::Identity;
use uuid::Uuid;

use super::{lanes::Lane, leases::HeldJob, settle::Settler};
use crate::outcome;

/// One lane's source of jobs.
#[derive(Debug)]
pub struct JobsBackend {
    lane: Arc<Lane>,
    jobs: mpsc::UnboundedReceiver<HeldJob>,
    settler: Settler,
}

impl JobsBackend {
    /// The backend of a lane.
    #[must_use]
    pub fn new(lane: Arc<Lane>, jobs: mpsc::UnboundedReceiver<HeldJob>, settler: Settler) -> Self {
        Self { lane, jobs, settler }
    }

    fn give_back(&self, job: &HeldJob) {
        self.settler.send(job.job.lease, outcome::release(&job.job, 0.0, None));
        self.lane.release(None);
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
        loop {
            match self.jobs.poll_recv(cx) {
                Poll::Ready(Some(job)) if self.lane.is_open() => {
                    let id = TaskId::Uuid(job.job.lease.job.0);
                    let attempt = usize::try_from(job.job.lease.attempt - 1).unwrap_or(0);
                    return Poll::Ready(Some(Ok(TaskBuilder::new(job).task_id(id).attempt(attempt).build())));
                }
                Poll::Ready(Some(job)) => self.give_back(&job),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.jobs.close();
        while let Ok(job) = self.jobs.try_recv() {
            self.give_back(&job);
        }
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
