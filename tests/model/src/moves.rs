//! What can happen next.

use crate::{
    bounds::Bounds,
    state::{State, Status, Until},
};

/// One event. A grip is named by its place in the order of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// A job is inserted.
    Enqueue(u8),
    /// `run_at` has come.
    FallDue(u8),
    /// `locked_until` has passed.
    RunOut(u8),
    /// A worker claims a job.
    Claim {
        /// Who.
        worker: u8,
        /// What.
        job: u8,
    },
    /// A lease is to be renewed.
    Heartbeat(u8),
    /// A fenced transaction proves its lease …
    BeginWrite(u8),
    /// … and commits.
    CommitWrite,
    /// … or is rolled back.
    AbortWrite,
    /// The attempt completed.
    Complete(u8),
    /// The attempt failed, and another may not.
    FailForAMoment(u8),
    /// The attempt failed, and every other would.
    FailForGood(u8),
    /// The attempt is given back, forgiven.
    Release(u8),
    /// The holder of a cancelled job says what was done.
    LastWords(u8),
    /// A worker gives back whatever stands under its name: the answer to its claim was lost.
    ReleaseUnknown(u8),
    /// Jobs whose lease has run out are taken back.
    Sweep,
    /// Upkeep says the last words of those who cannot.
    CloseAbandonedCancels,
    /// Somebody sets the status to cancelled.
    Cancel(u8),
    /// Somebody calls `retry_job`.
    Retry(u8),
    /// The process died, and a new one starts in its place.
    Restart(u8),
}

impl Move {
    /// Whether it goes on by itself: clocks, and workers that do their work. Nobody cancels, retries, gives back or dies
    /// for a job to end.
    #[must_use]
    pub fn is_fair(self) -> bool {
        !matches!(
            self,
            Self::Heartbeat(_)
                | Self::BeginWrite(_)
                | Self::Cancel(_)
                | Self::Retry(_)
                | Self::Release(_)
                | Self::ReleaseUnknown(_)
                | Self::Restart(_)
        )
    }

    /// Whether it comes even if everybody who ever claimed the job is dead: clocks, and what any worker does.
    #[must_use]
    pub fn is_certain(self) -> bool {
        matches!(
            self,
            Self::FallDue(_)
                | Self::RunOut(_)
                | Self::Claim { .. }
                | Self::AbortWrite
                | Self::Sweep
                | Self::CloseAbandonedCancels
        )
    }
}

/// Every move that makes sense here; whether it changes anything is for the rules to say.
pub fn moves(bounds: &Bounds, state: &State) -> Vec<Move> {
    let mut moves = vec![Move::Sweep, Move::CloseAbandonedCancels];
    for (job, row) in (0u8..).zip(&state.rows) {
        if row.status == Status::Absent {
            moves.push(Move::Enqueue(job));
            continue;
        }
        moves.extend([Move::FallDue(job), Move::RunOut(job)]);
        if row.status == Status::Pending && row.attempt <= bounds.most_attempts {
            moves.extend((0..bounds.workers).map(|worker| Move::Claim { worker, job }));
        }
        if state.cancels_left > 0 {
            moves.push(Move::Cancel(job));
        }
        if state.retries_left > 0 {
            moves.push(Move::Retry(job));
        }
    }
    for grip in (0u8..).take(state.grips.len()) {
        moves.extend([
            Move::Heartbeat(grip),
            Move::Complete(grip),
            Move::FailForAMoment(grip),
            Move::FailForGood(grip),
            Move::LastWords(grip),
        ]);
        if state.releases_left > 0 {
            moves.push(Move::Release(grip));
        }
        if state.open_write.is_none() {
            moves.push(Move::BeginWrite(grip));
        }
    }
    if state.open_write.is_some() {
        moves.extend([Move::CommitWrite, Move::AbortWrite]);
    }
    for worker in 0..bounds.workers {
        let boot = state.boot(worker);
        let known = state.rows.iter().any(|row| row.locked_by == Some(boot));
        if known && state.releases_left > 0 {
            moves.push(Move::ReleaseUnknown(worker));
        }
        if known && state.restarts_left > 0 {
            moves.push(Move::Restart(worker));
        }
    }
    moves
}

/// Whether nothing more will happen to this job by itself, and nothing is left to be cleaned up.
pub fn is_at_rest(state: &State) -> bool {
    state.open_write.is_none()
        && state.rows.iter().all(|row| {
            row.status == Status::Absent
                || row.status.is_finished() && row.locked_by.is_none() && row.locked_until == Until::Null
        })
}
