//! Pictures are let in by the memory that they take: many large ones at once do not kill the process, and one that is
//! larger than the whole budget is judged alone.

use std::time::Instant;

use forgeos_samples::Panel;
use forgeos_tests::{TestWorld, process::Running};
use serde_json::json;
use uuid::Uuid;

/// `VmHWM` of a process: the most memory that it ever had, in MiB.
fn peak_mib(process: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Puts a picture of this size under a fresh id.
fn put(world: &TestWorld, bytes: &[u8], extension: &str) -> Uuid {
    let id = Uuid::new_v4();
    world.put("images", &format!("{id}.{extension}"), bytes);
    id
}

async fn batch(world: &TestWorld, image: Uuid) -> Uuid {
    world.enqueue("batch_analysis", &json!({"image_ids": [image]})).await
}

/// The real program with a small budget and far more threads than that has room for, and the memory that it has when it
/// has done a small batch.
async fn worker(world: &TestWorld, budget_mib: u64) -> (Running, u64) {
    let worker = world
        .program()
        .env("FORGEOS__WORKER__MEMORY_BUDGET_MB", &budget_mib.to_string())
        .env("FORGEOS__WORKER__COMPUTE_THREADS", "8")
        .env("FORGEOS__WORKER__SLOTS__BATCH_ANALYSIS", "40")
        .env("FORGEOS__WORKER__LEASE_SECONDS", "30")
        // What is freed goes back at once, so that what is measured is what was held and not what the C library keeps.
        .env("MALLOC_MMAP_THRESHOLD_", "1048576")
        .args(&["run"])
        .spawn();
    let small = put(world, &forgeos_samples::variant(1).bytes, "jpg");
    world.wait_for(batch(world, small).await, "completed").await;
    let base = peak_mib(&worker);
    (worker, base)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_large_pictures_at_once_stay_within_the_budget() {
    let world = TestWorld::new().await;
    let (worker, base) = worker(&world, 512).await;
    // 48 megapixels, as phones take them.
    let picture = Panel::new(8_000, 6_000).draw().jpeg(80);
    let began = Instant::now();
    for _ in 0..40 {
        batch(&world, put(&world, &picture, "jpg")).await;
    }
    world.wait_within(300, "select count(*) = 41 from jobs where status = 'completed'").await;
    let peak = peak_mib(&worker);
    println!("peak {peak} MiB, base {base} MiB, budget 512 MiB, {:.1?}", began.elapsed());
    assert!(peak <= base + 512, "the process had {peak} MiB");
    assert_eq!(world.sql("select count(*) from jobs where attempt > 1").await.value(), "0");
}

/// 16 bits and alpha: decoding takes eight bytes a pixel, of which three are left.
fn deep_png(width: u32, height: u32) -> Vec<u8> {
    let picture = image::ImageBuffer::<image::Rgba<u16>, _>::from_pixel(
        width,
        height,
        image::Rgba([40_000, 30_000, 20_000, u16::MAX]),
    );
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decoding_counts_and_a_picture_larger_than_the_budget_is_judged_alone() {
    let world = TestWorld::new().await;
    let (worker, base) = worker(&world, 128).await;
    // 61 MiB while they are decoded, 38 afterwards: two fit at once, three would if only the latter counted.
    let deep = deep_png(4_000, 2_000);
    let began = Instant::now();
    for _ in 0..16 {
        batch(&world, put(&world, &deep, "png")).await;
    }
    world.wait_within(300, "select count(*) = 17 from jobs where status = 'completed'").await;
    let peak = peak_mib(&worker);
    println!("deep: peak {peak} MiB, base {base} MiB, budget 128 MiB, {:.1?}", began.elapsed());
    assert!(peak <= base + 128 + 16, "the process had {peak} MiB");

    // 229 MiB: more than there is.
    let larger_than_all = deep_png(6_000, 5_000);
    for n in 0..12 {
        let bytes = if n % 4 == 1 { &larger_than_all } else { &deep };
        batch(&world, put(&world, bytes, "png")).await;
    }
    world.wait_within(300, "select count(*) = 29 from jobs where status = 'completed'").await;
    let peak = peak_mib(&worker);
    println!("larger: peak {peak} MiB, base {base} MiB, budget 128 MiB, {:.1?}", began.elapsed());
    assert!(peak <= base + 229 + 30, "beside another it would be 60 more: the process had {peak} MiB");
    assert_eq!(world.sql("select count(*) from jobs where attempt > 1").await.value(), "0");
}
