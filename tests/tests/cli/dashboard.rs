//! The page at `/`: what it tells, and what it keeps to itself.

use forgeos_tests::{TestWorld, http};
use serde_json::json;
use uuid::Uuid;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml\r\n";

#[tokio::test]
async fn it_shows_the_queue_the_workers_and_reasons_but_no_job_and_no_user() {
    let world = TestWorld::new().await;
    let user = Uuid::new_v4();
    let params = json!({"image_ids": ["private-word"]});
    let job = world.enqueue_for("batch_analysis", &params, Some(user)).await;
    let _worker = world.program().args(&["run"]).env("FORGEOS__HTTP__LISTEN", "127.0.0.1:0").spawn();
    let address = super::http_address(&world).await;
    world.wait_for(job, "failed").await;
    world.sql("insert into jobs (job_type, params, run_at) values ('data_export', '{}', now() + interval '1 day')").await;

    let page = http::ask(&address, "GET", "/", BROWSER, "").unwrap();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let text = page.text();
    for word in
        ["takes jobs", "batch_analysis", "data_export", "bad_params", env!("CARGO_PKG_VERSION"), &address]
    {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    for secret in [user.to_string(), job.to_string(), "private-word".to_owned(), "image_ids".to_owned()] {
        assert!(!text.contains(&secret), "{secret} is in {text}");
    }
    // Who does not ask for a page gets a few words.
    let words = http::ask(&address, "GET", "/", "", "").unwrap();
    assert!(words.text().starts_with("ForgeOS Worker") && !words.text().contains('<'), "{words:?}");
}

#[tokio::test]
async fn however_many_look_the_database_is_asked_once() {
    let world = TestWorld::new().await;
    let _worker = world.program().args(&["run"]).env("FORGEOS__HTTP__LISTEN", "127.0.0.1:0").spawn();
    let address = super::http_address(&world).await;
    let begun = std::time::Instant::now();
    http::ask(&address, "GET", "/", BROWSER, "").unwrap();
    // Nobody has looked since: what has come is not seen before the look is old.
    world.sql("insert into job_types (name, description) values ('came_later', '')").await;
    let page = http::ask(&address, "GET", "/", BROWSER, "").unwrap().text();
    assert!(!page.contains("came_later") || begun.elapsed().as_secs() >= 5, "{page}");
    forgeos_tests::world::poll("the type is shown", async || {
        let page = http::ask(&address, "GET", "/", BROWSER, "").unwrap().text();
        page.contains("came_later").then_some(())
    })
    .await;
}
