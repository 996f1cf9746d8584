//! The transition function: what each statement of the queue does to the rows. One `match` arm a statement; the
//! conditions are those of its `where`.
//!
//! A [`Flaw`] replaces one of these conditions by one that looks right and is not.

use crate::{
    bounds::Bounds,
    moves::Move,
    state::{Ended, Grip, MAX_CRASHES, Row, State, Status, Until},
};

/// A rule that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A release takes the attempt back, so that the next claim hands out the same token.
    ReleaseLowersTheAttempt,
    /// A settlement does not prove the attempt.
    SettleProvesTheWorkerOnly,
    /// A settlement proves attempt and worker, not that the job is running.
    SettleIgnoresTheStatus,
    /// Compares with `<=` where `<` is meant.
    OneAttemptTooMany,
    /// A claim leaves `locked_until` null.
    ClaimTakesNoLease,
    /// A completion that comes late counts.
    CompletionOverwritesACancel,
    /// A sweep takes back what runs.
    SweepIgnoresTheClock,
    /// A sweep takes back cancelled jobs whose holder is gone.
    SweepTakesCancelledJobs,
    /// A lost lease costs nothing.
    SweepForgives,
    /// Only spent attempts end a job, lost leases do not.
    SweepIgnoresCrashes,
    /// A release counts as a lost lease.
    ReleaseCountsACrash,
    /// `retry_job` leaves `locked_by` as it was.
    RetryKeepsTheLease,
    /// `retry_job` does not look who holds the unique key.
    RetryIgnoresTheKey,
    /// A heartbeat renews whatever runs under the id.
    HeartbeatProvesNothing,
    /// The proof reads the row and does not lock it.
    WriteDoesNotHoldTheRow,
    /// A cancelled job whose holder is dead keeps its lease.
    NobodyClosesCancels,
}

/// What no statement may do, seen at the moment at which it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Harm {
    /// A write, a settlement or last words of an attempt that is not the job's latest, or was not what was cancelled.
    StaleEffect,
    /// A heartbeat prolonged somebody else's lease.
    StaleRenewal,
    /// A lease was taken away that had not run out.
    LiveLeaseTaken,
    /// An attempt that had ended ended again.
    SecondEnding,
}

/// What a move did.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The state that it led to.
    pub after: State,
    /// What the statement answered: it found what it was for.
    pub answer: bool,
    /// What it must not have done.
    pub harm: Option<Harm>,
}

/// Makes one move under the rules, of which one may be replaced by a flaw.
pub fn step(bounds: &Bounds, flaw: Option<Flaw>, before: &State, made: Move) -> Taken {
    let mut stepping = Stepping { bounds, flaw, state: before.clone(), harm: None };
    let answer = stepping.make(made);
    Taken { after: stepping.state, answer, harm: stepping.harm }
}

struct Stepping<'a> {
    bounds: &'a Bounds,
    flaw: Option<Flaw>,
    state: State,
    harm: Option<Harm>,
}

