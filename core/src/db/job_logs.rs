//! Rows of `job_logs`: what handlers say while they run.

use std::time::Instant;

use uuid::Uuid;

use super::{DbResult, Session};

/// A line of a job's log.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// The job.
    pub job_id: Uuid,
    /// Its attempt.
    pub attempt: i32,
    /// When it was said.
    pub said: Instant,
    /// `info`, `warn` or `error`.
    pub level: &'static str,
    /// What was said.
    pub message: String,
    /// The step of the job, one word, where the line names it.
    pub step: Option<String>,
    /// The other fields as a JSON object.
    pub fields: Option<String>,
}

/// Writes lines; those of jobs that are gone are left out. They are dated back from the database's clock: the one of the
/// process may be wrong.
pub async fn insert(session: &mut Session, lines: &[LogLine]) -> DbResult<()> {
    let jobs: Vec<Uuid> = lines.iter().map(|l| l.job_id).collect();
    let attempts: Vec<i32> = lines.iter().map(|l| l.attempt).collect();
    let ages: Vec<f64> = lines.iter().map(|l| l.said.elapsed().as_secs_f64()).collect();
    let levels: Vec<String> = lines.iter().map(|l| l.level.to_owned()).collect();
    let messages: Vec<String> = lines.iter().map(|l| l.message.clone()).collect();
    let steps: Vec<Option<String>> = lines.iter().map(|l| l.step.clone()).collect();
    let fields: Vec<Option<String>> = lines.iter().map(|l| l.fields.clone()).collect();
    sqlx::query!(
        r#"
        insert into public.job_logs (job_id, attempt, logged_at, level, message, step, fields)
        select l.job_id, l.attempt, now() - make_interval(secs => l.age_seconds), l.level, l.message, l.step, l.fields::jsonb
        from unnest($1::uuid[], $2::int[], $3::float8[], $4::text[], $5::text[], $6::text[], $7::text[])
            with ordinality as l (job_id, attempt, age_seconds, level, message, step, fields, n)
        where exists (select 1 from public.jobs j where j.id = l.job_id)
        order by l.n
        "#,
        &jobs,
        &attempts,
        &ages,
        &levels,
        &messages,
        &steps as &[Option<String>],
        &fields as &[Option<String>]
    )
    .execute(session.exec())
    .await?;
    Ok(())
}
