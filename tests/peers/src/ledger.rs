//! What was begun and done, as in the tests of the worker, on the peer's tables.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sqlx::{Connection, PgConnection, PgPool, postgres::PgPoolOptions};

use crate::server::Server;

const TABLES: &str = "
    create schema faults;
    create table faults.jobs (id bigint primary key, poisoned boolean);
    create table faults.starts (job_id bigint, attempt int, worker text, pid int, at timestamptz default clock_timestamp());
    create table faults.effects (job_id bigint primary key, attempt int, worker text, pid int);
    create table faults.stale (job_id bigint, attempt int, worker text);
    create table faults.ends (job_id bigint, at timestamptz default clock_timestamp());
    create table faults.freed (job_id bigint, worker text, at timestamptz default clock_timestamp());
    create index on faults.starts (job_id);
    create function faults.judge_effect() returns trigger language plpgsql as $$
    begin
      if not exists (select from graphile_worker._private_jobs j where j.id = new.job_id and j.locked_by = new.worker
                     and j.attempts = new.attempt) then
        insert into faults.stale values (new.job_id, new.attempt, new.worker);
      end if;
      return null;
    end $$;
    create trigger judge after insert or update on faults.effects for each row execute function faults.judge_effect();
    create function faults.note_end() returns trigger language plpgsql as $$
    begin
      insert into faults.ends (job_id) values (old.id);
      return null;
    end $$;
    create trigger zz_note_end after delete on graphile_worker._private_jobs for each row execute function faults.note_end();
    create function faults.note_freed() returns trigger language plpgsql as $$
    begin
      insert into faults.freed (job_id, worker) values (old.id, old.locked_by);
      return null;
    end $$;
    create trigger zz_note_freed after update of locked_by on graphile_worker._private_jobs
      for each row when (old.locked_by is not null and new.locked_by is null and new.last_error like '%recovered%')
      execute function faults.note_freed()";

pub struct Ledger {
    pub pool: PgPool,
    pub url: String,
}

impl Ledger {
    pub async fn open(server: &Server, database: &str) -> Self {
        let mut admin = PgConnection::connect(&server.url("postgres")).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {database}")))
            .execute(&mut admin)
            .await
            .unwrap();
        let url = server.url(database);
        let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(60)).connect(&url).await.unwrap();
        let migrate = graphile_worker::WorkerOptions::default().pg_pool(pool.clone()).init().await.unwrap();
        drop(migrate);
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
        Self { pool, url }
    }

    /// Jobs whose work takes 0 to so many milliseconds, or with a fault.
    pub async fn enqueue(&self, jobs: usize, work_ms: usize, fault: Option<&str>) {
        let payload = match fault {
            Some(fault) => format!("json_build_object('fault', '{fault}')"),
            None => format!("json_build_object('work_ms', n * 7919 % {})", work_ms + 1),
        };
        let attempts = if fault.is_some() { 3 } else { 25 };
        self.sql(&format!(
            "insert into faults.jobs select (graphile_worker.add_job('faulty', {payload}, max_attempts => {attempts})).id, {}
             from generate_series(1, {jobs}) n",
            fault.is_some()
        ))
        .await;
    }

    pub async fn sql(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&self.pool).await.unwrap();
    }

    pub async fn number(&self, query: &str) -> f64 {
        let query = format!("select ({query})::float8");
        let answer: Option<f64> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&self.pool).await.unwrap();
        answer.unwrap_or(0.0)
    }

    pub async fn wait_until(&self, question: &str) {
        let began = Instant::now();
        while self.number(&format!("case when {question} then 1 else 0 end")).await == 0.0 {
            assert!(began.elapsed() < Duration::from_secs(90), "waited in vain for {question}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether nothing is left to do.
    pub async fn is_drained(&self) -> bool {
        self.number(LEFT).await == 0.0
    }

    pub async fn drained(&self, bound: Duration) {
        let began = Instant::now();
        while began.elapsed() < bound && !self.is_drained().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn verdict(&self, fault: &str, tried: usize, mut recovery: Vec<f64>) {
        let jobs = self.number("select count(*) from faults.jobs").await;
        let lost = self
            .number(
                "select count(*) from faults.jobs f where not poisoned
                 and (not exists (select from graphile_worker._private_jobs j where j.id = f.id)
                        and not exists (select from faults.effects e where e.job_id = f.id)
                      or exists (select from graphile_worker._private_jobs j where j.id = f.id and j.attempts >= j.max_attempts
                                 and j.locked_by is null))",
            )
            .await;
        let doubled = self.number("select count(*) from faults.stale").await;
        let stuck = self.number(LEFT).await;
        let again = self
            .number(
                "select count(*) from (select from faults.starts group by job_id having count(*) > 1) again",
            )
            .await;
        recovery.sort_by(f64::total_cmp);
        let times = match recovery.last() {
            Some(most) => format!("{:.2} | {most:.2}", recovery[recovery.len() / 2]),
            None => "– | –".to_owned(),
        };
        println!("verdict | {fault} | {tried} | {jobs} | {lost} | {doubled} | {stuck} | {again} | {times} |");
    }

    pub async fn until_next_end(&self, moments: &[f64]) -> Vec<f64> {
        let mut seconds = Vec::new();
        for moment in moments {
            let next = self.number(&format!("select min(extract(epoch from at)) - {moment} from faults.ends where extract(epoch from at) > {moment}")).await;
            if next > 0.0 {
                seconds.push(next);
            }
        }
        seconds
    }

    /// From the death of each process until its jobs were free again.
    pub async fn until_freed(&self, deaths: &[(u32, f64)]) -> Vec<f64> {
        let mut seconds = Vec::new();
        for (pid, at) in deaths {
            let found: Vec<f64> = sqlx::query_scalar(
                "select extract(epoch from f.at)::float8 - $2 from faults.freed f
                 where f.worker in (select worker from faults.starts where pid = $1) and extract(epoch from f.at)::float8 > $2",
            )
            .bind(*pid as i32)
            .bind(at)
            .fetch_all(&self.pool)
            .await
            .unwrap();
            seconds.extend(found);
        }
        seconds
    }
}

/// Waiting or running.
const LEFT: &str = "select count(*) from graphile_worker._private_jobs where attempts < max_attempts or locked_by is not null";

pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
