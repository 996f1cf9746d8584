//! Each move of the model as the statement of the queue that it stands for, and a look at the rows afterwards.
//!
//! Settlements are decided by the worker's own [`outcome::settle`], so that its arithmetic of attempts is compared too.

use std::collections::BTreeMap;

use forgeos_core::{
    ClaimedJob, ErrorCode, JobError, StopReason, WorkerId,
    db::{
        Db, DbError, Transaction,
        queue::{self, ClaimRequest},
    },
};
use forgeos_model::{
    bounds::Bounds,
    moves::Move,
    state::{Boot, Ended, MAX_CRASHES, Row, State, Status, Until},
};
use forgeos_tests::TestWorld;
use forgeos_worker::outcome::{self, Settlement};
use serde_json::json;
use uuid::Uuid;

/// A lease and a pause outlast every sequence: time passes when a move says so.
const LONG: f64 = 3600.0;
/// Each job has a type of its own, so that a claim can name it.
const TYPES: [&str; 2] = ["noop", "scripted"];

/// The database of all sequences, one after the other.
pub(crate) struct Database {
    pub(crate) world: TestWorld,
    db: Db,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let world = TestWorld::new().await;
        let db = world.db();
        Self { world, db }
    }
}

/// One sequence on the database.
pub(crate) struct Sequence<'a> {
    database: &'a Database,
    bounds: Bounds,
    jobs: Vec<Uuid>,
    claimed: Vec<ClaimedJob>,
    open_write: Option<Transaction>,
    /// `job_attempts` as it should be: outcome by job and attempt.
    noted: BTreeMap<(u8, i32), &'static str>,
}

fn id_of(boot: Boot) -> WorkerId {
    WorkerId(Uuid::from_u128((u128::from(boot.worker) + 1) << 64 | u128::from(boot.start)))
}

impl<'a> Sequence<'a> {
    pub(crate) async fn begin(database: &'a Database, bounds: Bounds) -> Self {
        database.world.sql("delete from jobs").await;
        let jobs = (0..bounds.jobs).map(|_| Uuid::new_v4()).collect();
        Self { database, bounds, jobs, claimed: Vec::new(), open_write: None, noted: BTreeMap::new() }
    }

    fn job(&self, job: u8) -> Uuid {
        self.jobs[usize::from(job)]
    }

    /// Runs SQL that changes rows; whether there were any.
    async fn changes(&self, sql: &str, job: u8) -> bool {
        let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(self.job(job))
            .execute(&self.database.world.pool)
            .await
            .unwrap();
        done.rows_affected() > 0
    }

    /// Makes a move; what the statement answered.
    pub(crate) async fn make(&mut self, before: &State, made: Move) -> bool {
        match made {
            Move::Enqueue(job) => {
                let sql = format!(
                    "insert into jobs (id, job_type, params, max_attempts) values ($1, '{}', '{{}}', {})",
                    TYPES[usize::from(job)],
                    self.bounds.max_attempts
                );
                self.changes(&sql, job).await
            }
            Move::FallDue(job) => {
                let sql =
                    "update jobs set run_at = now() where id = $1 and status = 'pending' and run_at > now()";
                self.changes(sql, job).await
            }
            Move::RunOut(job) => {
                let sql = "update jobs set locked_until = now() - interval '1 second'
                           where id = $1 and locked_until > now()";
                self.changes(sql, job).await
            }
            Move::Claim { worker, job } => self.claim(id_of(before.boot(worker)), job).await,
            Move::Heartbeat(grip) => self.heartbeat(before, grip).await,
            Move::BeginWrite(grip) => match self.database.db.begin_fenced(self.held(grip).lease).await {
                Ok(transaction) => {
                    self.open_write = Some(transaction);
                    true
                }
                Err(DbError::LeaseLost) => false,
                Err(error) => panic!("{error:?}"),
            },
            Move::CommitWrite => match self.open_write.take() {
                Some(transaction) => transaction.commit().await.is_ok(),
                None => false,
            },
            Move::AbortWrite => match self.open_write.take() {
                Some(transaction) => transaction.rollback().await.is_ok(),
                None => false,
            },
            Move::Complete(grip) => self.settle(grip, Ok("{}".to_owned()), None).await,
            Move::FailForAMoment(grip) => self.settle(grip, Err(moment()), None).await,
            Move::FailForGood(grip) => {
                let error = JobError::permanent(ErrorCode::NothingToDo, "nothing to do it on");
                self.settle(grip, Err(error), None).await
            }
            Move::Release(grip) => self.settle(grip, Err(moment()), Some(StopReason::ShuttingDown)).await,
            Move::LastWords(grip) => {
                let error = moment().with_results(json!({"of_attempt": self.held(grip).lease.attempt}));
                self.settle(grip, Err(error), Some(StopReason::Cancelled)).await
            }
            Move::ReleaseUnknown(worker) => {
                let mut session = self.database.db.session().await.unwrap();
                queue::release_unknown(&mut session, id_of(before.boot(worker)), &[]).await.unwrap() > 0
            }
            Move::Sweep => {
                let mut session = self.database.db.session().await.unwrap();
                !queue::sweep(&mut session, 0.0, MAX_CRASHES.into()).await.unwrap().is_empty()
            }
            Move::CloseAbandonedCancels => {
                let mut session = self.database.db.session().await.unwrap();
                queue::close_abandoned_cancels(&mut session, 0.0).await.unwrap() > 0
            }
            Move::Cancel(job) => {
                self.changes("update jobs set status = 'cancelled' where id = $1", job).await
            }
            Move::Retry(job) => sqlx::query_scalar("select retry_job($1)")
                .bind(self.job(job))
                .fetch_one(&self.database.world.pool)
                .await
                .unwrap(),
            Move::Restart(_) => true,
        }
    }

