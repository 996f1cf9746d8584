//! Fires schedules. Only the database's clock counts, so a machine whose clock is wrong fires nothing early or twice.

use chrono::{DateTime, Utc};
use croner::Cron;
use forgeos_core::db::{
    Db, DbError, DbResult,
    upkeep::{self, Fired, ScheduledJob},
};
use tracing::{error, info};
use uuid::Uuid;

use crate::settings::ScheduleSettings;

pub(super) async fn fire_due(db: &Db, schedules: &[ScheduleSettings]) -> DbResult<()> {
    if schedules.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = schedules.iter().map(|schedule| schedule.name.clone()).collect();
    let mut session = db.session().await?;
    let states = upkeep::schedules(&mut session, &names).await?;
    session.finish().await?;
    for state in states {
        let Some(schedule) = schedules.iter().find(|schedule| schedule.name == state.name) else { continue };
        let Some(due_at) = last_due(&schedule.cron, state.last_due_at, state.now) else { continue };
        let job = ScheduledJob {
            schedule: &schedule.name,
            due_at,
            job_id: job_id(&schedule.name, due_at),
            job_type: &schedule.job_type,
            params: &schedule.params,
        };
        let mut session = db.session().await?;
        let fired = match upkeep::fire(&mut session, &job).await {
            Ok(fired) => session.finish().await.map(|()| fired),
            Err(error) => Err(error),
        };
        match fired {
            Ok(Fired::Enqueued) => info!(schedule = state.name, job.id = %job.job_id, %due_at, "scheduled"),
            Ok(Fired::StillRunning) => {
                info!(schedule = state.name, %due_at, "passed over: the job of an earlier moment is not finished");
            }
            Ok(Fired::Already) => {}
            Err(DbError::Refused { message, .. }) => {
                error!(schedule = state.name, message, "the database refuses the job of this schedule");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The last moment after `since` and not after `now`.
fn last_due(cron: &Cron, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    cron.find_previous_occurrence(&now, true).ok().filter(|due_at| *due_at > since)
}

/// The same for every worker that fires this moment.
fn job_id(schedule: &str, due_at: DateTime<Utc>) -> Uuid {
    forgeos_core::JobId(Uuid::nil()).derive("schedule", &format!("{schedule}/{}", due_at.timestamp()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn of_missed_moments_the_last_is_made_up_for() {
        let cron: Cron = "15 2 * * *".parse().unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let due = |since, now| last_due(&cron, at(since), at(now));
        assert_eq!(due("2026-03-01T00:00:00Z", "2026-03-01T02:14:59Z"), None);
        assert_eq!(due("2026-03-01T00:00:00Z", "2026-03-01T02:15:00Z"), Some(at("2026-03-01T02:15:00Z")));
        assert_eq!(due("2026-03-01T02:15:00Z", "2026-03-01T23:00:00Z"), None);
        assert_eq!(due("2026-03-01T00:00:00Z", "2026-03-09T01:00:00.5Z"), Some(at("2026-03-08T02:15:00Z")));
    }
}