impl Stepping<'_> {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn row(&mut self, job: u8) -> &mut Row {
        &mut self.state.rows[usize::from(job)]
    }

    fn make(&mut self, made: Move) -> bool {
        match made {
            Move::Enqueue(job) => self.enqueue(job),
            Move::FallDue(job) => {
                let row = self.row(job);
                let waits = row.status == Status::Pending && !row.due;
                row.due |= waits;
                waits
            }
            Move::RunOut(job) => {
                let row = self.row(job);
                let runs = row.locked_until == Until::Ahead;
                if runs {
                    row.locked_until = Until::Past;
                }
                runs
            }
            Move::Claim { worker, job } => self.claim(worker, job),
            Move::Heartbeat(grip) => self.heartbeat(grip),
            Move::BeginWrite(grip) => {
                let proven = self.proves(grip);
                if proven {
                    self.state.open_write = Some(grip);
                }
                proven
            }
            Move::CommitWrite => match self.state.open_write.take() {
                Some(grip) => {
                    self.lands(grip);
                    true
                }
                None => false,
            },
            Move::AbortWrite => self.state.open_write.take().is_some(),
            Move::Complete(grip) => self.complete(grip),
            Move::FailForAMoment(grip) => {
                let most = self.bounds.max_attempts + i8::from(self.has(Flaw::OneAttemptTooMany));
                let again = self.state.grips[usize::from(grip)].used < most;
                self.fail(grip, again)
            }
            Move::FailForGood(grip) => self.fail(grip, false),
            Move::Release(grip) => self.release(grip),
            Move::LastWords(grip) => self.last_words(grip),
            Move::ReleaseUnknown(worker) => self.release_unknown(worker),
            Move::Sweep => self.sweep(),
            Move::CloseAbandonedCancels => self.close_abandoned_cancels(),
            Move::Cancel(job) => self.cancel(job),
            Move::Retry(job) => self.retry(job),
            Move::Restart(worker) => {
                self.state.starts[usize::from(worker)] += 1;
                self.state.restarts_left = self.state.restarts_left.saturating_sub(1);
                true
            }
        }
    }

    fn enqueue(&mut self, job: u8) -> bool {
        if self.bounds.one_key && self.state.rows.iter().any(|row| row.status.is_live()) {
            return false;
        }
        self.row(job).status = Status::Pending;
        true
    }

    fn claim(&mut self, worker: u8, job: u8) -> bool {
        let boot = self.state.boot(worker);
        let passed_by = self.state.is_held(job) && !self.has(Flaw::WriteDoesNotHoldTheRow);
        let no_lease = self.has(Flaw::ClaimTakesNoLease);
        let row = self.row(job);
        if row.status != Status::Pending || !row.due || passed_by {
            return false;
        }
        row.status = Status::Running;
        row.attempt += 1;
        row.locked_by = Some(boot);
        row.locked_until = if no_lease { Until::Null } else { Until::Ahead };
        let (attempt, used) = (row.attempt, row.used());
        self.state.grips.push(Grip { job, attempt, boot, used, ended: None });
        true
    }

    fn heartbeat(&mut self, grip: u8) -> bool {
        let job = self.state.grips[usize::from(grip)].job;
        let renewed = if self.has(Flaw::HeartbeatProvesNothing) {
            self.row(job).status == Status::Running
        } else {
            self.proves(grip)
        };
        if renewed {
            self.row(job).locked_until = Until::Ahead;
            if self.state.latest(job) != Some(usize::from(grip)) {
                self.harm = Some(Harm::StaleRenewal);
            }
        }
        renewed
    }

    /// `id`, `attempt`, `locked_by`, `status = 'running'`.
    fn proves(&self, grip: u8) -> bool {
        let grip = self.state.grips[usize::from(grip)];
        let row = self.state.rows[usize::from(grip.job)];
        row.status == Status::Running && row.attempt == grip.attempt && row.locked_by == Some(grip.boot)
    }

    fn may_settle(&self, grip: u8) -> bool {
        let held = self.state.grips[usize::from(grip)];
        let row = self.state.rows[usize::from(held.job)];
        if self.has(Flaw::SettleProvesTheWorkerOnly) {
            row.status == Status::Running && row.locked_by == Some(held.boot)
        } else if self.has(Flaw::SettleIgnoresTheStatus) {
            row.attempt == held.attempt && row.locked_by == Some(held.boot)
        } else {
            self.proves(grip)
        }
    }

    /// Rows that this attempt made now count.
    fn lands(&mut self, grip: u8) {
        let job = self.state.grips[usize::from(grip)].job;
        if self.state.latest(job) != Some(usize::from(grip)) {
            self.harm = Some(Harm::StaleEffect);
        }
    }

    fn ends(&mut self, grip: u8, how: Ended) {
        self.lands(grip);
        self.ended(usize::from(grip), how);
    }

    fn ended(&mut self, grip: usize, how: Ended) {
        let ended = &mut self.state.grips[grip].ended;
        if ended.is_some() {
            self.harm = self.harm.or(Some(Harm::SecondEnding));
        }
        *ended = Some(how);
    }

    fn complete(&mut self, grip: u8) -> bool {
        let held = self.state.grips[usize::from(grip)];
        let row = self.state.rows[usize::from(held.job)];
        let late = self.has(Flaw::CompletionOverwritesACancel)
            && row.status == Status::Cancelled
            && row.attempt == held.attempt
            && row.locked_by == Some(held.boot);
        if !self.may_settle(grip) && !late {
            return false;
        }
        self.ends(grip, Ended::Completed);
        let row = self.row(held.job);
        row.status = Status::Completed;
        row.unlock();
        true
    }

    fn fail(&mut self, grip: u8, again: bool) -> bool {
        if !self.may_settle(grip) {
            return false;
        }
        self.ends(grip, Ended::Failed);
        let job = self.state.grips[usize::from(grip)].job;
        let row = self.row(job);
        row.status = if again { Status::Pending } else { Status::Failed };
        row.due &= !again;
        row.unlock();
        true
    }

    fn release(&mut self, grip: u8) -> bool {
        if !self.may_settle(grip) {
            return false;
        }
        self.ends(grip, Ended::Released);
        let (lowers, crash) = (self.has(Flaw::ReleaseLowersTheAttempt), self.has(Flaw::ReleaseCountsACrash));
        let job = self.state.grips[usize::from(grip)].job;
        let row = self.row(job);
        row.status = Status::Pending;
        if lowers {
            row.attempt -= 1;
        } else {
            row.forgiven += 1;
        }
        row.crashes += i8::from(crash);
        row.due = true;
        row.unlock();
        self.state.releases_left = self.state.releases_left.saturating_sub(1);
        true
    }

    fn last_words(&mut self, grip: u8) -> bool {
        let held = self.state.grips[usize::from(grip)];
        let row = self.row(held.job);
        let may = row.status == Status::Cancelled
            && row.attempt == held.attempt
            && row.locked_by == Some(held.boot);
        if may {
            row.unlock();
            if held.ended != Some(Ended::Cancelled) {
                self.harm = Some(Harm::StaleEffect);
            }
        }
        may
    }

    fn release_unknown(&mut self, worker: u8) -> bool {
        let boot = self.state.boot(worker);
        let mut any = false;
        for job in (0u8..).take(self.state.rows.len()) {
            let row = self.row(job);
            if row.status != Status::Running || row.locked_by != Some(boot) {
                continue;
            }
            any = true;
            row.status = Status::Pending;
            row.forgiven += 1;
            row.due = true;
            row.unlock();
            self.end_latest(job, Ended::Released);
        }
        if any {
            self.state.releases_left = self.state.releases_left.saturating_sub(1);
        }
        any
    }

    fn end_latest(&mut self, job: u8, how: Ended) {
        if let Some(latest) = self.state.latest(job) {
            self.ended(latest, how);
        }
    }

    fn sweep(&mut self) -> bool {
        let mut any = false;
        for job in (0u8..).take(self.state.rows.len()) {
            let passed_by = self.state.is_held(job) && !self.has(Flaw::WriteDoesNotHoldTheRow);
            let (max_attempts, flaw) = (self.bounds.max_attempts, self.flaw);
            let row = self.row(job);
            let live = row.locked_until == Until::Ahead;
            let sweepable = row.status == Status::Running
                || flaw == Some(Flaw::SweepTakesCancelledJobs)
                    && row.status == Status::Cancelled
                    && row.locked_by.is_some();
            if !sweepable || passed_by || live && flaw != Some(Flaw::SweepIgnoresTheClock) {
                continue;
            }
            any = true;
            let spent = row.crashes + 1 >= MAX_CRASHES && flaw != Some(Flaw::SweepIgnoresCrashes)
                || row.used() >= max_attempts;
            row.status = if spent { Status::Failed } else { Status::Pending };
            row.lost += 1;
            if flaw == Some(Flaw::SweepForgives) {
                row.lost = 0;
                row.forgiven += 1;
            } else {
                row.crashes += 1;
            }
            row.due |= !spent;
            row.unlock();
            self.end_latest(job, Ended::Lost);
            if live {
                self.harm = Some(Harm::LiveLeaseTaken);
            }
        }
        any
    }

    fn close_abandoned_cancels(&mut self) -> bool {
        if self.has(Flaw::NobodyClosesCancels) {
            return false;
        }
        let mut any = false;
        for job in (0u8..).take(self.state.rows.len()) {
            let passed_by = self.state.is_held(job);
            let row = self.row(job);
            let abandoned = row.status == Status::Cancelled
                && row.locked_by.is_some()
                && row.locked_until != Until::Ahead
                && !passed_by;
            if abandoned {
                row.unlock();
                any = true;
            }
        }
        any
    }

    fn cancel(&mut self, job: u8) -> bool {
        let row = self.row(job);
        if !row.status.is_live() {
            return false;
        }
        let ran = row.status == Status::Running;
        row.status = Status::Cancelled;
        if ran {
            self.end_latest(job, Ended::Cancelled);
        }
        self.state.cancels_left = self.state.cancels_left.saturating_sub(1);
        true
    }

    fn retry(&mut self, job: u8) -> bool {
        let key_taken = self.bounds.one_key
            && !self.has(Flaw::RetryIgnoresTheKey)
            && self.state.rows.iter().any(|row| row.status.is_live());
        let (held, keeps) = (self.state.is_held(job), self.has(Flaw::RetryKeepsTheLease));
        let row = self.row(job);
        // It waits while a fenced write holds the row: here, it comes later.
        if !matches!(row.status, Status::Failed | Status::Cancelled) || key_taken || held {
            return false;
        }
        row.status = Status::Pending;
        row.due = true;
        row.forgiven = row.attempt;
        (row.crashes, row.lost) = (0, 0);
        if !keeps {
            row.unlock();
        }
        // The last words of an earlier life are nobody's any more.
        for grip in self.state.grips.iter_mut().filter(|grip| grip.job == job) {
            grip.ended = grip.ended.map(|_| Ended::BeforeARetry);
        }
        self.state.retries_left = self.state.retries_left.saturating_sub(1);
        true
    }
}
