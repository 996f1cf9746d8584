//! Whose images a job may touch.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

use crate::pictures::put_panels;

#[tokio::test]
async fn a_foreign_image_is_like_one_that_does_not_exist() {
    let world = TestWorld::new().await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let mine = put_panels(&world, Some(me), 1)[0];
    let theirs = put_panels(&world, Some(stranger), 1)[0];
    let at_the_top = put_panels(&world, None, 1)[0];
    let rows = world
        .sql(format!(
            "insert into analyses (filename, status, user_id) values
                ('{stranger}/{theirs}.jpg', 'pending', '{stranger}'), ('{stranger}/{theirs}.jpg', 'pending', '{me}'),
                ('../{stranger}/{theirs}.jpg', 'pending', '{me}'), ('{me}/../{stranger}/{theirs}.jpg', 'pending', '{me}')
             returning id"
        ))
        .await;
    let analyses: Vec<Uuid> = rows.column().iter().map(|id| id.parse().unwrap()).collect();
    let _worker = world.program().args(&["run"]).spawn();
    let mut images = vec![mine, theirs, at_the_top, Uuid::new_v4()];
    images.extend(&analyses);
    let id = world.enqueue_for("batch_analysis", &json!({ "image_ids": images }), Some(me)).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("successful"), 1);
    let errors = job.result("errors").as_array().unwrap();
    let code = |image: Uuid| errors.iter().find(|e| e["image_id"] == json!(image)).unwrap();
    let absent = code(images[3]);
    for foreign in [theirs, at_the_top, analyses[0]] {
        assert_eq!(
            (&code(foreign)["code"], &code(foreign)["message"]),
            (&absent["code"], &absent["message"])
        );
    }
    assert!(errors.iter().all(|error| error["code"] == "not_found"), "{errors:?}");
    let untouched = world
        .sql(format!(
            "select status, metrics is null, job_id is null from analyses where id = '{}'",
            analyses[0]
        ))
        .await;
    assert_eq!(untouched.0[0], ["pending", "t", "t"].map(|v| Some(v.to_owned())));
}

#[tokio::test]
async fn a_service_job_may_use_every_analysis_and_writes_into_its_own_folder() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let image = put_panels(&world, Some(user), 1)[0];
    let analysis = world
        .sql(format!("insert into analyses (filename, status, user_id) values ('{user}/{image}.jpg', 'pending', '{user}') returning id"))
        .await;
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({"image_ids": [analysis.value()]})).await;
    world.wait_for(id, "completed").await;
    let row = world.sql("select status, user_id, output_filename from analyses").await;
    assert_eq!(row.0[0][..2], [Some("completed".to_owned()), Some(user.to_string())]);
    assert!(row.0[0][2].as_ref().unwrap().starts_with("service/"), "{row:?}");
}
