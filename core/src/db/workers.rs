//! Rows of `workers`: the live processes.

use super::{DbResult, Session};
use crate::ids::WorkerId;

/// What a process tells of itself.
#[derive(Debug, Clone)]
pub struct WorkerRow {
    /// This start of this process.
    pub id: WorkerId,
    /// Host name.
    pub host: String,
    /// Version of the program.
    pub version: String,
    /// Job types it takes.
    pub job_types: Vec<String>,
    /// Slots by type, as JSON.
    pub slots: serde_json::Value,
    /// Where its HTTP server listens.
    pub http_address: Option<String>,
}

/// Writes the row, or renews it. `store_away`: job types of which it claims nothing, because the object store is away.
pub async fn register(session: &mut Session, row: &WorkerRow, store_away: &[String]) -> DbResult<()> {
    sqlx::query!(
        r#"insert into public.workers (id, host, version, job_types, slots, http_address, store_away)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (id) do update set last_heartbeat_at = now(), http_address = excluded.http_address,
                                          store_away = excluded.store_away"#,
        row.id.0,
        row.host,
        row.version,
        &row.job_types,
        row.slots,
        row.http_address,
        store_away
    )
    .execute(session.exec())
    .await?;
    Ok(())
}

/// Removes the row of a process that ends, and rows of processes that have been silent for a day.
pub async fn unregister(session: &mut Session, worker: WorkerId) -> DbResult<()> {
    sqlx::query!(
        "delete from public.workers where id = $1 or last_heartbeat_at < now() - interval '1 day'",
        worker.0
    )
    .execute(session.exec())
    .await?;
    Ok(())
}
