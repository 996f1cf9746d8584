//! The promises of [`Storage`] on a local folder, and what objects are called in each kind of store.
#![allow(clippy::unwrap_used)]

use futures::TryStreamExt;

use super::*;

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn folder() -> (tempfile::TempDir, Storage) {
    let dir = tempfile::tempdir().unwrap();
    let storage = Storage::open(&StorageSettings::default(), dir.path(), None).unwrap();
    (dir, storage)
}

fn s3(url: &str) -> StorageSettings {
    StorageSettings {
        url: Some(url.into()),
        endpoint: Some("http://localhost:1".into()),
        access_key_id: Some("id".into()),
        secret_access_key: Some("secret".into()),
        ..StorageSettings::default()
    }
}

#[tokio::test]
async fn what_was_put_is_read_listed_and_deleted() {
    let (_dir, storage) = folder();
    let name = key("u/job/1/blå (1).jpg");
    let stored = storage.put(Bucket::Outputs, &name, Bytes::from_static(b"abc"), "image/jpeg").await.unwrap();
    assert_eq!((stored.size_bytes, stored.verified), (3, true));
    assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(storage.get_limited(Bucket::Outputs, &name, 3).await.unwrap(), "abc");
    let listed: Vec<_> = storage.list(Bucket::Outputs, Some(&key("u"))).try_collect().await.unwrap();
    assert_eq!(listed.iter().map(|o| &o.key).collect::<Vec<_>>(), [&name]);
    assert!(!storage.exists(Bucket::Images, &name).await.unwrap());
    storage.delete(Bucket::Outputs, &name).await.unwrap();
    storage.delete(Bucket::Outputs, &name).await.unwrap();
    assert!(!storage.exists(Bucket::Outputs, &name).await.unwrap());
}

