//! A transaction that first proves the lease.
//!
//! The proof locks the row `for key share`: heartbeats and a cancel go on beside it, while a claim, a sweep and
//! `retry_job`, which take the row `for update`, wait or pass it by. So the attempt cannot change while a fenced
//! transaction is open.

use super::{Db, DbError, DbResult, Transaction};
use crate::{job::Lease, status::JobStatus};

impl Db {
    /// Begins a transaction in which the lease holds until the commit, or fails with [`DbError::LeaseLost`].
    pub async fn begin_fenced(&self, lease: Lease) -> DbResult<Transaction> {
        self.begin_holding(lease, JobStatus::Running).await
    }

    /// The same for the last words of a cancelled job: partial results and the closing of its unfinished rows.
    pub async fn begin_fenced_cancelled(&self, lease: Lease) -> DbResult<Transaction> {
        self.begin_holding(lease, JobStatus::Cancelled).await
    }

    async fn begin_holding(&self, lease: Lease, status: JobStatus) -> DbResult<Transaction> {
        let mut transaction = self.begin().await?;
        let held = sqlx::query_scalar!(
            r#"select 1 as "held!" from public.jobs
               where id = $1 and attempt = $2 and locked_by = $3 and status = $4
               for key share"#,
            lease.job.0,
            lease.attempt,
            lease.worker.0,
            status.as_str()
        )
        .fetch_optional(transaction.exec())
        .await?;
        match held {
            Some(_) => Ok(transaction),
            None => Err(DbError::LeaseLost),
        }
    }
}
