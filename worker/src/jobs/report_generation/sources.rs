//! Which analyses a job is about, and whether their batch is still under way.

use std::time::Duration;

use forgeos_core::{
    ErrorCode, Job, JobContext, JobError, JobId,
    db::report_sources::{self, SourceJob},
};
use uuid::Uuid;

use super::params::{MAX_ANALYSES, MAX_COMBINED, ReportGeneration};
use crate::jobs::BatchAnalysis;

/// A report waits for its batch at most so long, counted from its first claim.
const WAITING_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// The first look at a batch that is under way, after the one that found it so. Its end makes the report due at once;
/// looks are the backstop, and become rarer.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
/// The pause between looks when a report has waited long.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The ids of the analyses, in the order in which they are reported on.
pub(super) async fn resolve(ctx: &JobContext, params: &ReportGeneration) -> Result<Vec<Uuid>, JobError> {
    match (&params.analysis_ids, params.job_id) {
        (Some(ids), _) => Ok(ids.clone()),
        (None, Some(job)) => of_job(ctx, job, params.combined).await,
        (None, None) => Ok(Vec::new()),
    }
}

async fn of_job(ctx: &JobContext, id: Uuid, combined: bool) -> Result<Vec<Uuid>, JobError> {
    let owner = ctx.job.user_id;
    let mut session = ctx.db.session().await?;
    let Some(job) = report_sources::job(&mut session, owner, id).await? else {
        return Err(JobError::not_found("`job_id`: there is no job with this id"));
    };
    if job.job_type != BatchAnalysis::NAME {
        return Err(JobError::bad_params(format!(
            "`job_id` is a job of type `{}`; reports are made of `{}` jobs",
            job.job_type,
            BatchAnalysis::NAME
        )));
    }
    if is_under_way(&job) {
        session.finish().await?;
        return Err(wait_for(ctx, id, &job));
    }
    let most = if combined { MAX_COMBINED } else { MAX_ANALYSES };
    let ids = report_sources::analyses_of(&mut session, owner, JobId(id), MAX_ANALYSES as i64 + 1).await?;
    let any = report_sources::any_completed(&mut session, owner, &ids).await?;
    session.finish().await?;
    if !any {
        return Err(match job.status.as_str() {
            "completed" => JobError::permanent(
                ErrorCode::NothingToDo,
                format!("the job {id} has no completed analysis any more"),
            ),
            status => {
                let why = job.error_message.map(|why| format!(": {why}")).unwrap_or_default();
                JobError::permanent(
                    ErrorCode::DependencyFailed,
                    format!("the job {id} is `{status}` and has no completed analysis{why}"),
                )
            }
        });
    }
    if ids.len() > most {
        let count =
            if ids.len() > MAX_ANALYSES { "more than 10000".to_owned() } else { ids.len().to_string() };
        let remedy =
            if combined { "leave `combined` out, or name some of them" } else { "name some of them" };
        return Err(JobError::bad_params(format!(
            "the job {id} has {count} analyses; a report takes at most {most}: {remedy} in `analysis_ids`"
        )));
    }
    Ok(ids)
}

/// A cancelled job counts as under way until its holder has closed it: until then its analyses still change.
fn is_under_way(job: &SourceJob) -> bool {
    match job.status.as_str() {
        "completed" | "failed" => false,
        "cancelled" => job.held,
        _ => true,
    }
}

fn wait_for(ctx: &JobContext, id: Uuid, job: &SourceJob) -> JobError {
    let waited = (ctx.job.claimed_at - ctx.job.first_started_at).to_std().unwrap_or_default();
    if waited >= WAITING_PATIENCE {
        return JobError::permanent(
            ErrorCode::DependencyFailed,
            format!(
                "the job {id} is still `{}` after 24 hours; ask for its report when it has finished",
                job.status
            ),
        );
    }
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    ctx.progress.set("waiting_for_job", count(job.done), count(job.total));
    JobError::later(pause_after(waited), format!("waits for the job {id}"))
}

fn pause_after(waited: Duration) -> Duration {
    (waited / 8).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(status: &str, held: bool) -> SourceJob {
        SourceJob {
            job_type: "batch_analysis".into(),
            status: status.into(),
            held,
            error_message: None,
            done: 0,
            total: 0,
        }
    }

    #[test]
    fn a_cancelled_batch_is_waited_for_until_it_is_closed() {
        assert!(is_under_way(&job("cancelled", true)) && !is_under_way(&job("cancelled", false)));
        assert!(is_under_way(&job("pending", false)) && is_under_way(&job("running", true)));
        assert!(!is_under_way(&job("completed", true)) && !is_under_way(&job("failed", false)));
    }

    #[test]
    fn looks_become_rarer_and_stay_within_half_a_minute() {
        let pauses: Vec<_> =
            [0, 1, 16, 80, 240, 86_000].map(|s| pause_after(Duration::from_secs(s)).as_secs()).into();
        assert_eq!(pauses, [2, 2, 2, 10, 30, 30]);
    }
}
