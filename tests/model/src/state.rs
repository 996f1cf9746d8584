//! What the model knows: the columns of `jobs` that the queue decides by, and beside them what no table knows and every
//! property is about, the grips.

use crate::bounds::Bounds;

/// A row of the table ends by its third lost lease, whatever its attempts.
pub const MAX_CRASHES: i8 = 3;

/// `jobs.status`; a job that nobody has inserted yet is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not inserted.
    Absent,
    /// Waits.
    Pending,
    /// Under a lease.
    Running,
    /// Done.
    Completed,
    /// Will not be done.
    Failed,
    /// Called off.
    Cancelled,
}

impl Status {
    /// Nothing more happens to it by itself.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Pending or running: it holds its unique key.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// `jobs.locked_until` by the database's clock, the only one there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Until {
    /// Null.
    Null,
    /// The lease holds.
    Ahead,
    /// The lease has run out.
    Past,
}

/// One start of a worker process: a restart has another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Boot {
    /// Which worker.
    pub worker: u8,
    /// Which start of it.
    pub start: u8,
}

/// A row of `jobs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// `status`
    pub status: Status,
    /// `attempt`
    pub attempt: i8,
    /// `attempts_forgiven`
    pub forgiven: i8,
    /// `crashes`
    pub crashes: i8,
    /// `locked_by`
    pub locked_by: Option<Boot>,
    /// `locked_until`
    pub locked_until: Until,
    /// `run_at <= now()`.
    pub due: bool,
    /// Leases that ran out and were swept since the job was inserted or retried: what `crashes` ought to be.
    pub lost: i8,
}

impl Row {
    const ABSENT: Self = Self {
        status: Status::Absent,
        attempt: 0,
        forgiven: 0,
        crashes: 0,
        locked_by: None,
        locked_until: Until::Null,
        due: true,
        lost: 0,
    };

    /// Attempts that count.
    pub fn used(&self) -> i8 {
        self.attempt - self.forgiven
    }

    /// Drops the lease.
    pub fn unlock(&mut self) {
        self.locked_by = None;
        self.locked_until = Until::Null;
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ended {
    /// With results.
    Completed,
    /// With an error, whether or not there is another attempt.
    Failed,
    /// Given back.
    Released,
    /// Its lease ran out.
    Lost,
    /// Called off while it ran.
    Cancelled,
    /// However it ended, somebody has retried the job since.
    BeforeARetry,
}

/// What one claim handed out. Whoever has it may send any statement under it, at any later time and more than once: a
/// process that was paused, a packet that was late, a statement that was written again after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grip {
    /// The job that was claimed.
    pub job: u8,
    /// The token.
    pub attempt: i8,
    /// By whom.
    pub boot: Boot,
    /// `attempts_used` as the claim answered it.
    pub used: i8,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The jobs.
    pub rows: Vec<Row>,
    /// Every claim there was, oldest first.
    pub grips: Vec<Grip>,
    /// The start of each worker.
    pub starts: Vec<u8>,
    /// A fenced transaction that proved its lease and has not ended: the index of its grip.
    pub open_write: Option<u8>,
    /// Of [`Bounds::cancels`].
    pub cancels_left: u8,
    /// Of [`Bounds::retries`].
    pub retries_left: u8,
    /// Of [`Bounds::releases`].
    pub releases_left: u8,
    /// Of [`Bounds::restarts`].
    pub restarts_left: u8,
}

impl State {
    /// Before anything has happened.
    pub fn new(bounds: &Bounds) -> Self {
        Self {
            rows: vec![Row::ABSENT; usize::from(bounds.jobs)],
            grips: Vec::new(),
            starts: vec![0; usize::from(bounds.workers)],
            open_write: None,
            cancels_left: bounds.cancels,
            retries_left: bounds.retries,
            releases_left: bounds.releases,
            restarts_left: bounds.restarts,
        }
    }

    /// The start of this worker that is alive.
    pub fn boot(&self, worker: u8) -> Boot {
        Boot { worker, start: self.starts[usize::from(worker)] }
    }

    /// The grip of the latest claim of this job.
    pub fn latest(&self, job: u8) -> Option<usize> {
        self.grips.iter().rposition(|grip| grip.job == job)
    }

    /// Whether a fenced write holds the row of this job.
    pub fn is_held(&self, job: u8) -> bool {
        self.open_write.is_some_and(|grip| self.grips[usize::from(grip)].job == job)
    }
}
