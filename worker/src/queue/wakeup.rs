//! Listens for notifications, when there is a direct connection to listen on. A notification is a hint: it makes the
//! claim loop look, or the heartbeat, and its payload is never trusted. Without it the worker polls.

use std::{sync::Arc, time::Duration};

use forgeos_core::JobId;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::leases::Leases;
use crate::runtime::{HealthState, WakeupMode};

/// A connection that heard nothing for this long is tried with a notification to itself.
const SILENCE: Duration = Duration::from_secs(15);
/// How long the own notification may take.
const ECHO: Duration = Duration::from_secs(5);

/// What listening works with.
#[derive(Debug)]
pub struct Wakeup {
    /// The direct connection.
    pub options: PgConnectOptions,
    /// Wakes the claim loop.
    pub claim: Arc<Notify>,
    /// Wakes the heartbeat.
    pub heartbeat: Arc<Notify>,
    /// The held leases, to tell whose cancel it is.
    pub leases: Leases,
    /// Where it notes that it listens.
    pub health: Arc<HealthState>,
}

impl Wakeup {
    /// Listens for ever; reconnects for ever.
    pub async fn run(self) {
        let mut pause = Duration::from_millis(200);
        loop {
            let began = tokio::time::Instant::now();
            if let Err(error) = self.listen().await {
                self.health.set_wakeup(WakeupMode::Polling);
                warn!(%error, "listening was interrupted; polling until it is back");
            }
            if began.elapsed() > SILENCE {
                pause = Duration::from_millis(200);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }

    async fn listen(&self) -> Result<(), sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        // A channel of its own tells a live connection from one that a firewall has swallowed.
        let echo = format!("forgeos_echo_{}", uuid::Uuid::new_v4().simple());
        listener.listen_all(["forgeos_jobs", "forgeos_cancel", echo.as_str()]).await?;
        self.health.set_wakeup(WakeupMode::Listening);
        // What was inserted while nobody listened.
        self.claim.notify_one();
        loop {
            let heard = match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(heard) => heard?,
                Err(_silence) => {
                    let ping = sqlx::query("select pg_notify($1, '')").bind(&echo).persistent(false);
                    tokio::time::timeout(ECHO, ping.execute(&mut listener))
                        .await
                        .map_err(|_| sqlx::Error::PoolTimedOut)??;
                    tokio::time::timeout(ECHO, listener.try_recv())
                        .await
                        .map_err(|_| sqlx::Error::PoolTimedOut)??
                }
            };
            let Some(notification) = heard else {
                return Err(sqlx::Error::WorkerCrashed);
            };
            match notification.channel() {
                "forgeos_jobs" => self.claim.notify_one(),
                "forgeos_cancel" => {
                    if let Ok(job) = notification.payload().parse::<JobId>()
                        && self.leases.get(job).is_some()
                    {
                        debug!(job.id = %job, "a cancel may be waiting");
                        self.health.hint_cancel();
                        self.heartbeat.notify_one();
                    }
                }
                _ => {}
            }
        }
    }
}
