//! The scenarios, one after the other.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    ledger::{Ledger, now},
    server::Server,
};

struct Worker(Child);

impl Worker {
    fn start(url: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        Self(
            Command::new(program)
                .args(["worker", url])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    fn at_work(&self) -> String {
        format!(
            "(exists (select from graphile_worker._private_jobs j join faults.starts s on s.job_id = j.id and s.worker = j.locked_by
                      where s.pid = {}) or not exists (select from graphile_worker._private_jobs))",
            self.0.id()
        )
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

pub async fn run() {
    let server = Server::start();
    killed(&server).await;
    backends(&server).await;
    stopped(&server).await;
    frozen(&server).await;
    for (name, fault, poisoned) in [
        ("job aborts the process", "abort", 2),
        ("job never returns", "never_return", 3),
        ("job panics", "panic", 3),
    ] {
        among_others(&server, name, fault, poisoned).await;
    }
}

async fn killed(server: &Server) {
    let ledger = Ledger::open(server, "killed").await;
    ledger.enqueue(2_000, 120, None).await;
    let mut workers: Vec<Worker> = (0..3).map(|_| Worker::start(&ledger.url)).collect();
    let mut deaths = Vec::new();
    for round in 0..12 {
        ledger.wait_until(&format!("(select count(*) from faults.ends) >= {}", 1_600 * round / 12)).await;
        let worker = &mut workers[round % 3];
        ledger.wait_until(&worker.at_work()).await;
        worker.kill();
        deaths.push((worker.0.id(), now()));
        *worker = Worker::start(&ledger.url);
    }
    ledger.drained(Duration::from_secs(90)).await;
    let freed = ledger.until_freed(&deaths).await;
    ledger.verdict("worker killed (kill -9)", 12, freed).await;
}

async fn backends(server: &Server) {
    let ledger = Ledger::open(server, "backends").await;
    ledger.enqueue(800, 150, None).await;
    let start = || Worker::start(&ledger.url);
    let mut workers = vec![start(), start()];
    ledger.wait_until("exists (select from faults.ends)").await;
    let (mut moments, mut ended) = (Vec::new(), 0);
    let mut twice_a_second = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..16 {
        twice_a_second.tick().await;
        ledger
            .sql(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database()
                 and pid <> pg_backend_pid()",
            )
            .await;
        moments.push(now());
        ended += supervise(&mut workers, start).len();
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(90) && !ledger.is_drained().await {
        ended += supervise(&mut workers, start).len();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let recovery = ledger.until_next_end(&moments).await;
    ledger.verdict("database connections killed, twice a second", 16, recovery).await;
    println!("figures | workers that ended by themselves | {ended} |");
}

async fn stopped(server: &Server) {
    let ledger = Ledger::open(server, "stopped").await;
    let start = || Worker::start(&ledger.url);
    let mut workers = vec![start(), start()];
    let mut recovery = Vec::new();
    let mut ended = 0;
    for _ in 0..3 {
        let before = ledger.number("select count(*) from faults.ends").await;
        ledger.enqueue(200, 100, None).await;
        ledger.wait_until(&format!("(select count(*) from faults.ends) >= {}", before + 30.0)).await;
        server.stop();
        server.start_again();
        let answers = now();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(90) && !ledger.is_drained().await {
            ended += supervise(&mut workers, start).len();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        recovery.extend(ledger.until_next_end(&[answers]).await);
    }
    ledger.verdict("server stopped (immediate) and started", 3, recovery).await;
    println!("figures | workers that ended by themselves | {ended} |");
}

async fn frozen(server: &Server) {
    let ledger = Ledger::open(server, "frozen").await;
    let mut freezes = Vec::new();
    for _ in 0..4 {
        let sleeper = Worker::start(&ledger.url);
        ledger
            .sql(
                "insert into faults.jobs select (graphile_worker.add_job('faulty', '{\"work_ms\": 700}')).id, false
                 from generate_series(1, 4) n",
            )
            .await;
        ledger
            .wait_until(&format!("(select count(*) from faults.starts where pid = {}) >= 4", sleeper.0.id()))
            .await;
        sleeper.signal("STOP");
        freezes.push((sleeper.0.id(), now()));
        let other = Worker::start(&ledger.url);
        ledger.drained(Duration::from_secs(60)).await;
        sleeper.signal("CONT");
        // Its handlers go on to their write, which takes less.
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop((sleeper, other));
    }
    let freed = ledger.until_freed(&freezes).await;
    ledger.verdict("worker frozen beyond its lease (SIGSTOP), woken", 4, freed).await;
}

async fn among_others(server: &Server, name: &str, fault: &str, poisoned: usize) {
    let ledger = Ledger::open(server, &format!("among_{fault}")).await;
    ledger.enqueue(50, 60, None).await;
    ledger.enqueue(poisoned, 0, Some(fault)).await;
    ledger.enqueue(50, 60, None).await;
    let start = || Worker::start(&ledger.url);
    let mut workers = vec![start(), start()];
    let mut deaths = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60 + 30 * poisoned as u64) && !ledger.is_drained().await {
        deaths.extend(supervise(&mut workers, start));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let freed = ledger.until_freed(&deaths).await;
    ledger.verdict(name, poisoned, freed).await;
    println!("figures | {name} | {} processes ended |", deaths.len());
}

/// Starts every worker anew that has ended; answers who it was and when.
fn supervise(workers: &mut [Worker], start: impl Fn() -> Worker) -> Vec<(u32, f64)> {
    let mut deaths = Vec::new();
    for worker in workers {
        if worker.0.try_wait().unwrap().is_some() {
            deaths.push((worker.0.id(), now()));
            *worker = start();
        }
    }
    deaths
}
