//! What the queue itself costs: jobs that do nothing, on a server that waits for its disk.
//!
//! `cargo bench -p forgeos-tests --bench queue` prints
//! 1. jobs drained per second by one worker, beside a raw SQL loop that claims and completes in batches of 100 on the
//!    same table in the same run (three rounds each in turn, medians, and their ratio);
//! 2. the same jobs as those of a thousand users and of one user, claimed in order and in turns (`job_types.fair`);
//! 3. how long an idle worker takes from an insert to the start and to the completion of the job, by the database's
//!    clock, over single inserts.
//!
//! `FORGEOS_BENCH_JOBS` sets the number of jobs of a round (default 30000), `FORGEOS_BENCH_ROUNDS` the rounds (3).
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use forgeos_tests::{
    TestWorld,
    server::{Durability, Server},
};
use uuid::Uuid;

/// Single inserts of the latency measurement.
const INSERTS: usize = 200;

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let jobs = setting("FORGEOS_BENCH_JOBS", 30_000);
    let rounds = setting("FORGEOS_BENCH_ROUNDS", 3);
    let server: &'static Server = Box::leak(Box::new(Server::start(Durability::Durable).unwrap()));
    let world = TestWorld::on_server(server).await;
    let facts = world.sql("select version() || ', fsync ' || current_setting('fsync')").await;
    println!("{}", facts.value());

    println!("\n{jobs} noop jobs a round");
    let (mut loops, mut workers) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        loops.push(raw_loop(&world, jobs).await);
        workers.push(worker(&world, jobs).await);
        println!(
            "  round {round}: raw loop {:>7.0} jobs/s   worker {:>7.0} jobs/s",
            loops[round - 1],
            workers[round - 1]
        );
    }
    let (raw, ours) = (median(&mut loops), median(&mut workers));
    println!("  median:  raw loop {raw:>7.0} jobs/s   worker {ours:>7.0} jobs/s   ratio {:.2}", ours / raw);

    println!("\njobs of users, claimed in order and in turns");
    for users in [1, 1_000] {
        let (mut in_order, mut in_turns) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            in_order.push(worker_of(&world, jobs, Some(users), false).await);
            in_turns.push(worker_of(&world, jobs, Some(users), true).await);
        }
        let (order, turns) = (median(&mut in_order), median(&mut in_turns));
        println!(
            "  {users:>5} users: in order {order:>7.0} jobs/s   in turns {turns:>7.0} jobs/s   ratio {:.2}",
            turns / order
        );
    }

    latency(&world).await;
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// `users`: whose the jobs are, in turn; the service's without.
async fn fill(world: &TestWorld, jobs: usize, users: Option<usize>) {
    world.sql("truncate jobs cascade").await;
    let user = users.map_or("null".to_owned(), |users| format!("md5((n % {users})::text)::uuid"));
    world
        .sql(format!(
            "insert into jobs (job_type, params, user_id)
             select 'noop', '{{}}', {user} from generate_series(1, {jobs}) n"
        ))
        .await;
    world.sql("vacuum (analyze) jobs").await;
    world.sql("checkpoint").await;
}

async fn assert_all_completed(world: &TestWorld, jobs: usize) {
    let done = world.sql("select count(*) from jobs where status = 'completed' and attempt = 1").await;
    assert_eq!(done.value(), jobs.to_string());
}

/// Jobs a second of a loop without any engine: one connection, two statements a batch.
async fn raw_loop(world: &TestWorld, jobs: usize) -> f64 {
    const CLAIM: &str = "
        update jobs set status = 'running', attempt = attempt + 1, locked_by = $1,
            locked_until = now() + interval '30 seconds', started_at = now(), updated_at = now()
        where id = any (array(
            select id from jobs where status = 'pending' and job_type = 'noop' and run_at <= now()
            order by priority desc, run_at, created_at for update skip locked limit 100))
        returning id";
    const COMPLETE: &str = "
        update jobs set status = 'completed', completed_at = now(), locked_by = null, locked_until = null,
            results = 'null', updated_at = now()
        where id = any ($1) and status = 'running'";
    fill(world, jobs, None).await;
    let mut connection = world.pool.acquire().await.unwrap();
    let me = Uuid::new_v4();
    let began = Instant::now();
    loop {
        let ids: Vec<Uuid> = sqlx::query_scalar(CLAIM).bind(me).fetch_all(&mut *connection).await.unwrap();
        if ids.is_empty() {
            break;
        }
        sqlx::query(COMPLETE).bind(&ids).execute(&mut *connection).await.unwrap();
    }
    let rate = jobs as f64 / began.elapsed().as_secs_f64();
    drop(connection);
    assert_all_completed(world, jobs).await;
    rate
}

/// Jobs a second of one worker, from its first claim to its last completion.
async fn worker(world: &TestWorld, jobs: usize) -> f64 {
    worker_of(world, jobs, None, false).await
}

async fn worker_of(world: &TestWorld, jobs: usize, users: Option<usize>, fair: bool) -> f64 {
    fill(world, jobs, users).await;
    world.sql(format!("update job_types set fair = {fair}")).await;
    let worker = world.worker().lease_seconds(30).only(&["noop"]).start().await;
    world
        .wait_within(
            600,
            "select count(*) = 0 from (select from jobs where status in ('pending', 'running') limit 1) x",
        )
        .await;
    worker.stop().await;
    assert_all_completed(world, jobs).await;
    let seconds = world.sql("select extract(epoch from max(completed_at) - min(started_at)) from jobs").await;
    jobs as f64 / seconds.value().parse::<f64>().unwrap()
}

/// From insert to start and to completion, one job at a time, the worker idle before each.
async fn latency(world: &TestWorld) {
    world.sql("truncate jobs cascade").await;
    let worker = world
        .worker()
        .lease_seconds(30)
        .poll_every(std::time::Duration::from_secs(60))
        .only(&["noop"])
        .ready()
        .await;
    for _ in 0..INSERTS {
        let id = world.enqueue("noop", &serde_json::json!({})).await;
        world.wait_for(id, "completed").await;
    }
    worker.stop().await;
    println!("\npick-up of an idle worker, {INSERTS} single inserts, LISTEN, database clock");
    for (what, column) in [("started", "started_at"), ("completed", "completed_at")] {
        let figures = world
            .sql(format!(
                "select string_agg(round(ms::numeric, 2)::text, ' / ')
                 from unnest((select percentile_cont(array[0.5, 0.99, 1]) within group
                     (order by extract(epoch from {column} - created_at) * 1000) from jobs)) as ms"
            ))
            .await;
        println!("  insert to {what}: p50 / p99 / max = {} ms", figures.value());
    }
}
