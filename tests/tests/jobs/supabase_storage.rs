//! Images by the id of their row in Supabase's `storage.objects`.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

/// The two tables as Supabase's storage server makes them, with what is read or could be in the way.
pub(crate) async fn create_tables(world: &TestWorld) {
    world
        .sql(
            "create schema storage;
             create table storage.buckets (
                 id text primary key, name text not null unique, owner uuid, owner_id text, public boolean default false,
                 avif_autodetection boolean default false, file_size_limit bigint, allowed_mime_types text[],
                 created_at timestamptz default now(), updated_at timestamptz default now());
             create table storage.objects (
                 id uuid not null default gen_random_uuid() primary key, bucket_id text references storage.buckets (id),
                 name text, owner uuid, created_at timestamptz default now(), updated_at timestamptz default now(),
                 last_accessed_at timestamptz default now(), metadata jsonb,
                 path_tokens text[] generated always as (string_to_array(name, '/')) stored,
                 version text, owner_id text, user_metadata jsonb);
             create unique index bucketid_objname on storage.objects (bucket_id, name);
             insert into storage.buckets (id, name) values ('images', 'images'), ('outputs', 'outputs')",
        )
        .await;
}

/// A row of `storage.objects`, as an upload makes it.
pub(crate) async fn object(world: &TestWorld, bucket: &str, name: &str, owner: Option<Uuid>) -> Uuid {
    object_noted(world, bucket, name, owner, owner).await
}

/// The same where the old and the new column for its owner say different things.
pub(crate) async fn object_noted(
    world: &TestWorld,
    bucket: &str,
    name: &str,
    owner: Option<Uuid>,
    owner_id: Option<Uuid>,
) -> Uuid {
    sqlx::query_scalar(
        r#"insert into storage.objects (bucket_id, name, owner, owner_id, metadata, version)
           values ($1, $2, $3, $4::text, '{"mimetype": "image/jpeg", "size": 1}', gen_random_uuid()::text) returning id"#,
    )
    .bind(bucket)
    .bind(name)
    .bind(owner)
    .bind(owner_id)
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn an_id_of_supabase_storage_leads_to_the_own_object_only() {
    let world = TestWorld::new().await;
    create_tables(&world).await;
    let (me, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let photo = &forgeos_samples::variant(5).bytes;
    for key in ["a.jpg", "deep/er/b.jpg", "c.jpg", "d.jpg"].map(|name| format!("{me}/{name}")) {
        world.put("images", &key, photo);
    }
    world.put("images", &format!("{stranger}/e.jpg"), photo);
    world.put("images", "f.jpg", photo);
    world.put("outputs", &format!("{me}/g.jpg"), photo);
    let mine = [
        object(&world, "images", &format!("{me}/a.jpg"), Some(me)).await,
        object(&world, "images", &format!("{me}/deep/er/b.jpg"), None).await,
    ];
    let not_mine = [
        object_noted(&world, "images", &format!("{me}/c.jpg"), None, Some(stranger)).await,
        object_noted(&world, "images", &format!("{me}/d.jpg"), Some(stranger), None).await,
        object(&world, "images", &format!("{stranger}/e.jpg"), None).await,
        object(&world, "images", &format!("{me}/../{stranger}/e.jpg"), Some(me)).await,
        object(&world, "images", "f.jpg", Some(me)).await,
        object(&world, "outputs", &format!("{me}/g.jpg"), Some(me)).await,
        // Uploaded once, gone from the store.
        object(&world, "images", &format!("{me}/gone.jpg"), Some(me)).await,
        Uuid::new_v4(),
    ];
    let _worker = world.program().args(&["run"]).spawn();
    let params = json!({"image_ids": mine.iter().chain(&not_mine).collect::<Vec<_>>()});
    let id = world.enqueue_for("batch_analysis", &params, Some(me)).await;
    let job = world.wait_for(id, "completed").await;
    assert_eq!(job.result("failed_ids"), &json!(not_mine));
    let errors = job.result("errors").as_array().unwrap();
    let said = |error: &Value| (error["code"].clone(), error["message"].clone());
    for error in errors {
        assert_eq!(said(error), (json!("not_found"), json!("there is no image with this id")));
    }
    let names = world.sql("select filename from analyses where status = 'completed' order by filename").await;
    assert_eq!(names.column(), [format!("{me}/a.jpg"), format!("{me}/deep/er/b.jpg")]);

    // The service may use every object of the bucket, and no key that leads out of it.
    let service = world.enqueue("batch_analysis", &params).await;
    let service = world.wait_for(service, "completed").await;
    assert_eq!(service.result("failed_ids"), &json!([not_mine[3], not_mine[5], not_mine[6], not_mine[7]]));
}
