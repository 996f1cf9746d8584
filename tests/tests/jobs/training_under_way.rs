//! A training that is called off, killed, or met by another one.

use std::time::{Duration, Instant};

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

use crate::lessons::{Lesson, column};

/// Enough pictures for a training to be met in the middle.
const OF_EACH: u64 = 120;

/// How far a training is.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Reading,
    Learning,
}

/// A training that has come so far.
async fn started(world: &TestWorld, session: Uuid, stage: Stage) -> Uuid {
    // Many folds take long.
    let params = json!({"training_session_id": session, "options": {"folds": 20}});
    let id = world.enqueue("model_training", &params).await;
    world
        .wait_until(&match stage {
            Stage::Reading => {
                format!("select exists (select from job_items where job_id = '{id}' and status = 'running')")
            }
            Stage::Learning => {
                // The heartbeat writes what it meets: one of these, and which one depends on the machine.
                format!(
                    "select coalesce(progress ->> 'phase' in ('evaluating', 'training', 'checking'), false)
                     from jobs where id = '{id}'"
                )
            }
        })
        .await;
    id
}

#[tokio::test]
async fn a_cancel_stops_it_within_a_second_wherever_it_is() {
    let world = TestWorld::new().await;
    let session = Lesson::put(&world, None, OF_EACH, 0).session(&world, None).await;
    let _worker = world.program().args(&["run"]).spawn();
    for stage in [Stage::Reading, Stage::Learning] {
        let id = started(&world, session, stage).await;
        let asked = Instant::now();
        world.sql(format!("update jobs set status = 'cancelled' where id = '{id}'")).await;
        assert_eq!(column(&world, session, "status").await, "failed", "closed by the cancel itself");
        world.wait_until(&format!("select locked_by is null from jobs where id = '{id}'")).await;
        // A second on a free machine; more is for a busy one, and far less than the rest of the training.
        assert!(asked.elapsed() < Duration::from_secs(10), "{stage:?}: {:?}", asked.elapsed());
        assert_eq!(world.job(id).await.status(), "cancelled");
        let error = column(&world, session, "accuracy_metrics").await;
        assert_eq!(error["error"]["code"], "cancelled");
    }
    assert!(world.sql("select 1 from artifacts").await.is_empty());
    assert_no_file(&world);
}

#[tokio::test]
async fn a_killed_training_starts_again_and_is_done_once() {
    let world = TestWorld::new().await;
    let session = Lesson::put(&world, None, OF_EACH, 0).session(&world, None).await;
    world
        .sql(
            "create table completions (version text);
             create function log_completion() returns trigger language plpgsql as $$
             begin insert into completions values (new.model_version); return null; end $$;
             create trigger zz_log after update on training_sessions
               for each row when (new.status = 'completed') execute function log_completion()",
        )
        .await;
    let mut first = world.program().args(&["run"]).spawn();
    let id = started(&world, session, Stage::Learning).await;
    first.kill();
    assert_eq!(column(&world, session, "status").await, "running", "its job goes on");
    // What a first attempt may have put before it died.
    world.put("models", &format!("service/{id}/1/roc_curve.svg"), b"half");
    let _second = world.program().args(&["run"]).spawn();
    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.crashes), (2, 1));
    assert_eq!(column(&world, session, "status").await, "completed");
    let version = job.result("model_version").as_str().unwrap();
    assert_eq!(world.sql("select version from completions").await.column(), [version]);
    let files = job.result("artifacts").as_array().unwrap();
    assert_eq!(world.sql("select count(*) from artifacts").await.value(), files.len().to_string());
    assert!(files.iter().all(|file| world.object_path("models", file["key"].as_str().unwrap()).is_file()));
    assert!(
        !world.object_path("models", &format!("service/{id}/1/roc_curve.svg")).exists(),
        "leftovers are gone"
    );
}

#[tokio::test]
async fn a_training_whose_end_was_not_noted_is_not_done_again() {
    let world = TestWorld::new().await;
    let session = Lesson::put(&world, None, 10, 0).session(&world, None).await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"training_session_id": session, "options": {"folds": 2}});
    let id = world.enqueue("model_training", &params).await;
    let first = world.wait_for(id, "completed").await;
    // As if the worker had died between its rows and the word that the job is done.
    world
        .sql(format!(
            "alter table jobs disable trigger user;
             update jobs set status = 'pending', results = null, completed_at = null where id = '{id}';
             alter table jobs enable trigger user"
        ))
        .await;
    let second = world.wait_for(id, "completed").await;
    assert_eq!((second.attempt, &second.results), (2, &first.results));
    assert_eq!(world.sql("select distinct attempt from artifacts").await.value(), "1");
}

