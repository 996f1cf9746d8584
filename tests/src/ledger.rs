//! The ledger of a fault scenario: tables of the test's own in the worker's database that tell, whatever the rows of
//! the queue say, what was begun, what was done, by whom, and how often a job ended.
//!
//! It trusts nobody: each effect is judged by a trigger against the lease that the table shows at that moment, and each
//! end of a job is noted by another.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{TestWorld, verdict::Verdict};

const TABLES: &str = "
    create schema faults;
    create table faults.starts (job_id uuid not null, attempt int not null, worker uuid not null,
                                at timestamptz not null default clock_timestamp());
    create table faults.effects (job_id uuid primary key, attempt int not null, worker uuid not null);
    create table faults.stale (job_id uuid, attempt int, worker uuid);
    create table faults.refused (job_id uuid, attempt int, worker uuid);
    create table faults.ends (job_id uuid, status text, at timestamptz not null default clock_timestamp());
    create index on faults.starts (job_id);
    create index on faults.ends (job_id);
    create index on faults.ends (at);
    create function faults.judge_effect() returns trigger language plpgsql as $$
    begin
      if not exists (select from public.jobs j where j.id = new.job_id and j.attempt = new.attempt
                     and j.locked_by = new.worker and j.status = 'running') then
        insert into faults.stale values (new.job_id, new.attempt, new.worker);
      end if;
      return null;
    end $$;
    create trigger judge after insert or update on faults.effects
      for each row execute function faults.judge_effect();
    create function faults.note_end() returns trigger language plpgsql security definer as $$
    begin
      insert into faults.ends (job_id, status) values (new.id, new.status);
      return null;
    end $$;
    create trigger zz_note_end after update of status on public.jobs
      for each row when (new.status in ('completed', 'failed', 'cancelled') and old.status is distinct from new.status)
      execute function faults.note_end();
    grant usage on schema faults to public;
    grant all on all tables in schema faults to public;";

/// Jobs without an effect that were not meant to fail: vanished, failed, or completed by an attempt that is not the one
/// which wrote.
const LOST: &str = "
    select count(*) from public.jobs j left join faults.effects e on e.job_id = j.id
    where j.job_type = 'faulty' and j.params ->> 'fault' is null
      and (j.status = 'failed' or j.status = 'completed' and e.attempt is distinct from j.attempt)";

/// Effects of attempts that had no lease, jobs that ended twice, and jobs that ended one way while the same attempt is
/// on record as having ended another.
const DOUBLED: &str = "
    select (select count(*) from faults.stale)
         + (select count(*) from (select from faults.ends group by job_id having count(*) > 1) twice)
         + (select count(*) from public.job_attempts a join public.jobs j on j.id = a.job_id
            where a.attempt = j.attempt and j.status = 'completed')";

/// Begun more than once.
const AGAIN: &str = "
    select count(*) from jobs j
    where (select count(*) from faults.starts s where s.job_id = j.id) > 1
       or j.job_type <> 'faulty' and exists (select from job_attempts a where a.job_id = j.id)";

/// The ledger of one world.
#[derive(Debug)]
pub struct Ledger<'w> {
    world: &'w TestWorld,
}

impl<'w> Ledger<'w> {
    /// Opens it.
    pub async fn open(world: &'w TestWorld) -> Self {
        world.sql(TABLES).await;
        Self { world }
    }

    /// Enqueues so many jobs with one effect, whose work takes from 0 to so many milliseconds.
    pub async fn enqueue(&self, jobs: usize, work_ms: u32) {
        self.world
            .sql(format!(
                "insert into jobs (job_type, params)
                 select 'faulty', jsonb_build_object('work_ms', n * 7919 % {}) from generate_series(1, {jobs}) n",
                work_ms + 1
            ))
            .await;
    }

    /// Waits until nothing is left to do, or until no job has ended for so long: what is left then is stuck. How long
    /// it takes in all is not asked, so a slow machine and a long run are no faults; that it ends is sure, because a
    /// job ends but once.
    pub async fn drained(&self, silence: Duration) {
        let question = "select (select count(*) from faults.ends),
                               not exists (select from jobs where status in ('pending', 'running'))";
        let (mut ended, mut since) = (String::new(), tokio::time::Instant::now());
        let mut pause = Duration::from_millis(5);
        loop {
            let answer = self.world.sql(question).await;
            let [Some(ends), Some(over)] = &answer.0[0][..] else { panic!("{answer:?}") };
            if *ends != ended {
                (ended, since) = (ends.clone(), tokio::time::Instant::now());
            }
            if over == "t" || since.elapsed() >= silence {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// The verdict over all jobs of the world; recovery times and further losses are for the scenario to add.
    pub async fn verdict(&self, fault: &'static str, tried: usize) -> Verdict {
        Verdict {
            fault,
            tried,
            jobs: self.count("select count(*) from jobs").await,
            lost: self.count(LOST).await,
            doubled: self.count(DOUBLED).await,
            stuck: self.count("select count(*) from jobs where status in ('pending', 'running')").await,
            again: self.count(AGAIN).await,
            recovery: Vec::new(),
        }
    }

    /// Writes of attempts without a lease that the fence has turned away.
    pub async fn refused(&self) -> u64 {
        self.count("select count(*) from faults.refused").await
    }

    /// From each of these moments to the next end of a job, in seconds; nothing for a moment after the last end.
    pub async fn until_next_end(&self, moments: &[DateTime<Utc>]) -> Vec<f64> {
        let mut seconds = Vec::new();
        for moment in moments {
            let next: Option<f64> = sqlx::query_scalar(
                "select extract(epoch from min(at) - $1)::float8 from faults.ends where at > $1",
            )
            .bind(moment)
            .fetch_one(&self.world.pool)
            .await
            .unwrap();
            seconds.extend(next);
        }
        seconds
    }

    /// From a moment to the end of each job that ended after it and meets a condition on `faults.ends e`, in seconds.
    pub async fn until_ends(&self, moment: DateTime<Utc>, condition: &str) -> Vec<f64> {
        let query = format!(
            "select extract(epoch from e.at - '{moment}')::float8 from faults.ends e where e.at > '{moment}' and {condition}"
        );
        self.world.sql(query).await.column().iter().map(|seconds| seconds.parse().unwrap()).collect()
    }

    /// From the death of each of these workers until its jobs were free again, in seconds, one for each job.
    pub async fn until_freed(&self, deaths: &[(uuid::Uuid, DateTime<Utc>)]) -> Vec<f64> {
        let (workers, moments): (Vec<_>, Vec<_>) = deaths.iter().copied().unzip();
        sqlx::query_scalar(
            "select extract(epoch from a.ended_at - death.at)::float8
             from unnest($1::uuid[], $2::timestamptz[]) as death (worker, at)
             join job_attempts a on a.worker_id = death.worker and a.outcome = 'lost'",
        )
        .bind(workers)
        .bind(moments)
        .fetch_all(&self.world.pool)
        .await
        .unwrap()
    }

    async fn count(&self, query: &str) -> u64 {
        self.world.sql(query).await.value().parse().unwrap()
    }
}
