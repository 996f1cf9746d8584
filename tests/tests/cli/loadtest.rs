//! `loadtest`: what it measures is real, and nothing of it stays.

use forgeos_tests::TestWorld;
use serde_json::Value;

async fn rows(world: &TestWorld) -> String {
    world
        .sql(
            "select concat_ws(' ', (select count(*) from jobs), (select count(*) from analyses),
                              (select count(*) from artifacts))",
        )
        .await
        .value()
        .to_owned()
}

#[tokio::test]
async fn every_job_is_carried_out_and_nothing_of_them_stays() {
    let world = TestWorld::new().await;
    let _worker = world.program().args(&["run"]).spawn();
    world.wait_until("select count(*) > 0 from workers").await;
    let output =
        world.program().args(&["loadtest", "--jobs", "30", "--pictures", "2", "--visualization", "--json"]);
    let output = output.output().await;
    assert_eq!(output.code, Some(0), "{output:?}");
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let number = |key: &str| report[key].as_f64().unwrap();
    assert_eq!((number("completed"), number("failed"), number("pictures")), (30.0, 0.0, 60.0));
    let (jobs, pictures) = (number("jobs_per_second"), number("pictures_per_second"));
    assert!(jobs > 0.0 && (pictures / jobs - 2.0).abs() < 1e-9, "{report}");
    assert!((jobs * number("seconds") - 30.0).abs() < 1e-6, "{report}");
    for kind in ["wait", "run"] {
        let of = |which: &str| number(&format!("{kind}_{which}"));
        assert!(of("p50") > 0.0 && of("p50") <= of("p95") && of("p95") <= of("p99"), "{report}");
        assert!(of("p99") <= of("max"), "{report}");
    }
    assert_eq!(rows(&world).await, "0 0 0");
    let user = report["user"].as_str().unwrap();
    for bucket in ["images", "outputs"] {
        let folder = world.storage_folder().join(bucket).join(user);
        let left = std::fs::read_dir(&folder).map(Iterator::count).unwrap_or_default();
        assert_eq!(left, 0, "{}", folder.display());
    }
}

#[tokio::test]
async fn it_keeps_what_it_made_where_that_is_wanted() {
    let world = TestWorld::new().await;
    let _worker = world.program().args(&["run"]).spawn();
    world.wait_until("select count(*) > 0 from workers").await;
    let output = world.program().args(&["loadtest", "--jobs", "3", "--keep"]).output().await;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("pictures /s") && output.stdout.contains("insert to start"), "{output:?}");
    assert_eq!(rows(&world).await, "3 3 0");
}

#[tokio::test]
async fn without_a_worker_it_says_so_and_enqueues_nothing() {
    let world = TestWorld::new().await;
    let output = world.program().args(&["loadtest", "--jobs", "3"]).output().await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(super::one_line(&output.stderr).contains("forgeos-worker run"), "{output:?}");
    assert_eq!(rows(&world).await, "0 0 0");
}

#[tokio::test]
async fn jobs_that_nobody_ends_are_given_up_and_cleared_away() {
    let world = TestWorld::new().await;
    let _worker = world.program().args(&["run"]).spawn();
    world.wait_until("select count(*) > 0 from workers").await;
    let paused = world.program().args(&["types", "pause", "batch_analysis"]).output().await;
    assert_eq!(paused.code, Some(0), "{paused:?}");
    let output = world.program().args(&["loadtest", "--jobs", "3", "--patience", "1"]).output().await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("no job has ended for 1 s"), "{output:?}");
    assert_eq!(rows(&world).await, "0 0 0");
}
