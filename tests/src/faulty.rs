//! A job type that does what a good handler does, and goes wrong when its params say so. It notes in the
//! [ledger](crate::ledger) when it begins and, under the fence, what it has done.

use std::time::Duration;

use forgeos_core::{
    ErrorCode, Job, JobContext, JobError,
    db::{Db, DbError, DbResult},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Ends the process as a fault in a C library would.
    Abort,
    /// Asks for memory until there is none.
    Allocate,
    /// Waits for ever and does not listen.
    NeverReturn,
    /// The same, and keeps its thread.
    BlockForEver,
    /// Panics.
    Panic,
}

/// A job with one effect.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Faulty {
    /// How long the work takes.
    #[serde(default)]
    work_ms: u64,
    /// Works on when it is told to stop, and writes.
    #[serde(default)]
    deaf: bool,
    /// Keeps a connection of the handlers' pool while it works.
    #[serde(default)]
    hold_connection: bool,
    /// What goes wrong after it has begun.
    #[serde(default)]
    fault: Option<Fault>,
}

impl Job for Faulty {
    const NAME: &'static str = "faulty";
    type Results = Value;

    async fn run(&self, ctx: &JobContext) -> Result<Value, JobError> {
        let lease = ctx.lease();
        note(&ctx.db, "insert into faults.starts (job_id, attempt, worker) values ($1, $2, $3)", ctx).await?;
        if let Some(fault) = self.fault {
            go_wrong(fault).await;
        }
        let held = match self.hold_connection {
            true => Some(ctx.db.session().await?),
            false => None,
        };
        let work = tokio::time::sleep(Duration::from_millis(self.work_ms));
        tokio::select! {
            () = work => {}
            () = ctx.stop.wait(), if !self.deaf => {
                return Err(JobError::transient(ErrorCode::Internal, "told to stop"));
            }
        }
        drop(held);
        match write_effect(ctx).await {
            Ok(()) => Ok(json!({ "attempt": lease.attempt })),
            Err(error) => {
                if matches!(error, DbError::LeaseLost) {
                    note(
                        &ctx.db,
                        "insert into faults.refused (job_id, attempt, worker) values ($1, $2, $3)",
                        ctx,
                    )
                    .await?;
                }
                Err(error.into())
            }
        }
    }
}

async fn note(db: &Db, statement: &'static str, ctx: &JobContext) -> DbResult<()> {
    let lease = ctx.lease();
    let mut session = db.session().await?;
    sqlx::query(statement)
        .bind(lease.job.0)
        .bind(lease.attempt)
        .bind(lease.worker.0)
        .execute(session.exec())
        .await?;
    session.finish().await
}

/// The row is the job's own: a second run writes the same one.
async fn write_effect(ctx: &JobContext) -> DbResult<()> {
    let lease = ctx.lease();
    let mut transaction = ctx.db.begin_fenced(lease).await?;
    sqlx::query(
        "insert into faults.effects (job_id, attempt, worker) values ($1, $2, $3)
         on conflict (job_id) do update set attempt = excluded.attempt, worker = excluded.worker",
    )
    .bind(lease.job.0)
    .bind(lease.attempt)
    .bind(lease.worker.0)
    .execute(transaction.exec())
    .await?;
    transaction.commit().await
}

async fn go_wrong(fault: Fault) {
    match fault {
        Fault::Abort => std::process::abort(),
        Fault::Allocate => {
            // Never touched: it is the limit of the process that ends this, not the machine.
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(Vec::with_capacity(64 << 20));
            }
        }
        Fault::NeverReturn => std::future::pending().await,
        Fault::BlockForEver => loop {
            std::thread::park();
        },
        Fault::Panic => panic!("a panic on purpose"),
    }
}
