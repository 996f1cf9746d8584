//! A pool of one connection is enough for every job: nobody holds one while it waits for another.

use forgeos_tests::TestWorld;
use serde_json::json;
use uuid::Uuid;

use crate::pictures::put_panels;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_is_enough() {
    for pooled in [false, true] {
        for connections in [1, 2] {
            let world = TestWorld::new().await;
            let worker = world.worker().connections(connections).lease_seconds(30);
            let worker = if pooled { worker.behind_a_pooler() } else { worker };
            let worker = worker.ready().await;
            let user = Uuid::new_v4();
            // What fails at once asks the most of the database.
            let missing: Vec<Uuid> = (0..120).map(|_| Uuid::new_v4()).collect();
            let missing = json!({ "image_ids": missing });
            let mut images = put_panels(&world, Some(user), 3);
            images.extend((0..60).map(|_| Uuid::new_v4()));
            let good = json!({ "image_ids": images });
            let failing = [
                world.enqueue_for("batch_analysis", &missing, Some(user)).await,
                world.enqueue_for("batch_analysis", &missing, Some(user)).await,
            ];
            let good = world.enqueue_for("batch_analysis", &good, Some(user)).await;
            for id in failing {
                let job = world.wait_for(id, "failed").await;
                assert_eq!((job.attempt, job.error_code()), (1, "not_found"), "{pooled}, {connections}");
            }
            let job = world.wait_for(good, "completed").await;
            assert_eq!((job.attempt, job.result("successful")), (1, &json!(3)));

            // Reports of analyses that are not there, and of some that are.
            let mut analyses: Vec<Uuid> = (0..60).map(|_| Uuid::new_v4()).collect();
            let rows = world.sql("select id from analyses where status = 'completed'").await;
            analyses.extend(rows.column().iter().map(|id| id.parse::<Uuid>().unwrap()));
            let reports = json!({ "analysis_ids": analyses, "formats": ["csv"] });
            let reports = world.enqueue_for("report_generation", &reports, Some(user)).await;
            let export = json!({ "dataset": "analyses" });
            let export = world.enqueue_for("data_export", &export, Some(user)).await;
            let job = world.wait_for(reports, "completed").await;
            assert_eq!((job.attempt, job.result("failed")), (1, &json!(60)));
            assert_eq!(world.wait_for(export, "completed").await.attempt, 1);
            worker.stop().await;
        }
    }
}
