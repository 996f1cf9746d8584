//! What must hold of every move and every state.

use crate::{
    bounds::Bounds,
    moves::Move,
    state::{MAX_CRASHES, State, Status, Until},
    step::{Harm, Taken},
};

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// See [`Harm`].
    NoStatementHarms(Harm),
    /// A token is never handed out twice.
    TheAttemptNeverFalls,
    /// The arrows of the statuses; a cancelled job stays so unless somebody retries it.
    OnlyAllowedArrows,
    /// No job runs for ever because nobody can take it back.
    WhatRunsHasALeaseThatCanRunOut,
    /// Only running and cancelled jobs have one.
    WhatWaitsHasNoLease,
    /// `crashes` counts lost leases and nothing else.
    CrashesAreLostLeases,
    /// Whatever its attempts.
    TheThirdLostLeaseEndsTheJob,
    /// Attempts that count are never more than `max_attempts`.
    NoMoreAttemptsThanAllowed,
    /// Of the jobs with one unique key one at most is pending or running.
    OneLiveJobAKey,
    /// Checked over whole paths, by the checker.
    EveryFairPathEnds,
}

/// Every promise.
pub const ALL: [Property; 13] = [
    Property::NoStatementHarms(Harm::StaleEffect),
    Property::NoStatementHarms(Harm::StaleRenewal),
    Property::NoStatementHarms(Harm::LiveLeaseTaken),
    Property::NoStatementHarms(Harm::SecondEnding),
    Property::TheAttemptNeverFalls,
    Property::OnlyAllowedArrows,
    Property::WhatRunsHasALeaseThatCanRunOut,
    Property::WhatWaitsHasNoLease,
    Property::CrashesAreLostLeases,
    Property::TheThirdLostLeaseEndsTheJob,
    Property::NoMoreAttemptsThanAllowed,
    Property::OneLiveJobAKey,
    Property::EveryFairPathEnds,
];

impl Property {
    /// Whether it holds of one move.
    pub fn holds(self, bounds: &Bounds, before: &State, made: Move, taken: &Taken) -> bool {
        let rows = &taken.after.rows;
        match self {
            Self::NoStatementHarms(harm) => taken.harm != Some(harm),
            Self::TheAttemptNeverFalls => {
                before.rows.iter().zip(rows).all(|(before, after)| before.attempt <= after.attempt)
            }
            Self::OnlyAllowedArrows => {
                before.rows.iter().zip(rows).all(|(b, a)| arrow_is_allowed(b.status, a.status, made))
            }
            Self::WhatRunsHasALeaseThatCanRunOut => rows.iter().all(|row| {
                row.status != Status::Running || row.locked_by.is_some() && row.locked_until != Until::Null
            }),
            Self::WhatWaitsHasNoLease => rows.iter().all(|row| {
                matches!(row.status, Status::Running | Status::Cancelled)
                    || row.locked_by.is_none() && row.locked_until == Until::Null
            }),
            Self::CrashesAreLostLeases => rows.iter().all(|row| row.crashes == row.lost),
            Self::TheThirdLostLeaseEndsTheJob => {
                rows.iter().all(|row| row.crashes < MAX_CRASHES || row.status.is_finished())
            }
            Self::NoMoreAttemptsThanAllowed => {
                rows.iter().all(|row| (0..=bounds.max_attempts).contains(&row.used()))
            }
            Self::OneLiveJobAKey => {
                !bounds.one_key || rows.iter().filter(|row| row.status.is_live()).count() <= 1
            }
            Self::EveryFairPathEnds => rows.iter().all(|row| row.attempt <= bounds.most_attempts),
        }
    }
}

fn arrow_is_allowed(from: Status, to: Status, made: Move) -> bool {
    use Status::{Absent, Cancelled, Completed, Failed, Pending, Running};
    match (from, to) {
        (from, to) if from == to => true,
        (Absent, Pending) => matches!(made, Move::Enqueue(_)),
        (Pending, Running | Cancelled) => true,
        (Running, Completed | Failed | Cancelled | Pending) => true,
        (Failed | Cancelled, Pending) => matches!(made, Move::Retry(_)),
        _ => false,
    }
}
