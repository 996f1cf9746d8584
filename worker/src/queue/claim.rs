//! The claim loop: looks when it is woken, when a slot gets free and at every poll interval, and takes only what the
//! lanes can start.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use forgeos_core::{
    ClaimedJob, WorkerId,
    db::{
        Db, DbResult,
        queue::{self, Turn, caps},
        within,
    },
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    lanes::{Lane, STALE},
    leases::{HeldJob, Leases},
    settle::Settler,
    turns::Turns,
};
use crate::{outcome, runtime::HealthState};

/// How long it may take until a rule that was set or lifted is acted on. A new rule holds at once: until then no job of
/// its type is claimed here.
const RULES_LATENCY: Duration = Duration::from_secs(1);

/// The types that have a rule (limits, turns of users), as of the last look, and whose turn it was.
#[derive(Debug, Default)]
struct Ruled {
    types: Vec<String>,
    looked: Option<Instant>,
    turns: HashMap<String, Turn>,
}

/// What claiming works with.
#[derive(Debug)]
pub struct Claimer {
    /// The engine's pool.
    pub db: Db,
    /// This boot.
    pub worker: WorkerId,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How often to look unasked.
    pub poll_interval: Duration,
    /// The job types and their slots.
    pub lanes: Vec<Arc<Lane>>,
    /// Wakes the loop: a notification, a free slot.
    pub wake: Arc<Notify>,
    /// Whether anything may be claimed now.
    pub turns: Arc<Turns>,
    /// The held leases.
    pub leases: Leases,
    /// For what cannot be started after all.
    pub settler: Settler,
    /// Where it notes its contact with the database.
    pub health: Arc<HealthState>,
}

impl Claimer {
    /// Claims until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let by_type: HashMap<&str, &Arc<Lane>> =
            self.lanes.iter().map(|lane| (lane.job_type, lane)).collect();
        let mut failures = 0u32;
        let mut ruled = Ruled::default();
        while !stop.is_cancelled() {
            self.give_back_stale();
            let request = self.request();
            let mut more = false;
            if !request.job_types.is_empty() {
                match self.claim(&request, &mut ruled).await {
                    Ok(jobs) => {
                        self.health.contact();
                        more = !jobs.is_empty();
                        self.hand_out(jobs, &by_type);
                        if failures > 0 && self.release_unknown().await.is_ok() {
                            failures = 0;
                        }
                    }
                    Err(error) => {
                        failures += 1;
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        if failures == 1 || failures.is_multiple_of(20) {
                            warn!(%error, cause, failures, "cannot claim jobs now, will try again");
                        }
                    }
                }
            }
            // After a claim that found something there may be more: look again as soon as a lane wants some.
            if more && !self.request().job_types.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            let pause = if failures == 0 && self.lanes.iter().any(|lane| lane.has_buffered()) {
                self.poll_interval.min(STALE / 2)
            } else if failures == 0 {
                self.poll_interval
            } else {
                let backed_off = Duration::from_millis(100) * 2u32.pow(failures.min(6));
                backed_off.min(Duration::from_secs(5)).mul_f64(0.75 + 0.5 * fastrand::f64())
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.wake.notified(), if failures == 0 => {}
                () = stop.cancelled() => {}
            }
        }
        for lane in &self.lanes {
            lane.close();
        }
        self.give_back_stale();
    }

    fn give_back_stale(&self) {
        for lane in &self.lanes {
            for held in lane.take_stale() {
                self.settler.send(held.job.lease, outcome::put_back(&held.job, 0.0));
            }
        }
    }

    fn request(&self) -> queue::ClaimRequest {
        let mut request = queue::ClaimRequest::default();
        if self.turns.quiet() {
            return request;
        }
        for lane in &self.lanes {
            let demand = lane.demand();
            if demand > 0 {
                request.job_types.push(lane.job_type.to_owned());
                request.limits.push(i32::try_from(demand).unwrap_or(i32::MAX));
            }
        }
        request
    }

    async fn claim(&self, request: &queue::ClaimRequest, ruled: &mut Ruled) -> DbResult<Vec<ClaimedJob>> {
        let began = Instant::now();
        let lease_seconds = self.lease.as_secs_f64();
        let jobs = within(self.lease, async {
            let mut session = self.db.session().await?;
            let mut jobs = queue::claim(&mut session, self.worker, lease_seconds, request).await?;
            if ruled.looked.is_none_or(|at| at.elapsed() >= RULES_LATENCY) {
                let all: Vec<String> = self.lanes.iter().map(|lane| lane.job_type.to_owned()).collect();
                ruled.types = caps::ruled_types(&mut session, &all).await?;
                ruled.looked = Some(Instant::now());
            }
            session.finish().await?;
            for (job_type, demand) in request.job_types.iter().zip(&request.limits) {
                if ruled.types.contains(job_type) {
                    let turn = ruled.turns.entry(job_type.clone()).or_insert_with(Turn::anywhere);
                    let mut transaction = self.db.begin().await?;
                    jobs.extend(
                        caps::claim(&mut transaction, self.worker, lease_seconds, job_type, *demand, turn)
                            .await?,
                    );
                    transaction.commit().await?;
                }
            }
            Ok(jobs)
        })
        .await?;
        metrics::histogram!(crate::metrics::CLAIM_SECONDS).record(began.elapsed().as_secs_f64());
        Ok(jobs)
    }

    /// A claim that failed may have taken effect all the same; its rows wait for nobody.
    async fn release_unknown(&self) -> DbResult<()> {
        let held: Vec<_> = self.leases.all().into_iter().map(|(job, _)| job).collect();
        let released = within(self.lease, async {
            let mut session = self.db.session().await?;
            let released = queue::release_unknown(&mut session, self.worker, &held).await?;
            session.finish().await?;
            Ok(released)
        })
        .await?;
        if released > 0 {
            warn!(jobs = released, "gave back jobs whose claim was answered to a lost connection");
            self.wake.notify_one();
        }
        Ok(())
    }

    fn hand_out(&self, jobs: Vec<ClaimedJob>, lanes: &HashMap<&str, &Arc<Lane>>) {
        for job in jobs {
            debug!(job.id = %job.lease.job, job.type = job.job_type, job.attempt = job.lease.attempt, "claimed");
            metrics::histogram!(crate::metrics::JOB_WAIT_SECONDS, "job_type" => job.job_type.clone())
                .record(job.waited_seconds.max(0.0));
            let lane = lanes.get(job.job_type.as_str());
            let held = HeldJob::new(job);
            if !self.leases.insert(&held) {
                // An older attempt of it still runs here: it goes back until that one has ended.
                self.settler.send(held.job.lease, outcome::put_back(&held.job, 1.0));
                continue;
            }
            match lane {
                Some(lane) => lane.push(held),
                None => self.settler.send(held.job.lease, outcome::put_back(&held.job, 0.0)),
            }
        }
    }
}
