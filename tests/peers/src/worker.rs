//! The worker: one job type that has one effect and goes wrong when it is told to.

use std::time::Duration;

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerOptions};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Faulty {
    #[serde(default)]
    work_ms: u64,
    #[serde(default)]
    fault: Option<String>,
}

impl TaskHandler for Faulty {
    const IDENTIFIER: &'static str = "faulty";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        write(&ctx, "insert into faults.starts (job_id, attempt, worker, pid) values ($1, $2, $3, $4)")
            .await?;
        match self.fault.as_deref() {
            Some("abort") => std::process::abort(),
            Some("never_return") => std::future::pending().await,
            Some("panic") => panic!("a panic on purpose"),
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(self.work_ms)).await;
        // There is no fence to write under.
        write(
            &ctx,
            "insert into faults.effects (job_id, attempt, worker, pid) values ($1, $2, $3, $4)
             on conflict (job_id) do update set attempt = excluded.attempt, worker = excluded.worker, pid = excluded.pid",
        )
        .await
    }
}

async fn write(ctx: &WorkerContext, statement: &'static str) -> Result<(), String> {
    sqlx::query(statement)
        .bind(*ctx.job().id())
        .bind(i32::from(*ctx.job().attempts()))
        .bind(ctx.worker_id())
        .bind(std::process::id() as i32)
        .execute(ctx.pg_pool())
        .await
        .map(|_| ())
        .map_err(|error| error.to_string())
}

pub async fn run(url: &str) {
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(16).connect(url).await.unwrap();
    let worker = WorkerOptions::default()
        .concurrency(4)
        .poll_interval(Duration::from_millis(100))
        .heartbeat_interval(Duration::from_millis(600))
        .sweep_interval(Duration::from_millis(100))
        .sweep_threshold(Duration::from_secs(2))
        .recovery_delay(Duration::ZERO)
        .define_job::<Faulty>()
        .pg_pool(pool)
        .init()
        .await
        .unwrap();
    if let Err(error) = worker.run().await {
        eprintln!("the worker ended: {error}");
        std::process::exit(1);
    }
}