#[tokio::test]
async fn an_object_over_the_limit_is_not_read() {
    let (_dir, storage) = folder();
    storage.put(Bucket::Images, &key("u/a"), Bytes::from_static(b"abcd"), "image/png").await.unwrap();
    let refused = storage.get_limited(Bucket::Images, &key("u/a"), 3).await;
    assert!(matches!(refused, Err(StorageError::TooLarge { limit: 3 })), "{refused:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_leads_nowhere() {
    let (dir, storage) = folder();
    let outside = dir.path().join("secret");
    std::fs::write(&outside, "secret").unwrap();
    let images = dir.path().join("storage/images");
    std::fs::create_dir(images.join("u")).unwrap();
    std::os::unix::fs::symlink(&outside, images.join("u/file")).unwrap();
    std::os::unix::fs::symlink(dir.path(), images.join("u/dir")).unwrap();
    for name in ["u/file", "u/dir/secret", "u/dir/new"] {
        let name = key(name);
        assert!(matches!(storage.get_limited(Bucket::Images, &name, 99).await, Err(StorageError::NotFound)));
        assert!(storage.put(Bucket::Images, &name, Bytes::from_static(b"x"), "image/png").await.is_err());
        storage.delete(Bucket::Images, &name).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "secret");
    assert!(!dir.path().join("new").exists());
}

#[tokio::test]
async fn a_folder_is_no_object_and_a_missing_bucket_is_an_outage() {
    let (dir, storage) = folder();
    storage.put(Bucket::Images, &key("u/a/b"), Bytes::from_static(b"x"), "image/png").await.unwrap();
    for name in ["u/a", "u/a/b/c", "u/none"] {
        let found = storage.get_limited(Bucket::Images, &key(name), 9).await;
        assert!(matches!(found, Err(StorageError::NotFound)), "{name}: {found:?}");
    }
    std::fs::remove_dir_all(dir.path().join("storage/images")).unwrap();
    let found = storage.get_limited(Bucket::Images, &key("u/a/b"), 9).await;
    assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    assert!(storage.probe(Bucket::Images).await.is_err());
    assert!(storage.probe(Bucket::Outputs).await.is_ok());
}

#[tokio::test]
async fn an_unreachable_store_is_an_outage() {
    let storage = Storage::open(&s3("s3://"), Path::new("unused"), None).unwrap();
    let found = storage.get_limited(Bucket::Images, &key("u/a"), 9).await;
    assert!(found.as_ref().is_err_and(StorageError::is_outage), "{found:?}");
}

#[test]
fn urls_carry_no_signature() {
    let (dir, storage) = folder();
    let name = key("u/a b.jpg");
    let root = dir.path().canonicalize().unwrap();
    assert_eq!(
        storage.url(Bucket::Outputs, &name),
        format!("file://{}/storage/outputs/u/a%20b.jpg", root.display())
    );
    let served =
        Storage::open(&StorageSettings::default(), dir.path(), Some("https://files.example/")).unwrap();
    assert_eq!(served.url(Bucket::Outputs, &name), "https://files.example/files/outputs/u/a%20b.jpg");

    let open = |settings: &StorageSettings| Storage::open(settings, dir.path(), Some("https://x")).unwrap();
    assert_eq!(open(&s3("s3://")).url(Bucket::Reports, &name), "s3://reports/u/a b.jpg");
    assert_eq!(open(&s3("s3://b/p")).url(Bucket::Reports, &name), "s3://b/p/reports/u/a b.jpg");
    let public = StorageSettings { public_url: Some("https://cdn.example".into()), ..s3("s3://") };
    assert_eq!(open(&public).url(Bucket::Reports, &name), "https://cdn.example/reports/u/a%20b.jpg");
    let supabase =
        StorageSettings { endpoint: Some("https://ref.supabase.co/storage/v1/s3".into()), ..s3("supabase") };
    assert_eq!(
        open(&supabase).url(Bucket::Outputs, &name),
        "https://ref.supabase.co/storage/v1/object/authenticated/outputs/u/a%20b.jpg"
    );
}

#[test]
fn settings_that_make_no_store_say_what_is_missing() {
    let open = |settings: StorageSettings| {
        Storage::open(&settings, Path::new("unused"), None).map(|_| ()).unwrap_err().to_string()
    };
    let url = |url: &str| StorageSettings { url: Some(url.into()), ..StorageSettings::default() };
    assert!(open(url("supabase")).contains("SUPABASE_URL"));
    let project = |anon: &str, service: &str| StorageSettings {
        endpoint: Some("https://ref.supabase.co/storage/v1/s3".into()),
        secret_access_key: Some(anon.into()),
        session_token: Some(service.into()),
        ..s3("supabase")
    };
    assert!(Storage::open(&project("a.b.c", "d.e.f"), Path::new("unused"), None).is_ok());
    for (settings, named) in [
        (project("sb_publishable_hush", "d.e.f"), "`SUPABASE_ANON_KEY` is no JWT"),
        (project("a.b.c", "sb_secret_hush"), "`SUPABASE_SERVICE_KEY` is no JWT"),
        (StorageSettings { access_key_id: None, ..project("a.b.c", "d.e.f") }, "SUPABASE_PROJECT_REF"),
        (StorageSettings { secret_access_key: None, ..project("a.b.c", "d.e.f") }, "SUPABASE_ANON_KEY"),
        (url("s3://key:hush@bucket"), "carries no keys"),
        (url("s3://bucket"), "storage.access_key_id"),
    ] {
        let said = open(settings);
        assert!(said.contains(named) && !said.contains("hush"), "{said}");
    }
    assert!(open(url("http://u:hush@h")).contains("allowed: `file:///path`"));
    assert!(!open(url("http://u:hush@h")).contains("hush"));
    assert!(open(url("file://relative/path")).contains("absolute"));
    let half = StorageSettings { secret_access_key: None, ..s3("s3://") };
    assert!(open(half).contains("secret_access_key"));
}
