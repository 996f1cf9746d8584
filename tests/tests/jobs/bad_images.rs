//! Files that are no photographs, or too much of one: each fails alone with a stable word and a sentence.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::pictures::{encode, png, png_that_claims, put, put_panels};

#[tokio::test]
async fn each_bad_file_fails_alone_with_its_own_code() {
    let world = TestWorld::new().await;
    let good = put_panels(&world, None, 2);
    let jpeg = forgeos_samples::variant(3).bytes;
    let cases = [
        ("cut off in the middle", put(&world, None, &jpeg[..jpeg.len() / 2], "jpg"), "damaged_image"),
        ("cut off in its header", put(&world, None, &jpeg[..20], "jpg"), "damaged_image"),
        ("a PNG cut off", put(&world, None, &png(400, 300)[..200], "png"), "damaged_image"),
        ("empty", put(&world, None, b"", "jpg"), "unsupported_format"),
        (
            "a GIF",
            put(
                &world,
                None,
                b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
                "jpg",
            ),
            "unsupported_format",
        ),
        (
            "a text",
            put(&world, None, b"This is not a picture, whatever its name says.", "png"),
            "unsupported_format",
        ),
        (
            "a page",
            put(&world, None, b"<!doctype html><html><body>404</body></html>", "jpg"),
            "unsupported_format",
        ),
        ("a bomb", put(&world, None, &png_that_claims(60_000, 60_000), "png"), "too_large"),
        (
            "beyond any number",
            put(&world, None, &png_that_claims(0x7fff_ffff, 0x7fff_ffff), "png"),
            "too_large",
        ),
        ("without width", put(&world, None, &png_that_claims(0, 10), "png"), "damaged_image"),
        ("51 MB", put_sparse(&world, 51 << 20), "too_large"),
        ("not there", Uuid::new_v4(), "not_found"),
    ];
    let misnamed = put(&world, None, &png(64, 64), "jpg");
    let webp = put(&world, None, &encode(64, 64, image::ImageFormat::WebP), "webp");

    let mut ids = vec![good[0]];
    ids.extend(cases.iter().map(|(_, id, _)| *id));
    ids.extend([misnamed, webp, good[1]]);
    let _worker = world.program().args(&["run"]).spawn();
    let job = world.enqueue("batch_analysis", &json!({ "image_ids": ids })).await;
    let job = world.wait_for(job, "completed").await;

    let errors = job.result("errors").as_array().unwrap();
    for (what, id, code) in &cases {
        let error = errors.iter().find(|error| error["image_id"] == json!(id)).unwrap_or(&Value::Null);
        assert_eq!(error["code"], *code, "{what}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.len() > 15 && !message.contains('\n'), "{what}: {message:?}");
        assert!(!message.contains(world.folder().to_str().unwrap()), "{what} tells a path: {message:?}");
    }
    assert_eq!(errors.len(), cases.len(), "the good ones are good: {errors:?}");
    assert_eq!(job.result("successful"), 4, "the content decides, not the name");
    let failed = world.sql("select count(*) from analyses where status = 'failed' and metrics -> 'error' ->> 'message' <> ''").await;
    assert_eq!(failed.value(), cases.len().to_string());
    assert_eq!(world.sql("select count(*) from artifacts").await.value(), "4");
}

/// A file of this size that takes no room on the disk.
fn put_sparse(world: &TestWorld, size: u64) -> Uuid {
    let id = put(world, None, &[0xFF, 0xD8, 0xFF, 0xE0], "jpg");
    let path = world.object_path("images", &format!("{id}.jpg"));
    std::fs::File::options().write(true).open(path).unwrap().set_len(size).unwrap();
    id
}

#[tokio::test]
async fn a_batch_of_nothing_but_bad_images_fails_as_a_whole() {
    let world = TestWorld::new().await;
    let images = [put(&world, None, b"no picture", "jpg"), Uuid::new_v4()];
    let _worker = world.program().args(&["run"]).spawn();
    let id = world.enqueue("batch_analysis", &json!({ "image_ids": images })).await;
    let job = world.wait_for(id, "failed").await;
    assert_eq!(job.attempt, 1, "another attempt would not help: {job:?}");
    assert_eq!((job.result("processed"), job.result("failed")), (&json!(2), &json!(2)));
    assert!(!job.error_message().is_empty() && job.error_code.is_some());
    assert_eq!(world.sql("select count(*) from analyses where status = 'failed'").await.value(), "2");
}