#[tokio::test]
async fn one_session_is_trained_by_one_job_at_a_time() {
    let world = TestWorld::new().await;
    let session = Lesson::put(&world, None, OF_EACH, 0).session(&world, None).await;
    let _workers = [world.program().args(&["run"]).spawn(), world.program().args(&["run"]).spawn()];
    let first = started(&world, session, Stage::Reading).await;
    let second = world.enqueue("model_training", &json!({"training_session_id": session})).await;
    let refused = world.wait_for(second, "failed").await;
    assert_eq!(refused.error_code(), "dependency_failed");
    assert!(refused.error_message().contains(&first.to_string()), "{}", refused.error_message());
    assert_eq!(column(&world, session, "status").await, "running", "the refused one took nothing away");
    world.sql(format!("update jobs set status = 'cancelled' where id = '{first}'")).await;
}

#[tokio::test]
async fn a_time_limit_that_is_over_is_told_and_not_tried_again() {
    let world = TestWorld::new().await;
    let session = Lesson::put(&world, None, 250, 0).session(&world, None).await;
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"training_session_id": session, "options": {"time_limit_seconds": 1, "folds": 20}});
    let job = world.enqueue("model_training", &params).await;
    let job = world.wait_for(job, "failed").await;
    assert_eq!((job.error_code(), job.attempt), ("timed_out", 1), "{job:?}");
    assert!(job.error_message().contains("raise `options.time_limit_seconds`"), "{}", job.error_message());
    assert_eq!(column(&world, session, "status").await, "failed");
}

#[tokio::test]
async fn a_session_ends_with_its_job_with_no_worker_alive() {
    let world = TestWorld::new().await;
    for (change, code) in [
        ("update jobs set status = 'cancelled' where id = '{job}'", "cancelled"),
        (
            "update jobs set status = 'failed', error_code = 'worker_lost', error_message = 'lost' where id = '{job}'",
            "worker_lost",
        ),
        ("delete from jobs where id = '{job}'", "cancelled"),
    ] {
        world.sql("delete from jobs; delete from training_sessions").await;
        let params = json!({"training_session_id": Uuid::new_v4()});
        let (job, other) =
            (world.enqueue("model_training", &params).await, world.enqueue("model_training", &params).await);
        // One that this job trains, one that another job has taken since, one that has nothing to do with it.
        world
            .sql(format!(
                "update jobs set status = 'running';
                 insert into training_sessions (id, status, notes) values
                     ('{job}', 'running', 'ours'), ('{other}', 'running', 'taken'), (gen_random_uuid(), 'running', 'x');
                 insert into job_items (job_id, item, result_id, status) values
                     ('{job}', 'training_session', '{job}', 'running'), ('{other}', 'training_session', '{other}', 'running')"
            ))
            .await;
        world.sql(change.replace("{job}", &job.to_string())).await;
        let rows = world
            .sql(
                "select status, accuracy_metrics -> 'error' ->> 'code' from training_sessions order by notes",
            )
            .await;
        let some = |text: &str| Some(text.to_owned());
        let expected = [[some("failed"), some(code)], [some("running"), None], [some("running"), None]];
        assert_eq!(rows.0, expected, "{change}");
    }
}

#[tokio::test]
async fn a_job_that_ends_leaves_alone_a_session_that_another_one_has_taken_since() {
    let world = TestWorld::new().await;
    let params = json!({"training_session_id": Uuid::new_v4()});
    let (old, new) =
        (world.enqueue("model_training", &params).await, world.enqueue("model_training", &params).await);
    world
        .sql(format!(
            "update jobs set status = 'running';
             insert into training_sessions (id, status) values ('{old}', 'running');
             insert into job_items (job_id, item, result_id, status) values
                 ('{old}', 'training_session', '{old}', 'cancelled'), ('{new}', 'training_session', '{old}', 'running');
             update jobs set status = 'cancelled' where id = '{old}'"
        ))
        .await;
    assert_eq!(column(&world, old, "status").await, "running");
    world.sql(format!("update jobs set status = 'cancelled' where id = '{new}'")).await;
    assert_eq!(column(&world, old, "status").await, "failed");
}

fn assert_no_file(world: &TestWorld) {
    let mut folders = vec![world.storage_folder().join("models")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            assert!(path.is_dir(), "{} was left", path.display());
            folders.push(path);
        }
    }
}
