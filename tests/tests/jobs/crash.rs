//! kill -9 in the middle of a batch.

use forgeos_tests::TestWorld;
use serde_json::json;

use crate::pictures::put_panels;

/// Logs every completion of an analysis and of an item, so that an image that was done twice is seen.
pub(crate) const LOG_COMPLETIONS: &str = "
    create table completions (kind text, id text, attempt int);
    create function log_completion() returns trigger language plpgsql as $$
    begin
      if tg_table_name = 'analyses' then
        insert into completions values ('analysis', new.id::text, null);
      else
        insert into completions values ('item', new.item, new.attempt);
      end if;
      return null;
    end $$;
    create trigger zz_log after insert or update of status, metrics on analyses
      for each row when (new.status = 'completed') execute function log_completion();
    create trigger zz_log after update on job_items
      for each row when (new.status = 'completed' and old.status <> 'completed') execute function log_completion()";

pub(crate) async fn assert_each_image_was_done_once(world: &TestWorld, images: usize) {
    let counts = world
        .sql("select kind, count(*), count(distinct id) from completions group by kind order by kind")
        .await;
    let n = Some(images.to_string());
    assert_eq!(
        counts.0,
        [
            [Some("analysis".to_owned()), n.clone(), n.clone()],
            [Some("item".to_owned()), n.clone(), n.clone()]
        ],
        "completions, and how many different ones"
    );
    let rows =
        world.sql("select count(*), count(distinct id) from analyses where status = 'completed'").await;
    assert_eq!(rows.0[0], [n.clone(), n.clone()]);
    assert_eq!(world.sql("select count(*) from analyses").await.value(), images.to_string(), "no other row");
    // Each artifact row points to a file that is there.
    for key in world.sql("select key from artifacts").await.column() {
        assert!(world.object_path("outputs", key).is_file(), "{key}");
    }
    assert_eq!(world.sql("select count(*) from artifacts").await.value(), images.to_string());
    let linked = world
        .sql("select count(*) from analyses a join artifacts f on f.key = a.output_filename and f.bucket = 'outputs'")
        .await;
    assert_eq!(linked.value(), images.to_string(), "each analysis points to the file that counts");
}

#[tokio::test]
async fn another_worker_finishes_the_batch_of_a_killed_one_and_no_image_is_done_twice() {
    let world = TestWorld::new().await;
    world.sql(LOG_COMPLETIONS).await;
    let images = put_panels(&world, None, 40);
    let mut workers = [world.program().args(&["run"]).spawn(), world.program().args(&["run"]).spawn()];
    world.wait_until("select count(*) = 2 from workers").await;
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    world.wait_until("select count(*) >= 5 from job_items where status = 'completed'").await;

    // Which process holds it is told by its words, the row knows only the boot.
    let holder = world.job(id).await.locked_by.unwrap().to_string();
    let at = workers.iter().position(|worker| worker.words().contains(&holder));
    let at = at.unwrap_or_else(|| panic!("no process says that it is {holder}"));
    workers[at].kill();
    let lease_end = world.job(id).await.locked_until.unwrap();
    let done_before = world.sql("select count(*) from job_items where status = 'completed'").await;
    assert!(done_before.value().parse::<usize>().unwrap() < images.len(), "it was killed in the middle");

    let job = world.wait_for(id, "completed").await;
    assert_eq!((job.attempt, job.crashes), (2, 1));
    assert_eq!((job.result("processed"), job.result("successful")), (&json!(40), &json!(40)));
    let mut expected: Vec<String> =
        world.sql("select id from analyses").await.column().iter().map(|s| (*s).to_owned()).collect();
    let mut found: Vec<String> = job
        .result("analysis_ids")
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_each_image_was_done_once(&world, 40).await;
    let lost = world.sql("select outcome, worker_id from job_attempts").await;
    assert_eq!(lost.0, [[Some("lost".to_owned()), Some(holder)]]);
    // Lease and poll interval are short here; what is left is the machine's slowness.
    let late = world.sql(format!("select ended_at - '{lease_end}' < interval '5 s' from job_attempts")).await;
    assert_eq!(late.value(), "t", "it was taken up soon after its lease had run out");
}

#[tokio::test]
async fn a_frozen_worker_that_wakes_up_later_changes_nothing() {
    let world = TestWorld::new().await;
    world.sql(LOG_COMPLETIONS).await;
    let images = put_panels(&world, None, 30);
    let sleeper = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    world.wait_until("select count(*) >= 3 from job_items where status = 'completed'").await;
    sleeper.freeze();
    let in_the_middle = world.sql("select count(*) < 30 from job_items where status = 'completed'").await;
    assert_eq!(in_the_middle.value(), "t");
    let _other = world.program().args(&["run"]).spawn();
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.attempt, 2);
    let before = world
        .sql("select * from jobs; select * from analyses order by id; select * from artifacts order by id")
        .await;
    sleeper.thaw();
    // It works again, and has nothing left of the old attempt.
    let next = world.enqueue("batch_analysis", &json!({"image_ids": put_panels(&world, None, 2)})).await;
    world.wait_for(next, "completed").await;
    world
        .wait_until("select count(*) = 2 from workers where last_heartbeat_at > now() - interval '5 s'")
        .await;
    let after = world
        .sql(format!(
            "select * from jobs where id = '{id}'; select * from analyses where job_id = '{id}' order by id;
             select * from artifacts where job_id = '{id}' order by id"
        ))
        .await;
    assert_eq!(after, before, "the old holder wrote something");
}