    fn held(&self, grip: u8) -> &ClaimedJob {
        &self.claimed[usize::from(grip)]
    }

    async fn claim(&mut self, worker: WorkerId, job: u8) -> bool {
        let job_type = TYPES[usize::from(job)].to_owned();
        let request = ClaimRequest { job_types: vec![job_type], limits: vec![1] };
        let mut session = self.database.db.session().await.unwrap();
        let claimed = queue::claim(&mut session, worker, LONG, &request).await.unwrap();
        let any = !claimed.is_empty();
        self.claimed.extend(claimed);
        any
    }

    async fn heartbeat(&self, before: &State, grip: u8) -> bool {
        let lease = self.held(grip).lease;
        let mut session = self.database.db.session().await.unwrap();
        let beat = [(lease.job, lease.attempt, None)];
        let lost = queue::heartbeat(&mut session, lease.worker, LONG, &beat).await.unwrap();
        if let Some(lost) = lost.first() {
            let (grip, row) = seen_by(before, grip);
            let called_off = row.status == Status::Cancelled
                && row.attempt == grip.attempt
                && row.locked_by == Some(grip.boot);
            assert_eq!(lost.cancelled, called_off, "what a holder is told");
        }
        lost.is_empty()
    }

    async fn settle(&self, grip: u8, result: Result<String, JobError>, stop: Option<StopReason>) -> bool {
        let held = self.held(grip);
        let worker = held.lease.worker;
        let mut session = self.database.db.session().await.unwrap();
        let written = match outcome::settle(held, result, stop, 0.5) {
            Settlement::Complete(completion) => {
                queue::complete(&mut session, worker, &[completion]).await.unwrap()
            }
            Settlement::End(mut ending) => {
                if ending.delay_seconds > 0.0 {
                    ending.delay_seconds = LONG;
                }
                queue::end(&mut session, worker, &[ending]).await.unwrap()
            }
            other => panic!("{other:?} is no settlement of this model"),
        };
        !written.is_empty()
    }

    /// Compares every row with the model, and `job_attempts` with how its grips ended.
    pub(crate) async fn compare(&mut self, before: &State, made: Move, after: &State) -> Result<(), String> {
        for (place, grip) in after.grips.iter().enumerate() {
            let was = before.grips.get(place).and_then(|grip| grip.ended);
            // What a worker gives back without knowing it leaves no note.
            let silent = matches!(made, Move::ReleaseUnknown(_) | Move::Retry(_));
            if let (None, Some(word), false) = (was, grip.ended.and_then(word_of), silent) {
                self.noted.insert((grip.job, grip.attempt.into()), word);
            }
        }
        for (job, row) in (0u8..).zip(&after.rows) {
            let seen = self.look(job).await;
            let expected = self.expected(job, row);
            if seen != expected {
                return Err(format!(
                    "after {made:?} the database has\n  {seen}\nand the model\n  {expected}"
                ));
            }
        }
        Ok(())
    }

    async fn look(&self, job: u8) -> String {
        let seen: Option<String> = sqlx::query_scalar(
            "select concat_ws(' ', status, attempt, attempts_forgiven, crashes,
                 coalesce(locked_by::text, '-'),
                 case when locked_until is null then '-' when locked_until < now() then 'past' else 'ahead' end,
                 case when run_at <= now() then 'due' else 'later' end,
                 case when completed_at is not null then 'over' end,
                 case when started_at is not null then 'begun' end,
                 case when status = 'failed' and (error_code is null or error_message is null) then 'unexplained' end,
                 case when status in ('completed', 'failed', 'cancelled') and results is null then 'no results' end,
                 (select string_agg(a.attempt || ' ' || a.outcome, ', ' order by a.attempt)
                  from job_attempts a where a.job_id = j.id))
             from jobs j where id = $1",
        )
        .bind(self.job(job))
        .fetch_optional(&self.database.world.pool)
        .await
        .unwrap();
        seen.unwrap_or_else(|| "absent".to_owned())
    }

    fn expected(&self, job: u8, row: &Row) -> String {
        let status = match row.status {
            Status::Absent => return "absent".to_owned(),
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        };
        let locked_by = row.locked_by.map_or_else(|| "-".to_owned(), |boot| id_of(boot).to_string());
        let until = match row.locked_until {
            Until::Null => "-",
            Until::Ahead => "ahead",
            Until::Past => "past",
        };
        let due = if row.due { "due" } else { "later" };
        let mut words =
            format!("{status} {} {} {} {locked_by} {until} {due}", row.attempt, row.forgiven, row.crashes);
        if row.status.is_finished() {
            words.push_str(" over");
        }
        if row.attempt > 0 {
            words.push_str(" begun");
        }
        let noted: Vec<String> = self
            .noted
            .iter()
            .filter(|((of, _), _)| *of == job)
            .map(|((_, attempt), word)| format!("{attempt} {word}"))
            .collect();
        if !noted.is_empty() {
            words.push(' ');
            words.push_str(&noted.join(", "));
        }
        words
    }
}

fn moment() -> JobError {
    JobError::transient(ErrorCode::Internal, "a fault of the moment")
}

fn seen_by(state: &State, grip: u8) -> (forgeos_model::state::Grip, Row) {
    let grip = state.grips[usize::from(grip)];
    (grip, state.rows[usize::from(grip.job)])
}

fn word_of(ended: Ended) -> Option<&'static str> {
    match ended {
        Ended::Completed | Ended::BeforeARetry => None,
        Ended::Failed => Some("failed"),
        Ended::Released => Some("released"),
        Ended::Lost => Some("lost"),
        Ended::Cancelled => Some("cancelled"),
    }
}
